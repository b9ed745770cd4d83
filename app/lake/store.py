"""Write Parquet files once, verify their hash at each reading, list what is there."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from app.errors import FileHashError, NotFoundError, UnavailableError
from app.settings import get_settings

if TYPE_CHECKING:
    import pyarrow as pa
    from fsspec import AbstractFileSystem

Kind = Literal["batches", "scores", "outcomes", "exposures", "validation"]
KINDS: tuple[Kind, ...] = ("batches", "scores", "outcomes", "exposures", "validation")
ROW_GROUP_ROWS = 262_144
TEMPORARY = ".writing-"
_TIMES = ("mtime", "LastModified", "last_modified", "updated", "created")
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Name one written file.

    Attributes
    ----------
    path : str
        Relative to the lake, for example ``batches/<hash>.parquet``.
    sha256 : str
        Over the file's bytes, 64 hex digits.
    n_rows : int
        Rows.
    """

    path: str
    sha256: str
    n_rows: int


@dataclass(frozen=True, slots=True)
class LakeFile:
    """Describe one file found in the lake, whether a row names it or not."""

    path: str
    n_bytes: int
    modified_at: datetime | None


class Lake:
    """Keep Parquet files under one URL; nothing in it is ever changed.

    Parameters
    ----------
    url : str
        A directory, or any URL that fsspec knows.
    """

    def __init__(self, url: str) -> None:
        from fsspec.core import url_to_fs  # noqa: PLC0415 - heavy import
        from fsspec.implementations.local import LocalFileSystem  # noqa: PLC0415 - the same

        self.url = url
        found: tuple[AbstractFileSystem, str] = url_to_fs(url)
        self._fs, self._root = found
        self.is_local = isinstance(self._fs, LocalFileSystem)

    def place_of(self, path: str) -> str:
        """Give the full place of a relative path, as the file system names it."""
        return f"{self._root.rstrip('/')}/{path}"

    def write_table(self, kind: Kind, table: pa.Table | pa.RecordBatchReader) -> StoredFile:
        """Write a table once; the same table gives the same bytes and so the same file.

        Parameters
        ----------
        kind : {"batches", "scores", "outcomes", "exposures", "validation"}
            Folder of the lake.
        table : pyarrow.Table or pyarrow.RecordBatchReader
            What to write; a reader is streamed.

        Returns
        -------
        StoredFile
            Path, hash and rows. No partial file is ever visible under the path.

        Raises
        ------
        UnavailableError
            If the lake cannot be written.
        FileHashError
            If a file of this name is there already and has other bytes.
        """
        try:
            with self._scratch_file(kind) as scratch:
                n_rows = _write_parquet(scratch, table)
                sha256 = hash_file(scratch)
                path = f"{kind}/{sha256}.parquet"
                self._publish(scratch, path, sha256)
        except OSError as error:
            raise UnavailableError(
                f"the lake at {self.url} cannot be written: {error}", lake=self.url
            ) from error
        return StoredFile(path, sha256, n_rows)

    @contextmanager
    def _scratch_file(self, kind: Kind) -> Iterator[Path]:
        """Give a file to write: inside a local lake, so that the rename is atomic."""
        folder = Path(self.place_of(kind)) if self.is_local else Path(tempfile.gettempdir())
        folder.mkdir(parents=True, exist_ok=True)
        scratch = folder / f"{TEMPORARY}{uuid.uuid4().hex}"
        try:
            yield scratch
        finally:
            scratch.unlink(missing_ok=True)

    def _publish(self, scratch: Path, path: str, sha256: str) -> None:
        """Show the file under its name, whole; one that is there gets a new time only.

        The new time tells ``chancellor doctor`` that an import under way counts on the file.
        """
        place = self.place_of(path)
        if self._fs.exists(place):
            self.verify(path, sha256)
        if not self.is_local:
            self._fs.put_file(str(scratch), place)
            return
        with scratch.open("rb") as file:
            os.fsync(file.fileno())
        scratch.replace(place)
        folder = os.open(Path(place).parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def verify(self, path: str, sha256: str) -> None:
        """Check that a file is there and has the hash that was recorded for it.

        Parameters
        ----------
        path, sha256 : str
            As recorded.

        Raises
        ------
        NotFoundError
            If the file is gone.
        FileHashError
            If its bytes changed; the message names the file and both hashes.
        """
        place = self.place_of(path)
        if not self._fs.exists(place):
            raise NotFoundError(
                f"{place} is gone: bring it back from a backup, chancellor doctor lists what is "
                "missing",
                path=path,
            )
        digest = hashlib.sha256()
        with self._fs.open(place, "rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
        if digest.hexdigest() != sha256:
            raise FileHashError(
                f"{place} was changed: its hash is {digest.hexdigest()}, recorded is {sha256}. "
                "Bring the file back from a backup; nothing is computed from it as it is.",
                path=path,
                recorded=sha256,
                found=digest.hexdigest(),
            )

    def read_table(self, path: str, sha256: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Read a file after verifying its hash.

        Parameters
        ----------
        path, sha256 : str
            As recorded.
        columns : sequence of str, optional
            Only these columns; by default all.

        Returns
        -------
        pyarrow.Table
            In the file's row order.

        Raises
        ------
        NotFoundError, FileHashError
            If the file is gone or changed.
        """
        import pyarrow.parquet as pq  # noqa: PLC0415 - heavy import

        self.verify(path, sha256)
        wanted = None if columns is None else list(columns)
        with self._fs.open(self.place_of(path), "rb") as file:
            return pq.read_table(file, columns=wanted)

    def open_ibis(self, connection: Any, path: str, sha256: str) -> Any:
        """Open a verified file as an Ibis table.

        Parameters
        ----------
        connection : ibis.BaseBackend
            From ``app.lake.engine.connect``.
        path, sha256 : str
            As recorded.

        Returns
        -------
        ibis.Table
            Read lazily where the lake is local, from memory elsewhere.

        Raises
        ------
        NotFoundError, FileHashError
            If the file is gone or changed.
        """
        if not self.is_local:
            return connection.create_table(f"t{uuid.uuid4().hex}", self.read_table(path, sha256))
        self.verify(path, sha256)
        return connection.read_parquet(self.place_of(path))

    def require_there(self) -> None:
        """Refuse to go on where the lake is not: its root must answer.

        Raises
        ------
        UnavailableError
            If it does not.
        """
        try:
            self._fs.invalidate_cache()
            found = self._fs.isdir(self._root)
        except OSError as error:
            raise UnavailableError(f"the lake does not answer: {error}", lake=self.url) from error
        if not found:
            raise UnavailableError(f"there is no lake at {self.url}", lake=self.url)

    def list_files(self) -> tuple[LakeFile, ...]:
        """List every file of the lake, by path, unfinished writes included."""
        self._fs.invalidate_cache()
        found = []
        for kind in KINDS:
            folder = self.place_of(kind)
            if not self._fs.isdir(folder):
                continue
            for entry in self._fs.ls(folder, detail=True):
                name = str(entry["name"]).rsplit("/", 1)[-1]
                if entry["type"] == "file" and name:
                    path = f"{kind}/{name}"
                    found.append(LakeFile(path, int(entry["size"] or 0), _modified_at(entry)))
        return tuple(sorted(found, key=lambda file: file.path))

    def copy_out(self, path: str, sha256: str, target: Path) -> None:
        """Copy a file out of the lake, unless it is not what was recorded.

        Parameters
        ----------
        path, sha256 : str
            As recorded.
        target : Path
            A local file to make.

        Raises
        ------
        NotFoundError, FileHashError
            If the file is gone or changed.
        """
        self.verify(path, sha256)
        self._fs.get_file(self.place_of(path), str(target))
        if hash_file(target) != sha256:
            raise FileHashError(f"{target} is not what {self.place_of(path)} holds", path=path)

    def put_back(self, path: str, sha256: str, source: Path) -> None:
        """Put a file into the lake under the name that a row has for it.

        Parameters
        ----------
        path, sha256 : str
            As recorded.
        source : Path
            A local file with these bytes; one that is there already is kept.

        Raises
        ------
        FileHashError
            If a file of this name is there and has other bytes.
        """
        folder = Path(self.place_of(path)).parent if self.is_local else Path(tempfile.gettempdir())
        folder.mkdir(parents=True, exist_ok=True)
        scratch = folder / f"{TEMPORARY}{uuid.uuid4().hex}"
        try:
            shutil.copyfile(source, scratch)
            self._publish(scratch, path, sha256)
        finally:
            scratch.unlink(missing_ok=True)
        self.verify(path, sha256)

    def remove_orphan(self, path: str) -> None:
        """Remove a file that no row names; the caller has checked that."""
        self._fs.rm_file(self.place_of(path))


def open_lake(url: str | None = None) -> Lake:
    """Open the lake at a URL, by default the one of the settings."""
    return Lake(url or get_settings().lake_url)


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


def _modified_at(entry: dict[str, Any]) -> datetime | None:
    """Find when a file was written; each file system names and writes the time its own way."""
    moment = next((entry[name] for name in _TIMES if entry.get(name) is not None), None)
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if isinstance(moment, datetime):
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return None if moment is None else datetime.fromtimestamp(float(moment), UTC)


def _write_parquet(place: Path, table: pa.Table | pa.RecordBatchReader) -> int:
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
