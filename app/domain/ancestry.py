"""Which version is the expert's: the nearest ancestor that a person really wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from app.domain.lifecycle import Origin
from app.errors import NotFoundError

_RELATIVE_SLACK = 0.01


@dataclass(frozen=True, slots=True)
class Link:
    """One version in the line of descent.

    Parameters
    ----------
    version : str
        Name.
    number : int
        Running number; a later version has a larger one.
    origin : {'person', 'model'}
        Who wrote the weights, as recorded.
    base_version : str or None
        The version it was made against.
    weights : mapping of str to float
        Weight by feature, >= 0.
    """

    version: str
    number: int
    origin: Origin
    base_version: str | None
    weights: Mapping[str, float]


def find_expert(version: str, links: Iterable[Link]) -> str:
    """Find the nearest version that a person really wrote, starting at the version itself.

    Parameters
    ----------
    version : str
        Where to start.
    links : iterable of Link
        Every version of the store.

    Returns
    -------
    str
        Name of the first version on the way to the root that is a person's and does not merely
        repeat the weights of an earlier model's version; from one that does, the way goes on at
        that model. The root if there is no other.

    Raises
    ------
    NotFoundError
        If the version, or one it descends from, is not among the links.

    Notes
    -----
    Every earlier model's version is compared, not only those the person's version descends from:
    a draft that was never activated can be typed in as well.

    Examples
    --------
    >>> expert = Link("v1", 1, "person", None, {"age": 60.0, "debt": 40.0})
    >>> model = Link("ml_v2", 2, "model", "v1", {"age": 52.13, "debt": 47.87})
    >>> typed = Link("v3", 3, "person", "ml_v2", {"age": 52.0, "debt": 48.0})
    >>> find_expert("v3", (expert, model, typed))
    'v1'
    """
    known = {link.version: link for link in links}
    models = [link for link in known.values() if link.origin == "model"]
    name = version
    while True:
        if name not in known:
            raise NotFoundError(f"There is no version {name}, from which {version} descends.")
        link = known[name]
        copied = _copied_model(link, models)
        if link.base_version is None or (link.origin == "person" and copied is None):
            return name
        name = link.base_version if copied is None else copied.version


def _copied_model(link: Link, models: Iterable[Link]) -> Link | None:
    """Find the newest earlier model's version whose weights a person's version repeats."""
    if link.origin != "person":
        return None
    repeated = (
        model
        for model in models
        if model.number < link.number and repeats_weights(link.weights, model.weights)
    )
    return max(repeated, key=lambda model: model.number, default=None)


def repeats_weights(typed: Mapping[str, float], original: Mapping[str, float]) -> bool:
    """Say whether weights repeat others, up to their scale and to rounding.

    Parameters
    ----------
    typed : mapping of str to float
        Weights that may be a copy, >= 0, of shape (d,) by feature name.
    original : mapping of str to float
        Weights that may have been copied, on any scale.

    Returns
    -------
    bool
        True if both weigh the same features and, after bringing the original to the scale of the
        copy, no weight differs by more than half of the last decimal typed (at most half a unit)
        plus 1 % of the weight.

    Examples
    --------
    >>> repeats_weights({"age": 104.3, "debt": 95.7}, {"age": 52.13, "debt": 47.87})
    True
    >>> repeats_weights({"age": 55.0, "debt": 45.0}, {"age": 52.13, "debt": 47.87})
    False
    """
    copy = {name: weight for name, weight in typed.items() if weight > 0}
    source = {name: weight for name, weight in original.items() if weight > 0}
    if copy.keys() != source.keys() or not copy:
        return False
    scale = sum(copy.values()) / sum(source.values())
    rounding = _last_decimal(copy.values()) / 2
    return all(
        abs(weight - scale * source[name]) <= rounding + _RELATIVE_SLACK * weight
        for name, weight in copy.items()
    )


def _last_decimal(weights: Iterable[float]) -> float:
    digits = [-int(Decimal(repr(w)).normalize().as_tuple().exponent) for w in weights]
    return 10.0 ** -max(0, *digits)
