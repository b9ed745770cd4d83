"""Get the card out: a version as a file that other programs run or people read."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MappingProxyType

from sqlalchemy.orm import Session

from app.domain.exports.stamp import Stamp
from app.domain.scorecard import Scorecard
from app.domain.types import Document
from app.errors import InvalidInputError
from app.models import ScorecardVersion
from app.queries.versions import require_version
from app.services.card_tables import card_tables
from app.services.scoring_service import card_of

TABLE, KEY = "batch", "party_id"
"""What the SQL calls the table to score and the column that names the party, unless told."""

_NAME = re.compile(r"[\w$-]+(?:[ .][\w$-]+)*")


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """Say which form of a version is wanted.

    Parameters
    ----------
    to : str
        One of `FORMATS`.
    dialect : str or None
        For SQL, one of `app.domain.exports.sql_dialects.DIALECTS`; None is ``duckdb``.
    table, key : str
        For SQL, the table to score and its column that names the party.
    model_id : str or None
        For a workbook, whose calibration gives the odds; None is the newest model that was
        trained against the version.
    """

    to: str
    dialect: str | None = None
    table: str = TABLE
    key: str = KEY
    model_id: str | None = None

    def command(self, version: str) -> str:
        """Give the command that writes the same bytes again."""
        words = ["chancellor", "export", version, "--to", self.to]
        if self.to == "sql":
            words += ["--dialect", self.dialect or "duckdb"]
            words += ["--table", self.table] if self.table != TABLE else []
            words += ["--id", self.key] if self.key != KEY else []
        if self.to == "xlsx" and self.model_id is not None:
            words += ["--model", self.model_id]
        return shlex.join(words)


Writer = Callable[[Scorecard, Stamp, ExportRequest], bytes]


class ExportService:
    """Write versions of the scorecard in the forms that other programs read.

    Parameters
    ----------
    db : Session
        Any SQLAlchemy session on the initialised database; nothing is written to it.
    """

    def __init__(self, db: Session) -> None:
        self.db = db

    def export(self, version: str, request: ExportRequest) -> Document:
        """Write one version in one form.

        Parameters
        ----------
        version : str
            Its name; any status.
        request : ExportRequest
            The form.

        Returns
        -------
        dict
            version, status, content_hash, to, made_by (the command that gives the same bytes),
            media_type, file_name and content (bytes; UTF-8 but for ``xlsx``).

        Raises
        ------
        NotFoundError
            If there is no such version.
        TamperingError
            If its content is not what was stored.
        InvalidInputError
            If there is no such form or dialect, or the form cannot hold the card.
        """
        row = require_version(self.db, version)
        if request.to not in FORMATS:
            known = ", ".join(FORMATS)
            raise InvalidInputError(f"{request.to!r} is no form of export; there is: {known}")
        if request.dialect is not None and request.to != "sql":
            raise InvalidInputError(f"a dialect belongs to sql, not to {request.to}")
        if request.model_id is not None and request.to != "xlsx":
            raise InvalidInputError(f"a model belongs to xlsx, not to {request.to}")
        stamp, content = self._written(row, card_of(row), request)
        return {
            "version": row.version,
            "status": row.status,
            "content_hash": row.content_hash,
            "to": request.to,
            "made_by": stamp.command,
            "media_type": FORMATS[request.to].media_type,
            "file_name": f"{row.version}{FORMATS[request.to].suffix}",
            "content": content,
        }

    def _written(
        self, row: ScorecardVersion, card: Scorecard, request: ExportRequest
    ) -> tuple[Stamp, bytes]:
        if request.to != "xlsx":
            stamp = Stamp(row.version, card.content_hash, request.command(row.version))
            return stamp, FORMATS[request.to].write(card, stamp, request)
        from app.services.export_workbook import workbook  # noqa: PLC0415 - only where asked

        tables = card_tables(self.db, row, card, request.model_id)
        # the newest model of today need not be that of tomorrow, so the command names it
        used = None if tables["odds"] is None else tables["odds"]["model_id"]
        command = replace(request, model_id=used).command(row.version)
        stamp = Stamp(row.version, card.content_hash, command)
        return stamp, workbook(card, stamp, tables)

    def tables(self, version: str, model_id: str | None = None) -> Document:
        """Give the tables that explain a version to people.

        Parameters
        ----------
        version : str
            Its name; any status.
        model_id : str, optional
            Whose calibration gives the odds; by default that of the newest model trained against
            the version.

        Returns
        -------
        dict
            As :func:`app.services.card_tables.card_tables`.

        Raises
        ------
        NotFoundError, InvalidInputError
            If there is no such version or model, or the model belongs to another version.
        """
        row = require_version(self.db, version)
        return card_tables(self.db, row, card_of(row), model_id)


def _json(card: Scorecard, stamp: Stamp, request: ExportRequest) -> bytes:
    from app.domain.exports.json_card import json_card  # noqa: PLC0415 - only what is asked for

    del request
    return json_card(card, stamp).encode()


def _python(card: Scorecard, stamp: Stamp, request: ExportRequest) -> bytes:
    from app.domain.exports.python_card import python_card  # noqa: PLC0415 - the same

    del request
    return python_card(card, stamp).encode()


def _sql(card: Scorecard, stamp: Stamp, request: ExportRequest) -> bytes:
    from app.domain.exports.sql_card import sql_card  # noqa: PLC0415 - loads Ibis
    from app.domain.exports.sql_dialects import DIALECTS  # noqa: PLC0415 - the same

    dialect = request.dialect or "duckdb"
    if dialect not in DIALECTS:
        known = ", ".join(DIALECTS)
        raise InvalidInputError(f"{dialect!r} is no dialect of SQL known here; there is: {known}")
    for what, name in (("table", request.table), ("id", request.key)):
        if not _NAME.fullmatch(name):
            raise InvalidInputError(
                f"{what}: {name[:60]!r} is not a name of letters, digits, _ $ -"
            )
    return sql_card(card, stamp, DIALECTS[dialect], table=request.table, key=request.key).encode()


def _pmml(card: Scorecard, stamp: Stamp, request: ExportRequest) -> bytes:
    from app.domain.exports.pmml_card import pmml_card  # noqa: PLC0415 - only what is asked for

    del request
    return pmml_card(card, stamp).encode()


def _not_from_the_card_alone(card: Scorecard, stamp: Stamp, request: ExportRequest) -> bytes:
    raise AssertionError(card, stamp, request)


_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class _Form:
    media_type: str
    suffix: str
    write: Writer


FORMATS = MappingProxyType(
    {
        "json": _Form("application/json", ".json", _json),
        "python": _Form("text/x-python; charset=utf-8", ".py", _python),
        "sql": _Form("application/sql", ".sql", _sql),
        "pmml": _Form("application/xml", ".pmml", _pmml),
        "xlsx": _Form(_XLSX, ".xlsx", _not_from_the_card_alone),
    }
)
"""Every form of export by its name."""
