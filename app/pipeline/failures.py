"""An error of ours as a Dagster failure, and back: one message, no pointless retry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from app.domain.types import Document
from app.edge.errors import error_document
from app.errors import ChancellorError

_KEY = "error"


@contextmanager
def as_dagster_failure() -> Iterator[None]:
    """Turn an error of ours into a Dagster failure that carries code, message and facts.

    Raises
    ------
    dagster.Failure
        With the error's document as metadata; Dagster does not retry it.
    """
    try:
        yield
    except ChancellorError as error:
        document = error_document(error)
        raise dg.Failure(
            description=error.message,
            metadata={_KEY: dg.MetadataValue.json(document)},
            allow_retries=False,
        ) from error


def error_of(event: dg.DagsterEvent) -> Document:
    """Read the error's document from a step failure.

    Parameters
    ----------
    event : DagsterEvent
        A step failure.

    Returns
    -------
    dict
        ``code``, ``message`` and ``facts``; of a failure that is not ours the code is
        ``unexpected`` and the message is Dagster's.
    """
    failure = event.step_failure_data
    ours = failure.user_failure_data.metadata.get(_KEY) if failure.user_failure_data else None
    if isinstance(ours, dg.JsonMetadataValue):
        return dict(ours.data)  # type: ignore[arg-type]  # always a mapping: written above
    message = failure.error.message.strip() if failure.error else "no message"
    return {"code": "unexpected", "message": message, "facts": {"step": event.step_key}}
