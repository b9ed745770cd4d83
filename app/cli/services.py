"""The services on the open store, for one command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from app.cli.options import Engine
from app.edge.services import Services


@contextmanager
def open_services(actor: str | None, engine: Engine | None = None) -> Iterator[Services]:
    """Open the store and yield its services; the session closes with the block.

    Parameters
    ----------
    actor : str or None
        The person on the record; None is the OS user.
    engine : Engine or None
        What computes over the lake; None leaves it to the settings.

    Yields
    ------
    Services
        Services on one session.

    Raises
    ------
    StoreNotInitialisedError
        If there is no store; it names ``chancellor init``.
    """
    from app.db import open_session  # noqa: PLC0415 - SQLAlchemy; --help stays quick
    from app.lake.engine import computing_on  # noqa: PLC0415 - the same
    from app.log import configure_logging  # noqa: PLC0415 - the same

    configure_logging()
    with computing_on(None if engine is None else engine.value), open_session() as db:
        yield Services(db, actor)
