"""Exported files: what they say of themselves, the same bytes every time, and what is refused."""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import openpyxl
import pytest
import sqlglot
from hypothesis import given
from sqlalchemy.orm import Session
from sqlglot import expressions as exp

from app.db import open_session
from app.domain.exports.json_card import json_card, schema
from app.domain.exports.points_table import points_table
from app.domain.exports.python_card import python_card
from app.domain.exports.sql_card import sql_card
from app.domain.exports.sql_dialects import DIALECTS, exact_in_sqlite
from app.domain.exports.stamp import texts_of
from app.domain.scorecard import Scorecard, default_card, load_scorecard, score_party
from app.errors import DocumentError, InvalidInputError, NotFoundError
from app.models import ModelRegistry
from app.queries.models import require_model
from app.services.batch_service import BatchService
from app.services.export_service import FORMATS, ExportRequest, ExportService
from app.services.export_workbook import workbook
from app.services.label_generation_service import LabelGenerationService
from app.services.model_training_service import ModelTrainingService
from app.services.outcome_service import OutcomeService
from app.services.scorecard_version_service import ScorecardVersionService
from app.services.store import initialise_store
from tests.support.cards import cards
from tests.support.exports import stamp_of
from tests.support.small_portfolio import THROUGH, write_portfolio

ROOT = Path(__file__).resolve().parents[2]
SNAPSHOTS = Path(__file__).parent / "exported_sql"
QUOTED = load_scorecard("""
name: "quotes 'and' \\"more\\" -- \\\\ Größe"
range: {min: 0, max: 100}
bands: {"low 'x'": 0, hoch: 50}
features:
  "a 'b' \\"c\\"":
    {weight: 2, transform: {kind: categories, values: {"it's": 1, "ä\\\\n": 0.5}, other: 0.25}}
  Größe: {weight: 1, missing: 0.5, reason: "zu 'klein'", transform: {kind: log, worst: 1, best: 9}}
  late: {weight: 1, transform: {kind: bins, edges: [1, 2.5], values: [1, 0.1, 0]}}
  age: {weight: 1.1, transform: {kind: linear, worst: 60, best: 20}}
""")


def export(db: Session, to: str, **options: Any) -> bytes:
    return ExportService(db).export("v1", ExportRequest(to, **options))["content"]


@pytest.mark.parametrize(
    "to", [pytest.param(to, marks=pytest.mark.slow) if to == "sql" else to for to in FORMATS]
)
def test_an_export_names_what_it_holds_and_is_the_same_every_time(
    sqlite_db: Session, to: str
) -> None:
    service = ExportService(sqlite_db)
    exported = service.export("v1", ExportRequest(to))
    assert exported["content"] == service.export("v1", ExportRequest(to))["content"]
    if to == "xlsx":
        return  # a test of its own reads it
    text = exported["content"].decode()
    assert default_card().content_hash in text
    assert exported["made_by"] in text
    assert exported["made_by"].startswith(f"chancellor export v1 --to {to}")


def test_what_is_unknown_is_refused_with_what_there_is(sqlite_db: Session) -> None:
    with pytest.raises(InvalidInputError, match="there is: json, python"):
        export(sqlite_db, "cobol")
    with pytest.raises(InvalidInputError, match="there is: duckdb, postgres"):
        export(sqlite_db, "sql", dialect="oracle")
    with pytest.raises(InvalidInputError, match="belongs to sql"):
        export(sqlite_db, "json", dialect="duckdb")
    with pytest.raises(NotFoundError, match="v9"):
        ExportService(sqlite_db).export("v9", ExportRequest("json"))
    with pytest.raises(InvalidInputError, match="is not a name"):
        export(sqlite_db, "sql", table="x\n; drop")
    with pytest.raises(InvalidInputError, match="is called like a result"):
        export(sqlite_db, "sql", key="Score")


