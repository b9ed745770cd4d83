"""The process that imports one large file: ``python -m app.edge.import_job``.

The service starts it, writes one line of JSON to it, and reads one document from it. It ends with
the service, and takes no more memory than it was told: whatever a file unpacks to, the service
stays small and goes on answering.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from app.edge.errors import error_document
from app.errors import ChancellorError, UnavailableError
from app.log import configure_logging, request_id

if TYPE_CHECKING:
    from app.domain.types import Document
    from app.edge.services import Services

Kind = Literal[
    "batch", "outcomes", "flags", "exposures",
    "preview of a batch", "preview of outcomes", "preview of exposures",
]  # fmt: skip
TOO_MUCH_MEMORY = "too_much_memory"
LOST_EXIT = 1


def main() -> None:
    """Import what the line on stdin says, and write the result or the error to stdout."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # nothing that a library prints gets between
    configure_logging(as_json=True)
    told = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_the_service, daemon=True).start()
    limit = told["max_memory_bytes"]
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    request_id.set(told["request_id"])
    with answers:
        json.dump(_answer(told), answers)


def _answer(told: Document) -> Document:
    from pyarrow import ArrowMemoryError  # noqa: PLC0415 - counts under the limit
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - the same

    try:
        return {"result": _imported(told)}
    except ChancellorError as error:
        return {"error": {**error_document(error), "class": type(error).__name__}}
    except DBAPIError as error:
        lost = UnavailableError("The database does not answer. Try again shortly.")
        if not error.connection_invalidated:
            raise
        return {"error": {**error_document(lost), "class": type(lost).__name__}}
    except (MemoryError, ArrowMemoryError):
        return {TOO_MUCH_MEMORY: True}


def _imported(told: Document) -> Document:
    from app.db import open_session  # noqa: PLC0415 - counts under the limit
    from app.edge.services import Services  # noqa: PLC0415 - the same
    from app.lake.store import open_lake  # noqa: PLC0415 - the same

    with open_session(told["database_url"]) as db:
        use = Services(db, told["actor"], open_lake(told["lake_url"]))
        return importer(use, told["kind"])(told["path"], **told["options"])


def importer(use: Services, kind: Kind) -> Callable[..., Document]:
    """Give what imports a kind of file.

    Parameters
    ----------
    use : Services
        On a session.
    kind : str
        Which service takes it, or looks at it.

    Returns
    -------
    callable
        Takes the path and the service's own arguments.
    """
    ways: dict[Kind, Callable[[], Callable[..., Document]]] = {
        "batch": lambda: use.batches.import_file,
        "outcomes": lambda: use.outcomes.import_events,
        "flags": lambda: use.outcomes.import_flags,
        "exposures": lambda: use.exposures.import_file,
        "preview of a batch": lambda: use.previews.preview_batch,
        "preview of outcomes": lambda: use.previews.preview_outcomes,
        "preview of exposures": lambda: use.previews.preview_exposures,
    }
    return ways[kind]()


def _end_with_the_service() -> None:
    """Wait for the end of stdin, which the service holds open for as long as it lives."""
    sys.stdin.read()
    os._exit(LOST_EXIT)  # an open transaction is not committed


if __name__ == "__main__":
    main()
