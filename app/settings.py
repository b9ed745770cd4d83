"""Where the store is: read from the environment at each call, nothing cached."""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.errors import InvalidInputError

Engine = Literal["duckdb", "spark"]
"""What computes over the lake."""

DATABASE_FILE = "chancellor.db"
AUDIT_KEY_FILE = "audit_key.pem"
_AMOUNT = re.compile(r"[1-9][0-9]*(\.[0-9]+)? ?[KMGT]i?B")


def _amount(text: str) -> str:
    if text and not _AMOUNT.fullmatch(text):
        raise ValueError(f"{text!r} is no amount of memory: write it like 512MB or 4GiB")
    return text


class Settings(BaseSettings):
    """Hold the places of one store.

    Attributes
    ----------
    home : Path
        ``CHANCELLOR_HOME``, absolute; default ``./.chancellor``.
    database_url : str
        ``CHANCELLOR_DATABASE_URL``, full and absolute; default the SQLite file in the home.
    lake_url : str
        ``CHANCELLOR_LAKE``, a folder or a URL such as ``s3://bucket/prefix``; default ``lake`` in
        the home.
    lake_attempts : int
        ``CHANCELLOR_LAKE_ATTEMPTS``, at one request to an object store; default 8.
    lake_seconds : float
        ``CHANCELLOR_LAKE_SECONDS``, without a byte from an object store, until an attempt has
        failed; default 10.
    lake_cache : Path
        ``CHANCELLOR_LAKE_CACHE``, the folder of local copies of an object store's files; default
        ``lake-cache`` in the home.
    lake_cache_bytes : int
        ``CHANCELLOR_LAKE_CACHE_BYTES``, beyond which copies that were not used for an hour are
        removed; default 20 GiB.
    dagster_url : str
        ``CHANCELLOR_DAGSTER_URL``, where a Dagster webserver runs the pipelines; by default ""
        and worker processes of this machine do.
    max_unpacked_bytes : int
        ``CHANCELLOR_MAX_UNPACKED_BYTES``, what a file to import may hold once it is unpacked;
        default 4 GiB.
    max_upload_bytes : int
        ``CHANCELLOR_MAX_UPLOAD_BYTES``, of one uploaded file; default 1 GiB.
    max_body_bytes : int
        ``CHANCELLOR_MAX_BODY_BYTES``, of any other request; default 16 MiB.
    requests_per_minute : int
        ``CHANCELLOR_REQUESTS_PER_MINUTE``, of one API key in one process; default 6,000; 0 is no
        limit.
    seal_seconds : float
        ``CHANCELLOR_SEAL_SECONDS``, between two seals of recorded decisions; default 300.
    execute_runs : bool
        ``CHANCELLOR_EXECUTE_RUNS``, whether a service takes up the runs that wait; default true.
    request_seconds : float
        ``CHANCELLOR_REQUEST_SECONDS``, until a request is answered with 503; default 60; an
        upload may take ten times as long.
    max_import_memory_bytes : int
        ``CHANCELLOR_MAX_IMPORT_MEMORY_BYTES``, address space of the process that imports a large
        upload; default 8 GiB.
    public_url : str
        ``CHANCELLOR_PUBLIC_URL``, under which people reach the desk through a proxy, such as
        ``https://chancellor.bank.example``; with https, cookies are sent over HTTPS only.
    session_minutes : int
        ``CHANCELLOR_SESSION_MINUTES``, how long a sign-in to the review desk lasts; default 480.
    monitor_seconds : float
        ``CHANCELLOR_MONITOR_SECONDS``, between two looks of a service for batches that are due to
        be monitored; default 300; 0 leaves it to the command line and to Dagster.
    webhook_url : str
        ``CHANCELLOR_WEBHOOK_URL``, which is sent each alert; by default "" and alerts are only
        listed and logged.
    webhook_secret : SecretStr
        ``CHANCELLOR_WEBHOOK_SECRET``, at least 16 characters, which signs what is sent.
    audit_key : Path
        ``CHANCELLOR_AUDIT_KEY``, the private key that signs audit checkpoints; default
        ``audit_key.pem`` in the home.
    training_rows : int
        ``CHANCELLOR_TRAINING_ROWS``, labelled rows above which training draws a stratified sample
        of about so many; default 1,000,000.
    duckdb_memory : str
        ``CHANCELLOR_DUCKDB_MEMORY``, what one DuckDB may hold in memory, such as ``4GiB``; by
        default "" and DuckDB takes up to 80 % of the machine's.
    duckdb_spill : Path
        ``CHANCELLOR_DUCKDB_SPILL``, the directory for what does not fit; made when needed and
        emptied; default ``spill`` in the home.
    duckdb_threads : int
        ``CHANCELLOR_DUCKDB_THREADS``, of one DuckDB; default 0, as many as there are cores.
    engine : {"duckdb", "spark"}
        ``CHANCELLOR_ENGINE``, which computes over the lake; default ``duckdb``. Spark needs the
        extra ``chancellor[spark]``.
    spark_master : str
        ``CHANCELLOR_SPARK_MASTER``, where Spark runs; default ``local[*]``, in this process.
    spark_memory : str
        ``CHANCELLOR_SPARK_MEMORY``, of the driver and of each executor; default ``4g``.
    """

    model_config = SettingsConfigDict(
        env_prefix="CHANCELLOR_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    home: Path = Path(".chancellor")
    database_url: str = ""
    lake: str = ""
    lake_attempts: PositiveInt = 8
    lake_seconds: PositiveFloat = 10.0
    lake_cache: Path = Path()
    lake_cache_bytes: NonNegativeInt = 20 << 30
    dagster_url: str = ""
    max_unpacked_bytes: PositiveInt = 4 << 30
    max_upload_bytes: PositiveInt = 1 << 30
    max_body_bytes: PositiveInt = 16 << 20
    requests_per_minute: NonNegativeInt = 6_000
    request_seconds: PositiveFloat = 60.0
    max_import_memory_bytes: PositiveInt = 8 << 30
    audit_key: Path = Path()
    seal_seconds: PositiveFloat = 300.0
    execute_runs: bool = True
    public_url: str = ""
    session_minutes: PositiveInt = 480
    monitor_seconds: NonNegativeFloat = 300.0
    webhook_url: str = ""
    webhook_secret: SecretStr = SecretStr("")
    training_rows: PositiveInt = 1_000_000
    duckdb_memory: Annotated[str, AfterValidator(_amount)] = ""
    duckdb_spill: Path = Path()
    duckdb_threads: NonNegativeInt = 0
    engine: Engine = "duckdb"
    spark_master: str = "local[*]"
    spark_memory: str = "4g"

    @model_validator(mode="before")
    @classmethod
    def _fill_in_places(cls, values: dict[str, object]) -> dict[str, object]:
        home = Path(str(values.get("home") or ".chancellor")).expanduser().resolve()
        url = str(values.get("database_url") or f"sqlite:///{home / DATABASE_FILE}")
        return {
            **values,
            "dagster_url": str(values.get("dagster_url") or "").rstrip("/"),
            "home": home,
            "database_url": complete_database_url(url),
            "audit_key": Path(str(values.get("audit_key") or home / AUDIT_KEY_FILE))
            .expanduser()
            .resolve(),
            "duckdb_spill": Path(str(values.get("duckdb_spill") or home / "spill"))
            .expanduser()
            .resolve(),
            "lake_cache": Path(str(values.get("lake_cache") or home / "lake-cache"))
            .expanduser()
            .resolve(),
            "lake": _complete_lake_url(str(values.get("lake") or home / "lake")),
        }

    @property
    def lake_url(self) -> str:
        """Give the place of the data plane."""
        return self.lake

    @property
    def is_behind_https(self) -> bool:
        """Say whether people reach the desk over HTTPS, so that cookies need it."""
        return self.public_url.startswith("https:")

    @property
    def dagster_home(self) -> Path:
        """Give the directory in which Dagster keeps its runs."""
        return self.home / "dagster"


def complete_database_url(url: str) -> str:
    """Make a database URL full: a driver for PostgreSQL, an absolute path for SQLite.

    Parameters
    ----------
    url : str
        For example ``postgresql://host/name`` or ``sqlite:///chancellor.db``.

    Returns
    -------
    str
        The same place, independent of the working directory.

    Examples
    --------
    >>> complete_database_url("postgresql://localhost/risk")
    'postgresql+psycopg://localhost/risk'
    >>> complete_database_url("sqlite:////data/chancellor.db")
    'sqlite:////data/chancellor.db'
    """
    for short in ("postgresql://", "postgres://"):
        if url.startswith(short):
            return "postgresql+psycopg://" + url.removeprefix(short)
    prefix = "sqlite:///"
    if url.startswith(prefix) and not url.startswith(prefix + "/"):
        return prefix + str(Path(url.removeprefix(prefix)).resolve())
    return url


def _complete_lake_url(url: str) -> str:
    return url if "://" in url else str(Path(url).expanduser().resolve())


def get_settings() -> Settings:
    """Read the settings from the environment as it is now.

    Raises
    ------
    InvalidInputError
        Names every variable whose value cannot be.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise InvalidInputError("\n".join(_variables_at_fault(error))) from error


def _variables_at_fault(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        name = "_".join(str(part) for part in fault["loc"]).upper()
        yield f"CHANCELLOR_{name}: {fault['msg'].removeprefix('Value error, ')}"


def default_actor() -> str:
    """Give the OS user's name, who is on the record where nobody else is named."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"
