"""Fresh stores for measurements: a person's own is never touched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.db import close_engine
from app.settings import get_settings

_OURS = ("CHANCELLOR_HOME", "CHANCELLOR_DATABASE_URL", "CHANCELLOR_LAKE", "DAGSTER_HOME")


@contextmanager
def store_in(folder: Path) -> Iterator[Path]:
    """Let ``CHANCELLOR_HOME`` name a folder for as long as the block lasts.

    Parameters
    ----------
    folder : Path
        In which the store is, or will be.

    Yields
    ------
    Path
        The store's home.
    """
    kept = {name: os.environ.pop(name) for name in _OURS if name in os.environ}
    os.environ["CHANCELLOR_HOME"] = str(folder / "store")
    try:
        yield folder / "store"
    finally:
        close_engine(get_settings().database_url)
        del os.environ["CHANCELLOR_HOME"]
        os.environ.update(kept)
