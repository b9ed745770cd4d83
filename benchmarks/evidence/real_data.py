"""The four real data sets beside the project, read through the product's own intake and labels."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from app.domain.design_matrix import Sample
from app.domain.validation import Card

SHARED = Path(__file__).resolve().parents[3] / "shared"
ACTOR = "evidence"
WINDOW_DAYS = 1825
FLAGS = {
    "german": ("german/german.csv", "row_id", "creditability", "bad"),
    "hmeq": ("hmeq/hmeq.csv", "@row", "BAD", "1"),
    "taiwan": ("taiwan/taiwan_default.csv.gz", "ID", "default.payment.next.month", "1"),
}
NAMES = (*FLAGS, "sba_case")


@dataclass(frozen=True, slots=True)
class RealData:
    """Hold one labelled data set as training sees it.

    Attributes
    ----------
    sample : Sample
        All labelled rows.
    card : Card
        The expert's card beside the data.
    columns : dict of str to ndarray of shape (n,)
        Every column of the file in the rows of the sample: numbers with NaN, or text with None.
    """

    sample: Sample
    card: Card
    columns: dict[str, np.ndarray]


def is_available() -> bool:
    """Say whether the data are there; they are no part of the project."""
    return (SHARED / "data").is_dir()


@cache
def load(name: str) -> RealData:
    """Import, label and align one of the data sets in a store that is thrown away."""
    with _throwaway_store(), _labelled(name) as db:
        return _read(db)


@contextmanager
def _throwaway_store() -> Iterator[None]:
    with TemporaryDirectory() as folder:
        before = dict(os.environ)
        os.environ["CHANCELLOR_HOME"] = folder
        os.environ.pop("CHANCELLOR_DATABASE_URL", None)
        os.environ.pop("CHANCELLOR_LAKE", None)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


@contextmanager
def _labelled(name: str) -> Iterator[Any]:
    from app.db import open_session  # noqa: PLC0415 - after the settings are in place
    from app.domain.scorecard import load_scorecard  # noqa: PLC0415 - the same
    from app.services.batch_service import BatchService  # noqa: PLC0415 - the same
    from app.services.label_generation_service import LabelGenerationService  # noqa: PLC0415
    from app.services.store import initialise_store  # noqa: PLC0415 - the same

    card = load_scorecard((SHARED / "scorecards" / f"{name}.yaml").read_text(encoding="utf-8"))
    initialise_store(card=card, actor=ACTOR)
    with open_session() as db:
        batches = BatchService(db, actor=ACTOR)
        labels = LabelGenerationService(db, actor=ACTOR)
        if name in FLAGS:
            path, party, flag, bad = FLAGS[name]
            file = SHARED / "data" / path
            batches.import_file(file, batch_id="B", party_id=party, scored_at="2020-01-01")
            _outcomes(db).import_flags(file, batch_id="B", party_id=party, flag=flag, bad=bad)
            labels.generate_labels("B", outcome_type="final_flag")
        else:
            file = SHARED / "data" / "sba_case" / "sba_case.csv"
            party = "LoanNr_ChkDgt"
            batches.import_file(file, batch_id="B", party_id=party, scored_at="ApprovalDate")
            _outcomes(db).import_events(
                file, party_id=party, event_date="ChgOffDate", event_type="write_off",
                through="2014-08-31",
            )  # fmt: skip
            labels.generate_labels("B", observation_window_days=WINDOW_DAYS)
        yield db
        db.rollback()


def _outcomes(db: Any) -> Any:
    from app.services.outcome_service import OutcomeService  # noqa: PLC0415 - as above

    return OutcomeService(db, actor=ACTOR)


def _read(db: Any) -> RealData:
    from app.domain.scorecard import Scorecard  # noqa: PLC0415 - as above
    from app.lake.store import open_lake  # noqa: PLC0415 - as above
    from app.models import Batch, LabelSet, ScorecardVersion  # noqa: PLC0415 - as above
    from app.services.training_sample import read_training_data, training_card  # noqa: PLC0415

    card = Scorecard.from_document(db.query(ScorecardVersion).one().content)
    lake = open_lake()
    data = read_training_data(db, lake, card, db.query(LabelSet).all())
    batch = db.query(Batch).one()
    table = lake.read_table(batch.file_path, batch.file_hash)
    position = {party: row for row, party in enumerate(table["party_id"].to_pylist())}
    rows = np.array([position[party] for party in data.party_id])
    columns = {
        name: np.array(table[name].to_pylist(), dtype=object)[rows]
        for name in table.column_names
        if name not in ("party_id", "scored_at")
    }
    return RealData(data.sample, training_card(card, card), columns)
