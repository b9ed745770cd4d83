"""``If-Match`` and ``ETag``: nobody approves what they did not see."""

from __future__ import annotations

import re

from app.edge.problems import Refusal

STRONG_TAG = r'^"[!#-~]{0,198}"$'
"""How a strong entity tag is written."""

_STRONG = re.compile(r'\s*"([\x21\x23-\x7e]*)"\s*')


def etag_of(review_hash: str) -> str:
    """Write a review hash as a strong entity tag.

    Examples
    --------
    >>> etag_of("ab12")
    '"ab12"'
    """
    return f'"{review_hash}"'


def expected_hash(if_match: str | None, *, required: bool) -> str | None:
    """Read the hash that somebody reviewed.

    Parameters
    ----------
    if_match : str or None
        The header ``If-Match``.
    required : bool
        Whether it must be there.

    Returns
    -------
    str or None
        The hash; None without the header, or with ``*``, where it is not required.

    Raises
    ------
    Refusal
        428 if it is required and absent, or ``*``; 400 if it is not one strong entity tag.

    Examples
    --------
    >>> expected_hash('"ab12"', required=True)
    'ab12'
    >>> expected_hash("*", required=True)
    Traceback (most recent call last):
    app.edge.problems.Refusal: 428: Send the ETag of the version that was reviewed as If-Match.
    """
    if if_match is None or if_match.strip() == "*":
        if required:
            detail = "Send the ETag of the version that was reviewed as If-Match."
            raise Refusal(428, "precondition_required", detail)
        return None
    match = _STRONG.fullmatch(if_match)
    if match is None:
        detail = 'If-Match must be one strong entity tag, such as "4f...".'
        raise Refusal(400, "malformed_if_match", detail)
    return match.group(1)
