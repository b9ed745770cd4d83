"""``chancellor export``: a version as a file for other programs."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.cli.files import write_whole_bytes
from app.cli.options import Actor, AsJson
from app.cli.output import Output
from app.cli.render import exporting as render
from app.cli.services import open_services
from app.errors import InvalidInputError


class Form(StrEnum):
    """Forms of an exported card."""

    json = "json"
    python = "python"
    sql = "sql"
    pmml = "pmml"
    xlsx = "xlsx"


class Dialect(StrEnum):
    """Engines whose SQL can be written."""

    duckdb = "duckdb"
    postgres = "postgres"
    sqlite = "sqlite"
    spark = "spark"
    snowflake = "snowflake"
    bigquery = "bigquery"
    tsql = "tsql"


Version = Annotated[
    str, typer.Argument(metavar="VERSION", help="Name of the version.", show_default=False)
]
To = Annotated[
    Form,
    typer.Option(
        "--to", metavar="FORM", help="json, python, sql, pmml or xlsx.", show_default=False
    ),
]
OfDialect = Annotated[
    Dialect | None,
    typer.Option(
        "--dialect",
        metavar="NAME",
        help="With sql: duckdb, postgres, sqlite, spark, snowflake, bigquery or tsql.",
        show_default="duckdb",
    ),
]
Table = Annotated[
    str, typer.Option("--table", metavar="NAME", help="With sql: the table to score.")
]
Key = Annotated[
    str,
    typer.Option("--id", metavar="COL", help="With sql: the table's column that names the party."),
]
ModelId = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="MODEL",
        help="Whose calibration gives the odds by score.",
        show_default="the newest model trained against the version",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Where it goes; an existing file is replaced.",
        show_default="standard output",
    ),
]


def export(
    version: Version,
    to: To,
    dialect: OfDialect = None,
    table: Table = "batch",
    key: Key = "party_id",
    model: ModelId = None,
    out: Out = None,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Export a version: the same scores elsewhere, to the last point.

    json    the document with its hash; "versions add" reads it back
    python  one file that needs only Python: python card.py FILE.csv
    sql     one SELECT with score, band, points and reason codes
    pmml    a PMML 4.4 Scorecard, every formula written out
    xlsx    points by attribute, bands, odds by score

    The file names version, content hash and this command; the same
    version gives the same bytes.

    Example:
      chancellor export ml_v2 --to sql --dialect postgres --out card.sql
    """
    from app.services.export_service import ExportRequest  # noqa: PLC0415 - SQLAlchemy

    request = ExportRequest(to=to, dialect=dialect, table=table, key=key, model_id=model)
    output = Output(as_json)
    if to == Form.xlsx and out is None:
        raise InvalidInputError("a workbook goes to a file: name it with --out FILE.xlsx")
    with open_services(actor) as services:
        result = services.exports.export(version, request)
    content: bytes = result.pop("content")
    if out is not None:
        write_whole_bytes(out, content)
        output.show({**result, "path": str(out), "n_bytes": len(content)}, render.exported)
    elif as_json:
        output.show({**result, "content": content.decode()}, render.exported)
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


def points(
    version: Version, model: ModelId = None, as_json: AsJson = False, actor: Actor = None
) -> None:
    """Show what each attribute is worth, and what a score means as odds.

    Points double the odds of good to bad in even steps, where a model was trained
    against this version and so calibrated its score; else there are no odds.

    Example:
      chancellor versions points v1

    Next: chancellor export v1 --to xlsx --out v1.xlsx
    """
    with open_services(actor) as services:
        result = services.exports.tables(version, model)
    Output(as_json).show(result, render.tables)
