"""A card as a table that people read: weights, points at stake, and transforms in words."""

from __future__ import annotations

from app.domain.scorecard_parts import ScoreRange
from app.domain.types import Document

_CATEGORIES_SHOWN = 8


def feature_lines(content: Document) -> tuple[Document, ...]:
    """Give one line per feature of a card.

    Parameters
    ----------
    content : dict
        A scorecard document as it is stored.

    Returns
    -------
    tuple of dict
        In card order: ``name``, ``weight``, ``share`` (a fraction), ``points`` (the most that the
        feature adds to a score at goodness 1), ``transform`` in words, ``missing`` (goodness of a
        null) and ``reason``.

    Examples
    --------
    >>> card = {"range": {"min": 300, "max": 900}, "features": {"age": {"weight": 2.0, "transform":
    ...     {"kind": "linear", "worst": 0, "best": 10}}, "vat": {"weight": 1.0, "transform":
    ...     {"kind": "categories", "values": {"yes": 1.0}, "other": 0.25}, "reason": "No VAT"}}}
    >>> first, second = feature_lines(card)
    >>> first["points"], first["transform"], second["transform"]
    (400.0, 'straight from 0 (worst) to 10 (best)', 'yes: 1; anything else: 0.25')
    """
    features = content["features"]
    low, high = (
        (content.get("range") or {}).get("min", 300),
        (content.get("range") or {}).get("max", 900),
    )
    total = sum(float(one["weight"]) for one in features.values())
    return tuple(
        {
            "name": name,
            "weight": float(one["weight"]),
            "share": float(one["weight"]) / total,
            "points": (high - low) * float(one["weight"]) / total,
            "transform": transform_words(one["transform"]),
            "missing": one.get("missing", 0.0),
            "reason": one.get("reason", ""),
        }
        for name, one in features.items()
    )


def band_lines(content: Document) -> tuple[tuple[str, int, int], ...]:
    """Give name, lowest and highest score of each band, lowest first.

    Parameters
    ----------
    content : dict
        A scorecard document as it is stored.

    Returns
    -------
    tuple of tuple
        Name and two scores, both within the band.

    Examples
    --------
    >>> band_lines({"bands": {"poor": 300, "good": 650}})
    (('poor', 300, 649), ('good', 650, 900))
    """
    bands = list(content["bands"].items())
    ends = [start - 1 for _, start in bands[1:]] + [_range(content)[1]]
    return tuple((name, start, end) for (name, start), end in zip(bands, ends, strict=True))


def _range(content: Document) -> tuple[int, int]:
    """Give lowest and highest score; a document may leave both to the default."""
    given = ScoreRange.model_validate(content.get("range") or {})
    return given.min, given.max


def transform_words(transform: Document) -> str:
    """Write a transform in words: from raw value to goodness, 0 worst and 1 safest.

    Parameters
    ----------
    transform : dict
        As the card's document holds it.

    Returns
    -------
    str
        One line.

    Examples
    --------
    >>> transform_words({"kind": "bins", "edges": [1, 2], "values": [1, 0.5, 0]})
    'under 1: 1; 1 to under 2: 0.5; 2 and more: 0'
    >>> transform_words({"kind": "log", "worst": 0, "best": 99})
    'logarithmic from 0 (worst) to 99 (best)'
    """
    kind = transform["kind"]
    if kind == "bins":
        return _bins(transform["edges"], transform["values"])
    if kind == "categories":
        shown = list(transform["values"].items())[:_CATEGORIES_SHOWN]
        more = len(transform["values"]) - len(shown)
        parts = [f"{name}: {value:g}" for name, value in shown]
        parts += [f"{more} more"] if more else []
        return "; ".join([*parts, f"anything else: {transform['other']:g}"])
    way = {"linear": "straight", "log": "logarithmic"}[kind]
    worst, best = _plain(transform["worst"]), _plain(transform["best"])
    return f"{way} from {worst} (worst) to {best} (best)"


def _plain(value: float) -> str:
    """Write a raw value as a person would: no exponent, thousands apart."""
    return f"{int(value):,}" if float(value).is_integer() else f"{value:,.10g}"


def _bins(edges: list[float], values: list[float]) -> str:
    parts = [f"under {_plain(edges[0])}: {values[0]:g}"]
    for place, value in enumerate(values[1:-1]):
        parts.append(f"{_plain(edges[place])} to under {_plain(edges[place + 1])}: {value:g}")
    return "; ".join([*parts, f"{_plain(edges[-1])} and more: {values[-1]:g}"])