@given(cards())
def test_json_reads_back_to_the_same_hash_and_fits_its_schema(card: Scorecard) -> None:
    text = json_card(card, stamp_of(card))
    assert load_scorecard(text).content_hash == card.content_hash
    jsonschema.validate(json.loads(text), schema(), jsonschema.Draft202012Validator)


def test_json_that_was_changed_or_reordered_is_refused() -> None:
    document = json.loads(json_card(QUOTED, stamp_of(QUOTED)))
    features = document["scorecard"]["features"]
    document["scorecard"]["features"] = dict(reversed(features.items()))
    with pytest.raises(DocumentError, match=r"content_hash: is .*something changed, or its order"):
        load_scorecard(json.dumps(document))
    with pytest.raises(DocumentError, match="format_number"):
        load_scorecard(json.dumps({**document, "format_number": 2}))
    with pytest.raises(DocumentError, match="scorecard: is missing"):
        load_scorecard(json.dumps({"format": "chancellor-scorecard", "format_number": 1}))


def test_the_schema_in_the_documentation_is_the_one_in_the_package() -> None:
    published = json.loads((ROOT / "docs" / "scorecard-1.schema.json").read_text(encoding="utf-8"))
    assert published == schema()
    jsonschema.Draft202012Validator.check_schema(published)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"format": "chancellor-scorecard"}, published)


def test_the_python_file_scores_a_csv_with_nothing_but_python(tmp_path: Path) -> None:
    program, rows = tmp_path / "card.py", tmp_path / "rows.csv"
    program.write_text(python_card(QUOTED, stamp_of(QUOTED)), encoding="ascii")
    rows.write_text('"a \'b\' ""c""",Größe,late,age,own\nit\'s,9,0,20,x\n,,,,y\n', encoding="utf-8")
    isolated = [sys.executable, "-I", "-S", str(program)]
    tested = subprocess.run([*isolated, "--self-test"], capture_output=True, text=True, check=True)
    assert tested.stdout.rstrip().endswith("golden cases agree")
    scored = subprocess.run([*isolated, str(rows)], capture_output=True, check=True)
    lines = scored.stdout.decode().splitlines()
    assert lines[1].startswith("it's,9,0,20,x,100,100.0,hoch,")
    nothing = score_party(QUOTED, {})
    assert f",y,{nothing.score},{nothing.unrounded_score!r},low 'x'," in lines[2]
    rows.write_text('"a \'b\' ""c""",Größe,late,age\nit\'s,many,0,20\n', encoding="utf-8")
    failed = subprocess.run([*isolated, str(rows)], capture_output=True, text=True, check=False)
    assert failed.returncode == 3
    assert "line 2, Größe: 'many' is not a number" in failed.stderr


