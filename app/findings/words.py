"""Words that findings share."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NEGATIVE = re.compile(r"(?<![\w-])-(?=\d)")


def name_of(identifier: str) -> str:
    """Write the name of a feature, band or gate for people.

    Parameters
    ----------
    identifier : str
        As the card writes it.

    Returns
    -------
    str
        With blanks for underscores.

    Examples
    --------
    >>> name_of("very_poor")
    'very poor'
    """
    return identifier.replace("_", " ")


def listed(names: Sequence[str]) -> str:
    """Join names as a sentence does.

    Parameters
    ----------
    names : sequence of str
        Any number.

    Returns
    -------
    str
        With commas, and "and" before the last; empty where there is none.

    Examples
    --------
    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def with_minus(sentence: str) -> str:
    """Write negative numbers of a sentence with a minus sign, as the tables of the pages do.

    Parameters
    ----------
    sentence : str
        With hyphens before numbers; those within names and dates stay.

    Returns
    -------
    str
        The same with minus signs.

    Examples
    --------
    >>> with_minus("SIM-01 moves by -22 points, scored 2025-01-03")
    'SIM-01 moves by −22 points, scored 2025-01-03'
    """
    return _NEGATIVE.sub("−", sentence)


def signed(points: float) -> str:
    """Write a move in whole points with its sign.

    Parameters
    ----------
    points : float
        Points.

    Returns
    -------
    str
        Such as ``+23``; ``0`` without one.

    Examples
    --------
    >>> signed(-22), signed(0)
    ('-22', '0')
    """
    return f"{points:+.0f}" if points else "0"
