"""Write Parquet files once, verify their hash at each reading, list what is there."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from app.errors import FileHashError, NotFoundError, UnavailableError
from app.lake.file_cache import FileCache
from app.lake.object_storage import Storage, StoredObject
from app.lake.parquet_file import hash_file, read_parquet, write_parquet
from app.lake.parts import (
    ENDING,
    LakeFile,
    StoredFile,
    is_manifest,
    manifest_text,
    read_manifest,
    unfinished_parts,
)
from app.settings import get_settings

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["batches", "scores", "outcomes", "exposures", "validation"]
KINDS: tuple[Kind, ...] = ("batches", "scores", "outcomes", "exposures", "validation")
TEMPORARY = ".writing-"


class Lake:
    """Keep Parquet files under one URL; nothing in it is ever changed.

    Files of an object store are read from verified local copies: ``CHANCELLOR_LAKE_CACHE``.

    Parameters
    ----------
    url : str
        A folder, or a URL of an object store such as ``s3://bucket/prefix``.
    """

    def __init__(self, url: str) -> None:
        settings = get_settings()
        self.url = url
        self._storage = Storage(url)
        self._cache = FileCache(settings.lake_cache, settings.lake_cache_bytes)
        self.is_local = self._storage.is_local

    def place_of(self, path: str) -> str:
        """Give the full place of a relative path, as its file system names it."""
        return self._storage.place_of(path)

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
                n_rows = write_parquet(scratch, table)
                sha256 = hash_file(scratch)
                path = f"{kind}/{sha256}.parquet"
                self._publish(scratch, path, sha256)
        except OSError as error:
            raise UnavailableError(
                f"the lake at {self.url} cannot be written: {error}", lake=self.url
            ) from error
        return StoredFile(path, sha256, n_rows)

    @contextmanager
    def _scratch_file(self, kind: str) -> Iterator[Path]:
        """Give a file to write: inside a local lake, so that the rename is atomic."""
        if not self.is_local:
            with self._cache.scratch_file() as scratch:
                yield scratch
            return
        folder = Path(self.place_of(kind))
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
        if self._storage.find(path) is not None:
            self._verify_file(path, sha256)
        if not self.is_local:
            self._upload(scratch, path, sha256)
            return
        place = self.place_of(path)
        with scratch.open("rb") as file:
            os.fsync(file.fileno())
        scratch.replace(place)
        folder = os.open(Path(place).parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _upload(self, scratch: Path, path: str, sha256: str) -> None:
        folder = path.rsplit("/", 1)[0]
        self._storage.upload(scratch, path, f"{folder}/{TEMPORARY}{uuid.uuid4().hex}")
        found = self._storage.find(path)
        if found is not None:
            self._cache.keep(scratch, _copy_name(sha256, found))

    def verify(self, path: str, sha256: str) -> None:
        """Check that a table is there and every file of it has the hash that was recorded for it.

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
        for part, recorded in self.files_of(path, sha256):
            self._verify_file(part, recorded)

    def _verify_file(self, path: str, sha256: str) -> None:
        self._require(path)
        found = (
            hash_file(self.place_of(path)) if self.is_local else self._storage.download(path, None)
        )
        if found != sha256:
            raise self._changed(path, sha256, found)

    def parts_of(self, path: str, sha256: str) -> tuple[tuple[str, str], ...]:
        """Give the Parquet files of a table, with path and hash, in the order of the rows.

        Parameters
        ----------
        path, sha256 : str
            As recorded: one file, or a manifest, which is verified.

        Raises
        ------
        NotFoundError, FileHashError
            If the manifest is gone or changed.
        """
        if not is_manifest(path):
            return ((path, sha256),)
        text = self.local_file(path, sha256).read_text(encoding="utf-8")
        return tuple((part.path, part.sha256) for part in read_manifest(text, path))

    def files_of(self, path: str, sha256: str) -> tuple[tuple[str, str], ...]:
        """Give every file that a recorded one needs: `parts_of`, and the manifest before them."""
        parts = self.parts_of(path, sha256)
        return ((path, sha256), *parts) if is_manifest(path) else parts

    def adopt_parts(self, kind: Kind, written: Sequence[Path]) -> StoredFile:
        """Put Parquet files into the lake under the names of their hashes, then their manifest.

        Parameters
        ----------
        kind : {"batches", "scores", "outcomes", "exposures", "validation"}
            Folder of the lake.
        written : sequence of Path
            Local files, at least one, in the order of the rows; they are moved.

        Returns
        -------
        StoredFile
            The manifest. Until it is there, nothing names the parts.
        """
        import pyarrow.parquet as pq  # noqa: PLC0415 - heavy import

        parts = []
        for file in written:
            n_rows, sha256 = pq.read_metadata(file).num_rows, hash_file(file)
            parts.append(StoredFile(f"{kind}/{sha256}.parquet", sha256, n_rows))
            self._publish(file, parts[-1].path, sha256)
        with self._scratch_file(kind) as scratch:
            scratch.write_text(manifest_text(parts), encoding="utf-8")
            sha256 = hash_file(scratch)
            path = f"{kind}/{sha256}{ENDING}"
            self._publish(scratch, path, sha256)
        return StoredFile(path, sha256, sum(part.n_rows for part in parts))

    def _require(self, path: str) -> StoredObject:
        found = self._storage.find(path)
        if found is None:
            raise NotFoundError(
                f"{self.place_of(path)} is gone: bring it back from a backup, chancellor doctor "
                "lists what is missing",
                path=path,
            )
        return found

    def _changed(self, path: str, sha256: str, found: str) -> FileHashError:
        return FileHashError(
            f"{self.place_of(path)} was changed: its hash is {found}, recorded is {sha256}. "
            "Bring the file back from a backup; nothing is computed from it as it is.",
            path=path,
            recorded=sha256,
            found=found,
        )

    def local_file(self, path: str, sha256: str) -> Path:
        """Give a local file with the recorded bytes, its hash verified now.

        A copy of an object is taken again when the object's size or time is another.

        Parameters
        ----------
        path, sha256 : str
            As recorded.

        Returns
        -------
        Path
            The file itself where the lake is a folder, else a copy; to be read, never written.

        Raises
        ------
        NotFoundError, FileHashError
            If the file is gone or changed.
        UnavailableError
            If the object store does not answer.
        """
        if self.is_local:
            self._verify_file(path, sha256)
            return Path(self.place_of(path))
        name = _copy_name(sha256, self._require(path))
        copy = self._cache.find(name)
        if copy is not None and hash_file(copy) == sha256:
            return copy
        return self._cache.fetch(name, lambda scratch: self._take(path, sha256, scratch))

    def _take(self, path: str, sha256: str, target: Path) -> None:
        found = self._storage.download(path, target)
        if found != sha256:
            raise self._changed(path, sha256, found)

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
        import pyarrow as pa  # noqa: PLC0415 - heavy import

        wanted = None if columns is None else list(columns)
        places = [self.local_file(*part) for part in self.parts_of(path, sha256)]
        return pa.concat_tables([read_parquet(place, wanted) for place in places])

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
            Read lazily from `local_file`.

        Raises
        ------
        NotFoundError, FileHashError
            If the file is gone or changed.
        """
        places = [str(self.local_file(*part)) for part in self.parts_of(path, sha256)]
        return connection.read_parquet(places if places[1:] else places[0])

    def require_there(self) -> None:
        """Refuse to go on where the lake is not: its folder or bucket must answer.

        Raises
        ------
        UnavailableError
            If it does not.
        """
        try:
            found = self._storage.is_there()
        except OSError as error:
            raise UnavailableError(f"the lake does not answer: {error}", lake=self.url) from error
        if not found:
            raise UnavailableError(f"there is no lake at {self.url}", lake=self.url)

    def list_files(self) -> tuple[LakeFile, ...]:
        """List every file of the lake, by path, unfinished writes included."""
        found = [
            LakeFile(f"{kind}/{file.name}", file.n_bytes, file.modified_at)
            for kind in KINDS
            for file in self._storage.list_folder(kind)
        ]
        if self.is_local:
            found += unfinished_parts(Path(self.place_of("")), TEMPORARY, KINDS)
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
        self._require(path)
        try:
            self._take(path, sha256, target)
        except BaseException:
            target.unlink(missing_ok=True)
            raise

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
        with self._scratch_file(path.rsplit("/", 1)[0]) as scratch:
            shutil.copyfile(source, scratch)
            self._publish(scratch, path, sha256)
        self._verify_file(path, sha256)

    def remove_orphan(self, path: str) -> None:
        """Remove a file that no row names; the caller has checked that."""
        self._storage.remove(path)


def open_lake(url: str | None = None) -> Lake:
    """Open the lake at a URL, by default the one of the settings."""
    return Lake(url or get_settings().lake_url)


def _copy_name(sha256: str, found: StoredObject) -> str:
    """Name a local copy by the hash, and by what tells that the object is still the same."""
    moment = 0.0 if found.modified_at is None else found.modified_at.timestamp()
    return f"{sha256}.{found.n_bytes}.{moment:.6f}"
