"""Get the card out: a version as a file that other programs run or people read."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy.orm import Session

from app.domain.exports.stamp import Stamp
from app.domain.scorecard import Scorecard
from app.domain.types import Document
from app.errors import InvalidInputError
from app.queries.versions import require_version
from app.services.scoring_service import card_of

TABLE, KEY = "batch", "party_id"
"""What the SQL calls the table to score and the column that names the party, unless told."""


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
    """

    to: str
    dialect: str | None = None
    table: str = TABLE
    key: str = KEY

    def command(self, version: str) -> str:
        """Give the command that writes the same bytes again."""
        words = ["chancellor", "export", version, "--to", self.to]
        if self.to == "sql":
            words += ["--dialect", self.dialect or "duckdb"]
            words += ["--table", self.table] if self.table != TABLE else []
            words += ["--id", self.key] if self.key != KEY else []
        return shlex.join(words)


Writer = Callable[[Session, Scorecard, Stamp, ExportRequest], bytes]


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
        form = FORMATS[request.to]
        card = card_of(row)
        stamp = Stamp(row.version, card.content_hash, request.command(row.version))
        return {
            "version": row.version,
            "status": row.status,
            "content_hash": card.content_hash,
            "to": request.to,
            "made_by": stamp.command,
            "media_type": form.media_type,
            "file_name": f"{row.version}{form.suffix}",
            "content": form.write(self.db, card, stamp, request),
        }


def _json(db: Session, card: Scorecard, stamp: Stamp, request: ExportRequest) -> bytes:
    from app.domain.exports.json_card import json_card  # noqa: PLC0415 - only what is asked for

    del db, request
    return json_card(card, stamp).encode()


def _python(db: Session, card: Scorecard, stamp: Stamp, request: ExportRequest) -> bytes:
    from app.domain.exports.python_card import python_card  # noqa: PLC0415 - the same

    del db, request
    return python_card(card, stamp).encode()


def _sql(db: Session, card: Scorecard, stamp: Stamp, request: ExportRequest) -> bytes:
    from app.domain.exports.sql_card import sql_card  # noqa: PLC0415 - loads Ibis
    from app.domain.exports.sql_dialects import DIALECTS  # noqa: PLC0415 - the same

    del db
    dialect = request.dialect or "duckdb"
    if dialect not in DIALECTS:
        known = ", ".join(DIALECTS)
        raise InvalidInputError(f"{dialect!r} is no dialect of SQL known here; there is: {known}")
    for what, name in (("table", request.table), ("id", request.key)):
        if not name.strip() or not name.isprintable():
            raise InvalidInputError(f"--{what}: {name!r} is not a name")
    return sql_card(card, stamp, DIALECTS[dialect], table=request.table, key=request.key).encode()


def _pmml(db: Session, card: Scorecard, stamp: Stamp, request: ExportRequest) -> bytes:
    from app.domain.exports.pmml_card import pmml_card  # noqa: PLC0415 - only what is asked for

    del db, request
    return pmml_card(card, stamp).encode()


@dataclass(frozen=True, slots=True)
class _Form:
    media_type: str
    suffix: str
    write: Writer


FORMATS = MappingProxyType(
    {
        "json": _Form("application/json", ".json", _json),
        "python": _Form("text/x-python", ".py", _python),
        "sql": _Form("application/sql", ".sql", _sql),
        "pmml": _Form("application/xml", ".pmml", _pmml),
    }
)
"""Every form of export by its name."""
