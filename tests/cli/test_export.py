"""``chancellor export``: to a file or to the shell, and back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import get_args

from app.api.documents.versions import Dialect as DialectOverHttp
from app.api.documents.versions import ExportForm
from app.cli.commands.exporting import Dialect, Form
from app.domain.exports.sql_dialects import DIALECTS
from app.domain.scorecard import default_card, load_scorecard
from app.services.export_service import FORMATS
from tests.cli.command_line import CommandLine


def test_a_version_goes_to_a_file_and_comes_back(chancellor: CommandLine, tmp_path: Path) -> None:
    chancellor("init")
    out = tmp_path / "card.json"
    shown = chancellor("export", "v1", "--to", "json", "--out", out).out
    assert "v1 (active)" in shown
    assert default_card().content_hash in shown.replace("\n", "")
    assert load_scorecard(out) == default_card()
    printed = chancellor("export", "v1", "--to", "json").out
    assert printed == out.read_text(encoding="utf-8")
    document = chancellor.json("export", "v1", "--to", "json")
    assert document["content"] == printed
    assert document["made_by"] == "chancellor export v1 --to json"


def test_every_face_knows_every_form_and_engine() -> None:
    assert [form.value for form in Form] == list(FORMATS) == list(get_args(ExportForm))
    named = [dialect.value for dialect in Dialect]
    assert named == list(DIALECTS) == list(get_args(DialectOverHttp))


def test_the_python_file_tests_itself(chancellor: CommandLine, tmp_path: Path) -> None:
    chancellor("init")
    out = tmp_path / "card.py"
    document = chancellor.json("export", "v1", "--to", "python", "--out", out)
    assert document["n_bytes"] == out.stat().st_size
    subprocess.run([sys.executable, out, "--self-test"], check=True)


def test_what_cannot_be_exported_says_why(chancellor: CommandLine, tmp_path: Path) -> None:
    chancellor("init")
    assert "'--to'" in chancellor("export", "v1", code=2).err
    assert "belongs to sql" in chancellor(
        "export", "v1", "--to", "json", "--dialect", "spark", code=3
    ).err  # fmt: skip
    assert "There is no version 'v7'" in chancellor("export", "v7", "--to", "sql", code=5).err
    missing = tmp_path / "no folder" / "card.sql"
    assert "cannot be written" in chancellor(
        "export", "v1", "--to", "sql", "--out", missing, code=3
    ).err  # fmt: skip


def test_points_are_shown_and_go_into_a_workbook(chancellor: CommandLine, tmp_path: Path) -> None:
    chancellor("init")
    shown = " ".join(chancellor("versions", "points", "v1").out.split())
    assert "company_age_years at least 10 50.0" in shown
    assert "No model was trained against v1" in shown
    out = tmp_path / "v1.xlsx"
    assert "v1 (active)" in chancellor("export", "v1", "--to", "xlsx", "--out", out).out
    assert out.read_bytes()[:2] == b"PK"
    assert "--out FILE.xlsx" in chancellor("export", "v1", "--to", "xlsx", code=3).err
