"""One party under one or two versions, for a person who wants to see why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.party_score import as_number, score_party
from app.domain.scorecard import Feature, Scorecard
from app.domain.transforms import Bins, Categories
from app.domain.types import Document
from app.errors import InvalidInputError
from app.models import ScorecardVersion
from app.queries.versions import find_active, require_version
from app.services.scoring_service import card_of


class PartyExplanationService:
    """Ask for one party's features, and explain what each version makes of them.

    Parameters
    ----------
    db : Session
        The store; nothing is written.
    """

    def __init__(self, db: Session) -> None:
        self.db = db

    def versions(self) -> tuple[Document, ...]:
        """List what can be chosen.

        Returns
        -------
        tuple of dict
            ``version`` and ``status``, newest first, without content.
        """
        wanted = select(ScorecardVersion.version, ScorecardVersion.status)
        rows = self.db.execute(wanted.order_by(ScorecardVersion.number.desc()))
        return tuple({"version": row.version, "status": row.status} for row in rows)

    def cards(self, names: Iterable[str]) -> dict[str, Scorecard]:
        """Read the cards of versions.

        Parameters
        ----------
        names : iterable of str
            Of versions; none at all means the active one.

        Returns
        -------
        dict of str to Scorecard
            By name, in the order given.

        Raises
        ------
        NotFoundError
            If there is no such version.
        """
        wanted = list(dict.fromkeys(names))
        active = None if wanted else find_active(self.db)
        if active is not None:
            return {active.version: card_of(active)}
        return {name: card_of(require_version(self.db, name)) for name in wanted}


def describe_fields(cards: Iterable[Scorecard]) -> tuple[Document, ...]:
    """Describe what a party's features may be, as a form needs it.

    Parameters
    ----------
    cards : iterable of Scorecard
        Whose features are asked for.

    Returns
    -------
    tuple of dict
        In card order, each feature once: ``name``, ``is_number``, ``choices`` (texts; empty for
        numbers) and ``hint``.
    """
    found: dict[str, Document] = {}
    for card in cards:
        for name, feature in card.features.items():
            found.setdefault(name, _field(name, feature))
    return tuple(found.values())


def _field(name: str, feature: Feature) -> Document:
    transform = feature.transform
    choices = list(transform.values) if isinstance(transform, Categories) else []
    return {
        "name": name,
        "is_number": transform.takes_numbers,
        "choices": choices,
        "hint": hint_of(feature),
    }


def hint_of(feature: Feature) -> str:
    """Say in words which values are good.

    Parameters
    ----------
    feature : Feature
        Of a card.

    Returns
    -------
    str
        Such as ``number; 48 is worst, 6 is best``.

    Examples
    --------
    >>> from app.domain.scorecard import default_card
    >>> hint_of(default_card().features["company_age_years"])
    'number; 0 is worst, 10 is best'
    """
    transform = feature.transform
    if isinstance(transform, Categories):
        best = max(transform.values, key=lambda key: transform.values[key])
        return f"text; {best} is best"
    if isinstance(transform, Bins):
        edges = ", ".join(f"{edge:,.10g}" for edge in transform.edges)
        return f"number; points change at {edges}"
    return f"number; {transform.worst:,.10g} is worst, {transform.best:,.10g} is best"


def read_fields(cards: Iterable[Scorecard], typed: Mapping[str, str]) -> dict[str, Any]:
    """Turn what was typed into features: numbers as numbers, nothing for what was left blank.

    Parameters
    ----------
    cards : iterable of Scorecard
        Which say what is a number.
    typed : mapping of str to str
        By feature.

    Returns
    -------
    dict of str to Any
        What is no number stays text, for the score to name.

    Examples
    --------
    >>> from app.domain.scorecard import default_card
    >>> read_fields([default_card()], {"network_size": "7", "supplier_count": " "})
    {'network_size': 7.0}
    """
    numeric = {
        name
        for card in cards
        for name, feature in card.features.items()
        if feature.transform.takes_numbers
    }
    return {
        name: _number(text) if name in numeric else text
        for name, text in typed.items()
        if text.strip()
    }


def _number(text: str) -> float | str | None:
    try:
        return as_number(text)
    except InvalidInputError:
        return text


def explain_party(
    cards: Mapping[str, Scorecard], features: Mapping[str, Any]
) -> tuple[Document, ...]:
    """Score one party under each version, with all that explains it; nothing is stored.

    Parameters
    ----------
    cards : mapping of str to Scorecard
        By version.
    features : mapping of str to Any
        Raw values by name.

    Returns
    -------
    tuple of dict
        For each version: ``version``, score and all that `score_party` gives, ``base`` and
        ``top`` (points), ``contributions`` as ``points`` and ``max_points`` by feature,
        and ``unknown_features``.

    Raises
    ------
    InvalidInputError
        Names every feature whose value is infinite or no number.
    """
    return tuple(_explained(version, card, features) for version, card in cards.items())


def _explained(version: str, card: Scorecard, features: Mapping[str, Any]) -> Document:
    result = score_party(card, features).as_dict()
    span = card.range.max - card.range.min
    return {
        **result,
        "version": version,
        "base": card.range.min,
        "top": card.range.max,
        "contributions": {
            name: {
                "points": points,
                "max_points": span
                * card.features[name].weight
                * card.features[name].attainable
                / card.total_weight,
            }
            for name, points in result["contributions"].items()
        },
        "unknown_features": [name for name in features if name not in card.features],
    }
