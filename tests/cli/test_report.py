"""``chancellor report``: to a file, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command_line import CommandLine


def test_a_paper_goes_to_a_file(
    chancellor: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chancellor("init")
    out = tmp_path / "v1.pdf"
    shown = chancellor("report", "v1", "--to", "pdf", "--out", out).out
    assert "Review dossier of v1 (active)" in shown
    assert out.read_bytes().startswith(b"%PDF-")
    document = chancellor.json("report", "v1", "--to", "pdf", "--out", tmp_path / "again.pdf")
    assert document["n_bytes"] == out.stat().st_size
    assert document["made_by"] == "chancellor report v1 --to pdf"
    assert out.read_bytes() == (tmp_path / "again.pdf").read_bytes()
    monkeypatch.chdir(tmp_path)
    chancellor("report", "v1", "--model-card")
    assert (tmp_path / "v1-model-card.html").read_text().startswith("<!doctype html>")
    assert "There is no version 'v7'" in chancellor("report", "v7", code=5).err
    missing = tmp_path / "no folder" / "v1.html"
    assert "cannot be written" in chancellor("report", "v1", "--out", missing, code=3).err