def test_a_golden_case_that_differs_is_found(tmp_path: Path) -> None:
    program = tmp_path / "card.py"
    source = python_card(QUOTED, stamp_of(QUOTED))
    program.write_text(source.replace("floor(unrounded + 0.5", "floor(unrounded + 0.6"), "ascii")
    run = [sys.executable, str(program), "--self-test"]
    assert subprocess.run(run, capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize("dialect", ["snowflake", "bigquery", "tsql"])
def test_sql_that_cannot_be_run_here_is_parsed_and_kept(dialect: str) -> None:
    query = sql_card(QUOTED, stamp_of(QUOTED), DIALECTS[dialect])
    parsed = sqlglot.parse(query, read=DIALECTS[dialect].sqlglot)
    assert len(parsed) == 1
    assert isinstance(parsed[0], exp.Select)
    assert len(parsed[0].expressions) == 1 + 8 + len(QUOTED.features)
    said = {literal.this for literal in parsed[0].find_all(exp.Literal) if literal.is_string}
    said |= {literal.this for literal in parsed[0].find_all(exp.National)}
    categories = {text for place, text in texts_of(QUOTED) if place.endswith("values")}
    assert categories | set(QUOTED.feature_names) | set(QUOTED.bands) <= said
    snapshot = SNAPSHOTS / f"{dialect}.sql"
    assert query == snapshot.read_text(encoding="utf-8"), "if the change is meant, write it anew"


def test_a_table_may_stand_in_a_schema() -> None:
    query = sql_card(QUOTED, stamp_of(QUOTED), DIALECTS["duckdb"], table="risk.loans", key="no")
    columns = ", ".join('"' + name.replace('"', '""') + '" VARCHAR' for name in QUOTED.features)
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA risk")
        connection.execute(f"CREATE TABLE risk.loans (no INTEGER, {columns})")
        connection.execute("INSERT INTO risk.loans (no) VALUES (7)")
        row = connection.execute(query).fetchone()
    assert row is not None
    assert row[:2] == (7, score_party(QUOTED, {}).score)
    assert '"risk"."loans"' in query
    with pytest.raises(InvalidInputError, match="more than 3 parts"):
        sql_card(QUOTED, stamp_of(QUOTED), DIALECTS["duckdb"], table="a.b.c.d")


@pytest.mark.slow
def test_sql_grows_no_faster_than_the_card() -> None:
    feature = {"weight": 1, "transform": {"kind": "linear", "worst": 0, "best": 1}}
    card = Scorecard.from_document(
        {"name": "x", "bands": {"a": 300}, "features": {f"f{k}": feature for k in range(20)}}
    )
    # T-SQL in particular: Ibis writes a sum of two texts with both of them twice
    assert len(sql_card(card, stamp_of(card), DIALECTS["tsql"])) < 100_000


def test_what_an_engine_cannot_hold_is_refused() -> None:
    def card(name: str = "x", weight: float = 1.0) -> Scorecard:
        feature = {"weight": weight, "transform": {"kind": "linear", "worst": 0, "best": 1}}
        features = {name: feature, "y": {**feature, "weight": 1}}
        return Scorecard.from_document({"name": "x", "bands": {"a": 300}, "features": features})

    def refused(card: Scorecard, dialect: str, why: str) -> None:
        with pytest.raises(InvalidInputError, match=why):
            sql_card(card, stamp_of(card), DIALECTS[dialect])

    refused(card("a" * 60), "postgres", "has 67 bytes, postgres holds 63")
    refused(card("a\0b"), "duckdb", "a character that SQL cannot hold")
    refused(card(weight=1e-200), "postgres", "cannot multiply by a weight of 1e-200")


def test_sqlite_is_told_every_double_exactly() -> None:
    import sqlite3  # noqa: PLC0415 - only here

    import numpy as np  # noqa: PLC0415 - only here

    random = np.random.default_rng(1)
    values = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -1e-300, 2.0**62, 0.0, 123456.789]
    bits = random.integers(0, 2**63, 500, dtype=np.int64).view(np.float64)
    values += [float(value) for value in bits if np.isfinite(value)]
    with sqlite3.connect(":memory:") as connection:
        read = [connection.execute(f"SELECT {exact_in_sqlite(v)}").fetchone()[0] for v in values]
    assert read == values


def test_points_by_attribute_are_what_single_parties_are_given() -> None:
    rows = points_table(QUOTED)
    by_place = {(row["feature"], row["attribute"]): row["points"] for row in rows}

    def given(feature: str, value: Any) -> float:
        return score_party(QUOTED, {feature: value}).contributions[feature]

    category = QUOTED.feature_names[0]
    assert by_place[category, "it's"] == given(category, "it's")
    assert by_place[category, "any other"] == given(category, "unseen")
    assert by_place["Größe", "missing"] == given("Größe", None)
    assert by_place["late", "1 to below 2.5"] == given("late", 2.4)
    assert by_place["late", "at least 2.5"] == given("late", 2.5)
    assert by_place["age", "at least 60"] == given("age", 70) == 0.0
    assert by_place["age", "30"] == pytest.approx(given("age", 30))
    middle = math.sqrt((1 + 1) * (1 + 9)) - 1  # half of the way from ln(2) to ln(10)
    assert by_place["Größe", f"{middle:.6g}"] == pytest.approx(given("Größe", middle))


