"""An error as a Dagster failure, and back: one message without values, no pointless retry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from app.domain.types import Document
from app.edge.errors import recorded_error

_KEY = "error"


@contextmanager
def as_dagster_failure() -> Iterator[None]:
    """Turn an error into a Dagster failure that carries code, message and facts.

    Dagster keeps what it is told for good, so it is told no value of a party: not the error
    itself, whose words may quote one, but the form that is kept of it.

    Raises
    ------
    dagster.Failure
        With that form as metadata; Dagster does not retry it.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, Dagster would keep its words
        document = recorded_error(error)
        raise dg.Failure(
            description=document["message"],
            metadata={_KEY: dg.MetadataValue.json(document)},
            allow_retries=False,
        ) from None


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
