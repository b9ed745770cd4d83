"""Dossiers and model cards: what they say, of whom, in which bytes."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from app.db import open_session
from app.domain.scorecard import Scorecard
from app.paper.formulas import FORMULAS
from app.paper.html import formula
from app.paper.parts import Paper, Paragraph
from app.paper.pdf import pdf
from app.services.scorecard_version_service import ScorecardVersionService
from app.services.store import initialise_store
from tests.paper.conftest import Papers
from tests.paper.reading import Page, pdf_pages, sheet_rows, workbook
from tests.support.hostile import COLUMNS, markup

VERSIONS = ("v1", "ml_v2", *(pytest.param(one, marks=pytest.mark.slow) for one in ("v3", "v4")))
DIGITS = 1e-14
"""A workbook keeps sixteen digits of a number."""

SHOWN = ("card name", "band low", "feature a", "why a", "word", "maker", "checker", "comment",
         "approval", "withdrawal of approval", "activation", "role", "validator")  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_markup_stays_text_in_html_and_workbook(hostile: Papers, version: str) -> None:
    for is_card in (False, True):
        page = Page(hostile.write(version, "html", is_card=is_card))
        assert not page.tags & {"script", "img", "iframe", "link", "object", "form"}
        assert not page.handlers
        assert all(address.startswith("#s") for address in page.addresses)
        assert markup("card name") in page.text
        book = workbook(hostile.write(version, "xlsx", is_card=is_card))
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
        assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]
    whole = Page(hostile.write("ml_v2", "html")).text
    assert [what for what in SHOWN if markup(what) not in whole] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_markup_stays_text_in_pdf(hostile: Papers, version: str) -> None:
    content = hostile.write(version, "pdf")
    pages = pdf_pages(content)
    assert markup("card name").replace(" ", "") in pages[0].replace(" ", "")
    assert b"/URI" not in content
    assert b"/JavaScript" not in content
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
        assert hostile.record(version)["version"]["content_hash"][:12] in page


def test_no_letter_keeps_a_pdf_from_being_made() -> None:
    """Keycaps, marks of byte order, control characters: some can be set only alone."""
    says = Paragraph("1\ufe0f\u20e3 \ufeff \x80\x9f\x7f 株 ende")
    paper = Paper(
        kind="Model card", version="v1", card_name="card", status="draft", content_hash="a" * 64,
        as_of="2026-03-31T12:00:00+00:00", command="-", brief=(says,), sections=(),
    )  # fmt: skip
    text = pdf_pages(pdf(paper))[0]
    assert "[U+20E3]" in text
    assert "[U+0080]" in text
    assert "ende" in text


@pytest.mark.slow
def test_another_process_writes_the_same_bytes(hostile: Papers) -> None:
    wanted = [("ml_v2", to, is_card) for to in ("html", "pdf", "xlsx") for is_card in (False, True)]
    program = (
        "import hashlib, sys\n"
        "from app.db import open_session\n"
        "from app.paper.report import PaperRequest, write_paper\n"
        "from app.services.dossier_service import DossierService\n"
        "with open_session() as db:\n"
        "    found = DossierService(db).dossier('ml_v2')\n"
        f"for version, to, is_card in {wanted!r}:\n"
        "    paper = write_paper(found, PaperRequest(to, is_card))\n"
        "    print(hashlib.sha256(paper['content']).hexdigest())\n"
    )
    with hostile.environment():
        there = subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True
        ).stdout.split()
    here = [
        hashlib.sha256(hostile.write(version, to, is_card=is_card)).hexdigest()
        for version, to, is_card in wanted
    ]
    assert there == here


def test_numbers_are_those_of_the_record(hostile: Papers) -> None:
    found = hostile.record("ml_v2")
    book = workbook(hostile.write("ml_v2", "xlsx"))
    metrics = found["model"]["metrics"]
    measured = {row["Measure"]: row for row in sheet_rows(book, "All measures")}
    for key, name in (("auc_roc", "AUC"), ("ks", "KS"), ("log_loss", "Log-loss")):
        assert measured[name]["Model itself"] == pytest.approx(metrics[key], rel=DIGITS)
        assert measured[name]["Refined card"] == pytest.approx(metrics["refined"][key], rel=DIGITS)
        assert measured[name]["v1"] == pytest.approx(metrics["baseline"][key], rel=DIGITS)
    gates = sheet_rows(book, "Gates")
    for row, one in zip(gates, found["version"]["gates"], strict=True):
        assert (row["Gate"], row["Verdict"]) == (one["gate"], one["verdict"])
        assert row["Value"] == pytest.approx(one["value"], rel=DIGITS)
        assert row["Threshold"] == pytest.approx(one["threshold"], rel=DIGITS)
    card = {row["Feature"]: row["Weight"] for row in sheet_rows(book, "Card")}
    features = found["version"]["content"]["features"]
    assert card == {name: one["weight"] for name, one in features.items()}
    (labels,) = sheet_rows(book, "Labels")
    (kept,) = found["label_sets"]
    assert (labels["Good"], labels["Bad"]) == (kept["n_good"], kept["n_bad"])
    hashes = {row["SHA-256"] for row in sheet_rows(book, "Hashes")}
    assert {found["version"][f"{kind}_hash"] for kind in ("content", "evidence", "review")} < hashes
    assert found["model"]["input_hash"] in hashes
    printed = " ".join(pdf_pages(hostile.write("ml_v2", "pdf")))
    for value in (metrics["auc_roc"], metrics["refined"]["auc_roc"], metrics["baseline"]["ks"]):
        assert f"{value:.3f}" in printed


def test_withdrawn_evidence_comes_first_then_standing_advice_and_gates(
    overridden: Papers, withdrawn: Papers
) -> None:
    for to in ("html", "pdf"):
        content = withdrawn.write("ml_v2", to)
        text = Page(content).text if to == "html" else pdf_pages(content)[0]
        text = text.replace("\xa0", " ").lower()
        order = [
            "withdrawn: batch b1",
            "reason: b1: scored with last year's file",
            "active: ml_v2 is the active version",
            "keep: ",
            "despite the advice: ada asked for this draft although the advice was to keep v1",
            "gates: 1 of 9 gates fails: better than the baseline",
            "overridden: ben passed over a failed gate",
            "a pilot of one month",
            "alerts: 1 alert is open. b2: a moved",
        ]
        places = [text.find(words) for words in order]
        assert -1 not in places, (to, order[places.index(-1)], text[:1500])
        assert places == sorted(places)
    assert "Withdrawn:" not in Page(overridden.write("ml_v2", "html")).text


def test_a_rejected_draft_says_so_with_the_reason(hostile: Papers) -> None:
    text = Page(hostile.write("v3", "html")).text
    assert f"Rejected: v3 was rejected by {markup('checker')}" in text
    assert markup("rejection") in text
    assert "no model made it" in text


def test_a_store_without_outcomes_says_what_there_is_not(home: Path) -> None:
    features = {
        f"a_feature_with_a_rather_long_name_{number:02d}": {
            "weight": number + 1, "transform": {"kind": "linear", "worst": 0, "best": 1},
        }
        for number in range(40)
    }  # fmt: skip
    document = {"name": "株式会社, 40 features\x07", "bands": {"low": 300, "high": 600},
                "features": features}  # fmt: skip
    initialise_store(card=Scorecard.from_document(document), actor="ada")
    papers = Papers(home)
    with papers.environment(), open_session() as db:
        card = Scorecard.from_document(document)
        new = card.with_weights({next(iter(features)): 5.0})
        ScorecardVersionService(db, "ada").add_version(new, "Trial\n=1+1")
    for version in ("v1", "v2"):
        text = Page(papers.write(version, "html")).text
        assert "株式会社, 40 features�" in text
        assert "are a person's judgement" in text
        assert "There is no evidence on groups of parties" in text
        printed = " ".join(pdf_pages(papers.write(version, "pdf"))).replace(" ", "")
        assert "[U+682A]" in printed
        assert [name for name in features if name not in printed] == []
        assert len(sheet_rows(workbook(papers.write(version, "xlsx")), "Card")) == 40
    assert "Not available" in Page(papers.write("v2", "html")).text


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_every_formula_is_mathematics_in_html_too(name: str) -> None:
    assert formula(name).count("<math") == 1


def test_no_text_of_a_person_is_a_formula_or_a_name_of_a_sheet(hostile: Papers) -> None:
    names = workbook(hostile.write("ml_v2", "xlsx")).sheetnames
    assert len(names) == len({name.lower() for name in names})
    assert not [name for name in names if any(part in name for part in COLUMNS.values())]


def test_groups_and_monitoring_stand_as_they_were_stored(overridden: Papers) -> None:
    found = overridden.record("ml_v2")
    book = workbook(overridden.write("ml_v2", "xlsx"))
    (column,) = found["evidence"]["fairness"]["columns"]
    kept = [
        (cut["new"]["score"], one["approval_rate"], one["impact_ratio"])
        for cut in column["cut_offs"]
        for one in cut["new"]["groups"]
    ]
    rows = sheet_rows(book, "Groups 1 approval")
    assert len(rows) == len(kept) > 0
    for row, (score, rate, ratio) in zip(rows, kept, strict=True):
        assert row["From score"] == score
        assert row["ml_v2 approved"] == pytest.approx(rate, rel=DIGITS)
        assert row["ml_v2 ratio"] == (None if ratio is None else pytest.approx(ratio, rel=DIGITS))
    (report,) = found["monitoring"]["reports"]
    (line,) = sheet_rows(book, "Monitoring")
    assert (line["Batch"], line["Parties"]) == ("B2", report["n"])
    assert line["PSI"] == pytest.approx(report["score"]["psi"], rel=DIGITS)
    assert line["Furthest feature"] == "a"
    alerts = sheet_rows(book, "Alerts")
    assert [row["What was found"] for row in alerts] == [
        one["sentence"] for one in found["monitoring"]["alerts"]
    ]
    text = Page(overridden.write("ml_v2", "html")).text.replace("\xa0", " ")
    assert report["sentences"][0] in text
    assert column["sentence"] in text
    assert "far <b>east</b>" in text
    assert "A campaign; we look again in May" in text
    assert "part of what an approval is bound to" in text