def test_a_workbook_is_read_back_and_runs_no_formula(sqlite_db: Session) -> None:
    document = QUOTED.to_document()
    late = document["features"].pop("late")
    document["features"]["=1+1"] = {**late, "reason": '=HYPERLINK("x")'}
    card = Scorecard.from_document({**document, "name": "@SUM(A1)"})
    stamp = stamp_of(card)
    tables = {"points": points_table(card), "odds": None, "why_no_odds": "=none"}
    content = workbook(card, stamp, tables)
    assert content == workbook(card, stamp, tables)
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["Version", "Features", "Points", "Bands", "Score to odds"]
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    values = [cell.value for cell in cells]
    for text in ("@SUM(A1)", "=1+1", '=HYPERLINK("x")', "=none", card.content_hash, stamp.command):
        assert text in values
    shown = [[cell.value for cell in row] for row in book["Points"].iter_rows(min_row=2)]
    written = pytest.approx([row["points"] for row in tables["points"]], rel=1e-14)
    assert [row[4] for row in shown] == written
    bands = [[cell.value for cell in row] for row in book["Bands"].iter_rows(min_row=2)]
    assert bands == [["low 'x'", 0, 49], ["hoch", 50, 100]]


def test_without_a_model_there_are_no_odds(sqlite_db: Session) -> None:
    tables = ExportService(sqlite_db).tables("v1")
    assert tables["odds"] is None
    assert "odds would be invented" in tables["why_no_odds"]


@pytest.mark.slow
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_odds_are_those_of_the_model_that_calibrated_the_version(
    store_url: str, tmp_path: Path
) -> None:
    files = write_portfolio(tmp_path / "files")
    card = load_scorecard(files.card)
    initialise_store(card=card, actor="ada")
    with open_session(store_url) as db:
        BatchService(db, "ada").import_file(
            files.batch, batch_id="B1", party_id="party", scored_at="scored"
        )
        events = {"party_id": "party", "event_date": "written_off", "event_type": "write_off"}
        OutcomeService(db, "ada").import_events(files.outcomes, **events, through=THROUGH)
        LabelGenerationService(db, "ada").generate_labels("B1")
        row = require_model(db, ModelTrainingService(db, "ada").train_model("B1")["model_id"])
        check_odds(db, card, row)
        draft = ScorecardVersionService(db, "ada").refine_from_model(row.id)["version"]
        service = ExportService(db)
        assert service.tables(draft)["odds"] is None
        with pytest.raises(InvalidInputError, match="was trained against v1"):
            service.tables(draft, row.id)


def check_odds(db: Session, card: Scorecard, row: ModelRegistry) -> None:
    odds = ExportService(db).tables("v1")["odds"]
    assert odds["model_id"] == row.id
    for name in ("n_labelled", "n_bad"):
        assert odds[name] == row.validation[name] > 0
    # the log-odds of the model's own calibration, by the weighted goodness of each score
    a, s = row.parameters["expert_intercept"], row.parameters["expert_slope"]
    for line in odds["scores"]:
        share = (line["score"] - card.range.min) / (card.range.max - card.range.min)
        log_odds = a - s * card.total_weight * share
        assert line["default_rate"] == pytest.approx(1 / (1 + math.exp(-log_odds)))
        assert line["odds"] == pytest.approx((1 - line["default_rate"]) / line["default_rate"])
    exported = ExportService(db).export("v1", ExportRequest("xlsx"))
    assert exported["made_by"].endswith(f"--model {row.id}")
    again = ExportService(db).export("v1", ExportRequest("xlsx", model_id=row.id))
    assert again["content"] == exported["content"]
    sheet = openpyxl.load_workbook(io.BytesIO(exported["content"]))["Score to odds"]
    assert sheet.max_row == 1 + len(odds["scores"]) + 4
    with pytest.raises(NotFoundError):
        ExportService(db).tables("v1", "m-none")
