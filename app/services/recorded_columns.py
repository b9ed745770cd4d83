"""Read every column of the batches as it was recorded, for the leakage check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from app.domain.design_matrix import draw_rows
from app.domain.leakage import MAX_ROWS, LeakageTable, LeakColumn
from app.domain.types import Ints
from app.lake.store import Lake
from app.models import Batch
from app.services.training_sample import TrainingData

if TYPE_CHECKING:
    import pyarrow as pa

_KEYS = ("party_id", "scored_at")


def read_recorded_columns(
    lake: Lake, batches: Sequence[Batch], data: TrainingData, *, seed: int
) -> LeakageTable:
    """Give all columns that every batch has, in labelled rows.

    Parameters
    ----------
    lake : Lake
        Where the snapshots are; each file's hash is verified.
    batches : sequence of Batch
        The batches of the sample.
    data : TrainingData
        The sample, with the party and batch of each row.
    seed : int
        Seed of the draw.

    Returns
    -------
    LeakageTable
        Columns beside the card too, but none that a batch declares as a group; above 50,000
        labelled rows about so many, drawn by class.

    Raises
    ------
    FileHashError
        If a snapshot is not what was stored.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy import

    kept = draw_rows(data.sample.bad, MAX_ROWS, seed)
    declared = {name for batch in batches for name in batch.group_columns or ()}
    shared = [
        column["name"]
        for column in batches[0].columns
        if column["name"] not in {*_KEYS, *declared}
        and all(column["name"] in {other["name"] for other in batch.columns} for batch in batches)
    ]
    parts, rows = [], []
    for batch in batches:
        of_batch = kept[data.batch_id[kept] == batch.batch_id]
        parts.append(_labelled_rows(lake, batch, shared, data.party_id[of_batch]))
        rows.append(of_batch)
    columns = {
        name: _column(pa.chunked_array([_plain(part[name]) for part in _alike(parts, name)]))
        for name in shared
    }
    return LeakageTable(columns, data.sample.bad[np.concatenate(rows)])


def _labelled_rows(lake: Lake, batch: Batch, names: list[str], parties: np.ndarray) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415 - heavy import
    import pyarrow.compute as pc  # noqa: PLC0415 - the same

    table = lake.read_table(batch.file_path, batch.file_hash, columns=["party_id", *names])
    known = table["party_id"].combine_chunks()
    position = pc.index_in(pa.array(parties.tolist(), pa.string()), value_set=known)
    return table.select(names).take(position)


def _alike(parts: list[pa.Table], name: str) -> list[pa.Table]:
    """Give the parts with this column as text in all, where it is text in some."""
    import pyarrow as pa  # noqa: PLC0415 - heavy import

    is_number = [_is_number(part.schema.field(name).type) for part in parts]
    if all(is_number) or not any(is_number):
        return parts
    at = [part.schema.get_field_index(name) for part in parts]
    return [
        part.set_column(column, name, part[name].cast(pa.string()))
        for part, column in zip(parts, at, strict=True)
    ]


def _is_number(kind: pa.DataType) -> bool:
    import pyarrow as pa  # noqa: PLC0415 - heavy import

    return bool(
        pa.types.is_floating(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
    )


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """Give numbers as float64 and everything else as text."""
    import pyarrow as pa  # noqa: PLC0415 - heavy import

    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    kind = pa.float64() if _is_number(column.type) else pa.string()
    return column.combine_chunks().cast(kind, safe=False)


def _column(column: pa.ChunkedArray) -> LeakColumn:
    import pyarrow as pa  # noqa: PLC0415 - heavy import

    if pa.types.is_floating(column.type):
        return LeakColumn(column.to_numpy().astype(np.float64))
    codes: Ints = column.combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
    return LeakColumn(codes.astype(np.float64), is_text=True)
