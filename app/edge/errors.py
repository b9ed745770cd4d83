"""An error as a document: the same for the command line, the pipeline and the API."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from app.errors import ChancellorError

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
