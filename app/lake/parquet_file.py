"""One form of Parquet for all files of the lake: the same rows are the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

ROW_GROUP_ROWS = 262_144


def write_parquet(place: Path, table: pa.Table | pa.RecordBatchReader) -> int:
    """Write a table so that the same rows always give the same bytes.

    Parameters
    ----------
    place : Path
        A local file to make.
    table : pyarrow.Table or pyarrow.RecordBatchReader
        What to write; a reader is streamed. Metadata of its schema are left out.

    Returns
    -------
    int
        Rows written.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy import

    schema = table.schema.remove_metadata()
    n_rows = 0
    with pq.ParquetWriter(place, schema, compression="zstd", store_schema=False) as writer:
        for group in _row_groups(table, schema):
            writer.write_table(group, row_group_size=ROW_GROUP_ROWS)
            n_rows += group.num_rows
    return n_rows


def _row_groups(table: pa.Table | pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.Table]:
    """Cut into groups of one size, however the rows arrive: same rows, same bytes."""
    import pyarrow as pa  # noqa: PLC0415 - heavy import

    held: list[pa.RecordBatch] = []
    n_held = 0
    for batch in table.to_batches() if isinstance(table, pa.Table) else table:
        rest = batch.replace_schema_metadata(None)
        while rest.num_rows:
            part = rest.slice(0, ROW_GROUP_ROWS - n_held)
            held.append(part)
            n_held += part.num_rows
            rest = rest.slice(part.num_rows)
            if n_held == ROW_GROUP_ROWS:
                yield pa.Table.from_batches(held, schema).combine_chunks()
                held, n_held = [], 0
    if held:
        yield pa.Table.from_batches(held, schema).combine_chunks()


def read_parquet(place: Path, columns: list[str] | None) -> pa.Table:
    """Read a Parquet file, or some of its columns.

    Parameters
    ----------
    place : Path
        A local file.
    columns : list of str or None
        None is all.

    Returns
    -------
    pyarrow.Table
        In the file's row order.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy import

    with place.open("rb") as file:
        return pq.read_table(file, columns=columns)


def hash_file(path: str | Path) -> str:
    """Give the SHA-256 of a local file's bytes, as 64 hex digits.

    Parameters
    ----------
    path : str or Path
        A local file; it is read in chunks.

    Returns
    -------
    str
        The hash.
    """
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
