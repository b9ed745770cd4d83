"""Labels as rows of the database: counted, hashed, written."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.columns import read_columns
from app.domain.outcomes import STATUSES
from app.domain.types import Ints
from app.errors import TamperingError
from app.models import GroundTruthLabel, LabelSet

if TYPE_CHECKING:
    import pyarrow as pa

_CHUNK = 50_000

LABEL_COLUMNS = (
    "party_id",
    "label_value",
    "status",
    "scored_at",
    "observation_end",
    "event_type",
    "event_date",
    "score_at_label",
)


def count_statuses(labels: pa.Table) -> dict[str, int]:
    """Count the parties by status.

    Parameters
    ----------
    labels : pyarrow.Table
        With a column ``status``.

    Returns
    -------
    dict of str to int
        Every status, also one without parties.
    """
    found = {item["values"]: item["counts"] for item in labels["status"].value_counts().to_pylist()}
    return {status: found.get(status, 0) for status in STATUSES}


def hash_labels(labels: pa.Table) -> str:
    """Hash who got which label, whatever the order of the rows.

    Parameters
    ----------
    labels : pyarrow.Table
        With `LABEL_COLUMNS`.

    Returns
    -------
    str
        SHA-256 over party, status and deciding event, by party id, as quoted CSV.
    """
    import pyarrow.csv as pacsv  # noqa: PLC0415 - heavy import

    content = labels.select(["party_id", "status", "event_type", "event_date"])
    written = _HashedBytes()
    options = pacsv.WriteOptions(include_header=False, quoting_style="all_valid")
    pacsv.write_csv(content.sort_by("party_id"), written, options)
    return written.digest.hexdigest()


class _HashedBytes(io.RawIOBase):
    """A file that keeps nothing but the hash of what is written to it."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, given: Any) -> int:
        self.digest.update(given)
        return len(given)


def stored_labels_hash(db: Session, label_set_id: int) -> str:
    """Hash the labels that the database holds now.

    Parameters
    ----------
    db : Session
        The store.
    label_set_id : int
        Whose labels.

    Returns
    -------
    str
        As `hash_labels`: the ``content_hash`` of the label set, unless somebody changed a label.
    """
    return hash_labels(read_stored_labels(db, label_set_id))


def read_stored_labels(db: Session, label_set_id: int) -> pa.Table:
    """Read the labels that the database holds now, column by column.

    Parameters
    ----------
    db : Session
        The store.
    label_set_id : int
        Whose labels.

    Returns
    -------
    pyarrow.Table
        ``party_id``, ``status``, ``event_type``, ``event_date`` and ``label_value``, in no order.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy import

    schema = pa.schema(
        [
            ("party_id", pa.string()),
            ("status", pa.string()),
            ("event_type", pa.string()),
            ("event_date", pa.date32()),
            ("label_value", pa.int64()),
        ]
    )
    columns = (getattr(GroundTruthLabel, name) for name in schema.names)
    wanted = select(*columns).where(GroundTruthLabel.label_set_id == label_set_id)
    return read_columns(db, wanted, schema)


def verified_labels(db: Session, label_set: LabelSet) -> pa.Table:
    """Read the labelled parties of a label set, if its labels are those that were generated.

    Parameters
    ----------
    db : Session
        The store.
    label_set : LabelSet
        Whose labels.

    Returns
    -------
    pyarrow.Table
        ``party_id``, and ``label_value``: 1 bad, 0 good.

    Raises
    ------
    TamperingError
        If somebody changed a label.
    """
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy import

    stored = read_stored_labels(db, label_set.id)
    found = hash_labels(stored)
    if found != label_set.content_hash:
        raise TamperingError(
            f"the labels of label set {label_set.id} ({label_set.batch_id}) are not those that "
            f"were generated: their hash is {found}, recorded is {label_set.content_hash}. Run "
            "`chancellor doctor`.",
            label_set_id=label_set.id,
            recorded=label_set.content_hash,
            found=found,
        )
    labels = stored.select(["party_id", "label_value"])
    return labels.filter(pc.is_valid(labels["label_value"]))


def place_labels(labels: pa.Table, party_id: pa.ChunkedArray) -> tuple[Ints, Ints]:
    """Find the rows of labelled parties.

    Parameters
    ----------
    labels : pyarrow.Table
        As `verified_labels` gives them.
    party_id : pyarrow.ChunkedArray of shape (n,)
        One row per party.

    Returns
    -------
    tuple of ndarray of shape (n_labelled,)
        Positions of the rows, rising, and 1 bad or 0 good.
    """
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy import

    place = pc.index_in(party_id.combine_chunks(), value_set=labels["party_id"].combine_chunks())
    codes = place.fill_null(-1).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(codes >= 0)
    return rows, labels["label_value"].to_numpy()[codes[rows]]


def label_columns(
    labels: pa.Table, *, label_set_id: int, batch_id: str, outcome_type: str
) -> Iterator[list[list[Any]]]:
    """Give the labels as columns of Python values, by party as the index on them is ordered.

    Parameters
    ----------
    labels : pyarrow.Table
        With `LABEL_COLUMNS`.
    label_set_id, batch_id, outcome_type : int, str, str
        The same in every row.

    Yields
    ------
    list of list
        Up to 50,000 rows: values of label_set_id, batch_id, outcome_type, then `LABEL_COLUMNS`.
    """
    for chunk in labels.sort_by("party_id").to_batches(max_chunksize=_CHUNK):
        same = [[value] * chunk.num_rows for value in (label_set_id, batch_id, outcome_type)]
        yield [*same, *(_python_values(column) for column in chunk.columns)]


def _python_values(column: pa.Array) -> list[Any]:
    """Give the values of a column; each different date or time is made only once."""
    import pyarrow as pa  # noqa: PLC0415 - heavy import

    if not pa.types.is_temporal(column.type):
        return list(column.to_pylist())
    coded = column.dictionary_encode()
    moments = [*coded.dictionary.to_pylist(), None]
    return [moments[code] for code in coded.indices.fill_null(-1).to_pylist()]
