"""What ends a run is kept by its place: no value of a party's features goes into any record."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.db import open_session
from app.domain.scorecard import default_card
from app.errors import IntakeError
from app.pipeline.execution import run_pipeline
from app.services.audit_service import AuditService
from app.services.batch_service import BatchService
from app.services.runs import RunService
from app.services.scoring_service import ScoringService
from app.services.store import initialise_store

HIDDEN = "hidden4711"


def _import(folder: Path) -> None:
    initialise_store(actor="ada")
    names = default_card().feature_names
    file = folder / "loans.csv"
    rows = [["party", "scored", *names], ["P1", "2025-01-01", *("1" for _ in names)]]
    file.write_text("\n".join(",".join(row) for row in rows) + "\n", encoding="utf-8")
    with open_session() as db:
        BatchService(db, actor="ada").import_file(
            file, batch_id="B1", party_id="party", scored_at="scored"
        )


_FAULT = {"row": 2, "column": "age", "value": HIDDEN, "problem": f"{HIDDEN!r} is not a number"}


@pytest.mark.parametrize(
    ("raised", "code", "told"),
    [
        (IntakeError("batch B1", [_FAULT], 2), "intake", "row 2, column age\n  ... and 1 more"),
        (ValueError(f"could not convert {HIDDEN!r}"), "unexpected", "ValueError in fail, line"),
    ],
    ids=["a fault of a file", "an error that nobody foresaw"],
)
@pytest.mark.slow
def test_no_value_of_a_party_is_kept_of_a_run_that_failed(
    raised: Exception,
    code: str,
    told: str,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise raised

    _import(tmp_path)
    monkeypatch.setattr(ScoringService, "score_batch", fail)

    document = run_pipeline(batch_ids=["B1"], actor="ada")

    assert (document["status"], document["error"]["code"]) == ("failed", code)
    with open_session() as db:
        run = RunService(db).get_run(document["run_id"])
        events = AuditService(db).list_events()
    assert run["error"] == document["error"]["message"]
    assert told in run["error"]
    kept = [str(document), str(run), str(events), *capfd.readouterr()]
    assert not [text for text in kept if HIDDEN in text]
    lake = home / "lake"
    elsewhere = [path for path in home.rglob("*") if path.is_file() and lake not in path.parents]
    assert any(path.suffix == ".db" for path in elsewhere)
    assert not [path for path in elsewhere if HIDDEN.encode() in path.read_bytes()]
