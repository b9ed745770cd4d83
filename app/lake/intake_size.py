"""How large a file is once it is unpacked, found without unpacking it into memory."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"
_CHUNK_BYTES = 1 << 20
_CELL_BYTES = 8


def unpacked_bytes(path: Path, stop_at: int) -> int:
    """Count the bytes that a file holds once it is unpacked, in constant memory.

    Parameters
    ----------
    path : Path
        CSV, CSV.gz or Parquet.
    stop_at : int
        Counting a gzip file ends just beyond this: a small file can hold more than any disk.

    Returns
    -------
    int
        Of CSV the bytes of text, of Parquet what its footer says, where each value counts at
        least 8 bytes: a column of one repeated value takes next to nothing in the file. A
        damaged file counts as far as it can be read; reading it names the damage.
    """
    with path.open("rb") as file:
        start = file.read(len(PARQUET))
    if start == PARQUET:
        return _parquet_bytes(path)
    return _gzip_bytes(path, stop_at) if start.startswith(GZIP) else path.stat().st_size


def _gzip_bytes(path: Path, stop_at: int) -> int:
    n_bytes = 0
    try:
        with gzip.open(path, "rb") as file:
            while n_bytes <= stop_at and (chunk := file.read(_CHUNK_BYTES)):
                n_bytes += len(chunk)
    except (OSError, EOFError, zlib.error):
        return n_bytes
    return n_bytes


def _parquet_bytes(path: Path) -> int:
    try:
        with pq.ParquetFile(path) as file:
            footer = file.metadata
            groups = [footer.row_group(at) for at in range(footer.num_row_groups)]
    except (pa.ArrowException, OSError):
        return path.stat().st_size
    n_cells = footer.num_rows * footer.num_columns
    return max(int(n_cells) * _CELL_BYTES, sum(int(group.total_byte_size) for group in groups))
