"""The dossier of the draft on real data: every page, every sheet, and its numbers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app.services.model_training_service import ModelTrainingService
from app.services.scorecard_version_service import ScorecardVersionService
from tests.acceptance.test_reference_results import labelled_store
from tests.paper.conftest import Papers
from tests.paper.reading import Page, pdf_pages, sheet_rows, workbook

pytestmark = pytest.mark.slow

SECTIONS = (
    "Purpose and scope", "Data and definitions", "Method", "The card and what changes",
    "Validation", "Stability", "Who is affected", "Fairness", "Gates", "Approvals and record",
    "Limits", "Hashes and sources",
)  # fmt: skip


def test_the_dossier_of_the_taiwan_draft(
    home: Path, tmp_path: Path, shared_data: Path, shared_cards: Path
) -> None:
    with labelled_store("taiwan", shared_data, shared_cards) as db:
        model = ModelTrainingService(db, actor="analyst").train_model("B")
        draft = ScorecardVersionService(db, actor="analyst").refine_from_model(model["model_id"])
    papers = Papers(home)
    files = {to: tmp_path / f"dossier.{to}" for to in ("html", "pdf", "xlsx")}
    with papers.environment(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENBLAS_NUM_THREADS", "1")  # sums of the linear algebra must not tell
        for to, file in files.items():
            words = [sys.executable, "-m", "app.cli.main", "report", "ml_v2", "--to", to]
            subprocess.run([*words, "--out", file], check=True, capture_output=True)
    for to, file in files.items():
        assert file.read_bytes() == papers.write("ml_v2", to), to

    pages = pdf_pages(files["pdf"].read_bytes())
    assert 8 <= len(pages) <= 16
    places = [next(n for n, page in enumerate(pages[1:]) if f"{number} {title}" in page)
              for number, title in enumerate(SECTIONS, 1)]  # fmt: skip
    assert places == sorted(places)
    whole = " ".join(pages).replace("\xa0", " ")
    metrics = model["metrics"]
    for said in (
        "ADOPT: the refined card ranks defaults better",
        f"AUC {metrics['refined']['auc_roc']:.3f} against {metrics['baseline']['auc_roc']:.3f}",
        f"Goes {100 * draft['t']:.0f} % of the way",
        "It claims no conformity with any law",
        "What the flag means is not on record",
        draft["content_hash"],
    ):
        assert said in whole, said
    page = Page(files["html"].read_bytes())
    assert page.addresses == {f"#s{number}" for number in range(1, len(SECTIONS) + 1)}
    book = workbook(files["xlsx"].read_bytes())
    weights = {row["Feature"]: row["ml_v2"] for row in sheet_rows(book, "Weights")}
    assert weights == {name: one["new_weight"] for name, one in draft["features"].items()}
    movement = {row["Figure"]: row["Value"] for row in sheet_rows(book, "Movement")}
    final = papers.record("ml_v2")["evidence"]["refinement"]["final"]
    assert movement["Band shift"] == pytest.approx(final["band_shift"], rel=1e-12)
    psi = movement["Population stability index of the score"]
    assert psi == pytest.approx(final["psi"], rel=1e-9)
