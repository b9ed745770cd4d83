"""Counts with their nouns, as every sentence writes them."""

from __future__ import annotations

_VOWELS = "aeiou"
_HISSING = ("s", "x", "z", "ch", "sh")


def counted(n: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun, and where it is given with the verb that follows.

    Parameters
    ----------
    n : int
        A count, >= 0.
    one : str
        What stands after 1: a noun, or more words where `many` is given.
    many : str or None
        What stands after every other count; by default the regular plural of `one`.

    Returns
    -------
    str
        With a thousands separator.

    Examples
    --------
    >>> counted(1, "party"), counted(2050, "bad party"), counted(0, "batch"), counted(2, "day")
    ('1 party', '2,050 bad parties', '0 batches', '2 days')
    >>> counted(1, "row is left", "rows are left"), counted(2, "row is left", "rows are left")
    ('1 row is left', '2 rows are left')
    """
    return f"{n:,} {one if n == 1 else many or _plural(one)}"


def _plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2:-1] not in _VOWELS:
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(_HISSING) else f"{noun}s"
