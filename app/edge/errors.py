"""An error as a document: the same for the command line, the pipeline and the API."""

from __future__ import annotations

import json
import re
import traceback
from typing import TYPE_CHECKING

from app.errors import ChancellorError, IntakeError

if TYPE_CHECKING:
    from app.domain.types import Document


def error_code(error: type[BaseException]) -> str:
    """Name an error class for programs: its name in snake case, without ``Error``.

    Parameters
    ----------
    error : type of BaseException
        The class that was raised.

    Returns
    -------
    str
        Such as ``quality_gate`` or ``store_not_initialised``.

    Examples
    --------
    >>> from app.errors import StoreNotInitialisedError
    >>> error_code(StoreNotInitialisedError)
    'store_not_initialised'
    """
    words = re.sub(r"(?<!^)(?=[A-Z])", "_", error.__name__.removesuffix("Error"))
    return words.lower()


def error_document(error: ChancellorError) -> Document:
    """Build the JSON-ready form of an error.

    Parameters
    ----------
    error : ChancellorError
        What was raised.

    Returns
    -------
    dict
        ``code``, ``message`` and ``facts``.

    Examples
    --------
    >>> from app.errors import NotFoundError
    >>> error_document(NotFoundError("There is no batch 'B2'.", batch_id="B2"))
    {'code': 'not_found', 'message': "There is no batch 'B2'.", 'facts': {'batch_id': 'B2'}}
    """
    facts = json.loads(json.dumps(error.facts, default=str))
    return {"code": error_code(type(error)), "message": error.message, "facts": facts}


def recorded_error(error: BaseException) -> Document:
    """Build the form of an error that is kept: in runs, in the audit chain, in Dagster's history.

    No value of a party goes there. Of a file's faults only the places are kept, and of an error
    that is not ours only its kind and where it arose, since its words may quote what was read.

    Parameters
    ----------
    error : BaseException
        What ended the work.

    Returns
    -------
    dict
        ``code``, ``message`` and ``facts``.

    Examples
    --------
    >>> fault = {"row": 3, "column": "age", "value": "x", "problem": "'x' is not a number"}
    >>> kept = recorded_error(IntakeError("b.csv", [fault], 1))
    >>> print(kept["message"])
    b.csv: 1 fault, nothing was stored
      row 3, column age
    What stands there is not copied here: look in the file, or import it anew to be told.
    >>> kept["facts"]["faults"]
    [{'row': 3, 'column': 'age'}]
    """
    if isinstance(error, IntakeError):
        return _places_of(error_document(error))
    if isinstance(error, ChancellorError):
        return error_document(error)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {frames[-1].name}, line {frames[-1].lineno} of {frames[-1].filename}" * bool(
        frames
    )
    message = (
        f"{type(error).__name__}{where}. Its words are not kept, since they may quote what was "
        "read: do the step on the command line to see them."
    )
    return {"code": "unexpected", "message": message, "facts": {}}


def _places_of(document: Document) -> Document:
    faults = document["facts"]["faults"]
    places = [
        {name: fault[name] for name in ("row", "column") if fault.get(name) is not None}
        for fault in faults
    ]
    head = str(document["message"]).partition("\n")[0]
    lines = [", ".join(f"{name} {at}" for name, at in place.items()) or "file" for place in places]
    n_more = document["facts"]["n_faults"] - len(faults)
    more = [f"... and {n_more:,} more"] if n_more > 0 else []
    told = "What stands there is not copied here: look in the file, or import it anew to be told."
    return {
        "code": document["code"],
        "message": "\n".join([head, *(f"  {line}" for line in (*lines, *more)), told]),
        "facts": {**document["facts"], "faults": places},
    }
