"""File systems through pyarrow: a folder or an object store; a file is visible only when whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from app.errors import InvalidInputError, UnavailableError
from app.settings import get_settings

_T = TypeVar("_T")

SCHEMES = ("s3", "gs", "gcs", "abfs", "abfss")
LARGEST_COPY_BYTES = 5 << 30
"""S3 copies no larger object in one request."""
_CHUNK_BYTES = 16 << 20
_FLUSH_BYTES = 64 << 20
_CONNECT_SECONDS = 5.0
_TIMES_FROM_THE_START = 2
_NO_CREDENTIALS = ("ACCESS_DENIED", "INVALID_ACCESS_KEY", "SIGNATURE", "INVALID_CLIENT_TOKEN",
                   "EXPIRED", "HTTP status 401", "HTTP status 403")  # fmt: skip


@dataclass(frozen=True, slots=True)
class StoredObject:
    """Describe one file as its file system does.

    Attributes
    ----------
    name : str
        The last part of its path.
    n_bytes : int
        Size.
    modified_at : datetime or None
        UTC; None where the file system does not say.
    """

    name: str
    n_bytes: int
    modified_at: datetime | None


class Storage:
    """Read, write and list the files under one URL.

    The calls to an object store are tried again by the store's own client, as often as
    ``CHANCELLOR_LAKE_ATTEMPTS`` says: dropped connections, 5xx, throttling. An upload or download
    that failed all the same, or ended with another size than it should, begins once more.

    Parameters
    ----------
    url : str
        A folder, or a URL of `SCHEMES` or ``file``.

    Raises
    ------
    InvalidInputError
        If the URL is of another kind, or carries credentials.
    """

    def __init__(self, url: str) -> None:
        settings = get_settings()
        self.url = url.rstrip("/")
        self.is_local = "://" not in url or url.startswith("file://")
        self.endpoint = _endpoint() if url.startswith("s3:") else ""
        self.fs, self.root = _connect(
            self.url, self.endpoint, _region(), settings.lake_attempts, settings.lake_seconds
        )

    def place_of(self, path: str) -> str:
        """Give the full place of a relative path, as people name it."""
        return f"{self.root if self.is_local else self.url}/{path}"

    def find(self, path: str) -> StoredObject | None:
        """Describe a file; None where there is none.

        Parameters
        ----------
        path : str
            Relative.

        Returns
        -------
        StoredObject or None
            What the file system knows of it.

        Raises
        ------
        UnavailableError
            If the store does not answer.
        """
        from pyarrow.fs import FileType  # noqa: PLC0415 - heavy import

        info = self._asked(lambda: self.fs.get_file_info(self._key(path)))
        return _described(info) if info.type == FileType.File else None

    def list_folder(self, folder: str) -> tuple[StoredObject, ...]:
        """List the files right under a folder; none where there is no such folder.

        Parameters
        ----------
        folder : str
            Relative.

        Returns
        -------
        tuple of StoredObject
            Folders are left out.

        Raises
        ------
        UnavailableError
            If the store does not answer.
        """
        from pyarrow.fs import FileSelector, FileType  # noqa: PLC0415 - heavy import

        selector = FileSelector(self._key(folder), allow_not_found=True)
        found = self._asked(lambda: self.fs.get_file_info(selector))
        return tuple(_described(info) for info in found if info.type == FileType.File)

    def is_there(self) -> bool:
        """Say whether the folder, or the bucket, exists; an empty prefix of a bucket does."""
        from pyarrow.fs import FileType  # noqa: PLC0415 - heavy import

        place = self.root if self.is_local else self.root.split("/", 1)[0]
        return bool(self._asked(lambda: self.fs.get_file_info(place)).type == FileType.Directory)

    def upload(self, source: Path, path: str, scratch: str) -> None:
        """Put a local file into an object store: under a scratch name, then copied by the store.

        A stream that pyarrow closes, also while an exception passes or when the garbage collector
        finds it, completes its upload with what was written so far. So no stream is ever opened
        under the final name: the store copies the scratch object there in one request, after its
        size was compared.

        Parameters
        ----------
        source : Path
            A local file.
        path, scratch : str
            Relative: the final name, and one that readers do not know.

        Raises
        ------
        UnavailableError
            If the store does not take it; nothing new is visible under `path` then.
        """
        n_bytes = source.stat().st_size
        if n_bytes > LARGEST_COPY_BYTES:
            raise UnavailableError(
                f"{self.place_of(path)} would have {n_bytes:,} bytes; an object store takes files "
                f"of up to {LARGEST_COPY_BYTES:,}: import smaller batches",
                lake=self.url,
            )

        def put() -> None:
            self._write(source, scratch)
            self._require_size(scratch, n_bytes)
            self.fs.copy_file(self._key(scratch), self._key(path))

        try:
            self._asked(put, times=_TIMES_FROM_THE_START)
        finally:
            self._remove_quietly(scratch)

    def download(self, path: str, target: Path | None) -> str:
        """Read a file to its end, and hash it on the way.

        Parameters
        ----------
        path : str
            Relative.
        target : Path or None
            Local file to make; None keeps nothing.

        Returns
        -------
        str
            SHA-256 of the bytes, 64 hex digits.

        Raises
        ------
        UnavailableError
            If the store does not give it whole.
        """
        return self._asked(
            lambda: self._read(path, target or Path(os.devnull)), times=_TIMES_FROM_THE_START
        )

    def remove(self, path: str) -> None:
        """Remove a file.

        Parameters
        ----------
        path : str
            Relative.

        Raises
        ------
        OSError
            If the file system does not give it up.
        """
        self.fs.delete_file(self._key(path))

    def _key(self, path: str) -> str:
        return f"{self.root}/{path}"

    def _write(self, source: Path, path: str) -> None:
        with source.open("rb") as file, self.fs.open_output_stream(self._key(path)) as stream:
            waiting = 0
            while chunk := file.read(_CHUNK_BYTES):
                stream.write(chunk)
                waiting += len(chunk)
                if waiting >= _FLUSH_BYTES:  # parts wait in memory until they are sent
                    stream.flush()
                    waiting = 0

    def _read(self, path: str, target: Path) -> str:
        digest, n_bytes = hashlib.sha256(), 0
        with self.fs.open_input_file(self._key(path)) as stream, target.open("wb") as file:
            size = stream.size()
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
                file.write(chunk)
                n_bytes += len(chunk)
        if n_bytes != size:
            raise OSError(f"{self.place_of(path)} ended after {n_bytes:,} of {size:,} bytes")
        return digest.hexdigest()

    def _require_size(self, path: str, n_bytes: int) -> None:
        found = self.fs.get_file_info(self._key(path)).size
        if found != n_bytes:
            raise OSError(f"{self.place_of(path)} has {found} bytes after {n_bytes:,} were sent")

    def _remove_quietly(self, path: str) -> None:
        """Remove a scratch object; one that stays is listed by ``chancellor doctor``."""
        try:
            self.remove(path)
        except OSError:
            return

    def _asked(self, work: Callable[[], _T], times: int = 1) -> _T:
        for last in (*[False] * (times - 1), True):
            try:
                return work()
            except OSError as error:
                if self.is_local:
                    raise
                if last or _is_refusal(error):
                    raise self._problem(error) from error
        raise AssertionError("the last try returns or raises")

    def _problem(self, error: OSError) -> UnavailableError:
        text = str(error)
        where = self.endpoint or self.url
        if "NO_SUCH_BUCKET" in text:
            sentence = f"there is no bucket for the lake {self.url} at {where}"
        elif _is_refusal(error):
            sentence = (
                f"{where} refuses access to the lake {self.url}: are AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, those of somebody who may?"
            )
        elif "NETWORK_CONNECTION" in text:
            sentence = f"{where} does not answer, which holds the lake {self.url}"
        else:
            sentence = f"the lake {self.url} cannot be used"
        return UnavailableError(f"{sentence} ({text})", lake=self.url)


def _described(info: Any) -> StoredObject:
    moment = None if info.mtime is None else info.mtime.astimezone(UTC)
    return StoredObject(info.base_name, int(info.size or 0), moment)


def _is_refusal(error: OSError) -> bool:
    return any(word in str(error) for word in _NO_CREDENTIALS)


def _endpoint() -> str:
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""


def _region() -> str:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""


@lru_cache(maxsize=8)
def _connect(
    url: str, endpoint: str, region: str, attempts: int, seconds: float
) -> tuple[Any, str]:
    """Open a file system and name the root in it; S3 clients are costly, so they are kept."""
    from pyarrow import fs  # noqa: PLC0415 - heavy import

    if "://" not in url:
        return fs.LocalFileSystem(), url
    parts = urlsplit(url)
    if parts.scheme == "file":
        return fs.LocalFileSystem(), url.removeprefix("file://")
    if parts.scheme not in SCHEMES:
        raise InvalidInputError(
            f"{parts.scheme}:// is no place for a lake: a folder, or a URL that begins with one "
            f"of {', '.join(f'{name}://' for name in SCHEMES)}"
        )
    _refuse_credentials(url, endpoint)
    if parts.scheme != "s3":
        found, root = fs.FileSystem.from_uri(url)
        return found, root.rstrip("/")
    if not parts.netloc:
        raise InvalidInputError(f"{url} names no bucket: s3://BUCKET/PREFIX")
    return _s3(endpoint, region, attempts, seconds), url.removeprefix("s3://")


def _s3(endpoint: str, region: str, attempts: int, seconds: float) -> Any:
    from pyarrow import fs  # noqa: PLC0415 - heavy import

    given: dict[str, Any] = {}
    if endpoint:
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise InvalidInputError(f"AWS_ENDPOINT_URL is http(s)://HOST:PORT, not {endpoint!r}")
        given = {"endpoint_override": parts.netloc, "scheme": parts.scheme}
        region = region or "us-east-1"  # the usual name with a store that is not Amazon's
    return fs.S3FileSystem(
        region=region or None,
        connect_timeout=min(seconds, _CONNECT_SECONDS),
        request_timeout=seconds,
        allow_delayed_open=True,  # a small file is one request
        # 25 ms, then twice as long each time; the standard one waits for up to 20 seconds
        retry_strategy=fs.AwsDefaultS3RetryStrategy(max_attempts=attempts),
        **given,
    )


def _refuse_credentials(*urls: str) -> None:
    """Addresses are shown in messages, logs and the audit chain: no secret belongs in them."""
    for url in urls:
        parts = urlsplit(url)
        names_container = parts.scheme in ("abfs", "abfss")  # CONTAINER@ACCOUNT.dfs.core...
        if parts.password or (parts.username and not names_container) or parts.query:
            raise InvalidInputError(
                "the address of a lake carries no credentials and no options: give them as "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            )
