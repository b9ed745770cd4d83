"""Score the parties of one request and make the rows that record it."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from app.domain.decisions import (
    AskedParty,
    DecisionRecord,
    decision_hash,
    explanation,
    features_text,
    moment_text,
    party_fault,
    refuse_faults,
)
from app.domain.party_score import ScoreResult, score_party
from app.domain.scorecard import Scorecard
from app.domain.types import Document
from app.errors import InvalidInputError, NotFoundError
from app.queries.decisions import find_active_key
from app.queries.versions import require_version
from app.services.scoring_service import card_of

COLUMNS = (*DecisionRecord._fields, "row_hash")
"""The columns of a row of decisions, in the order of the values."""

_REMEMBERED_CARDS = 16
_RANDOM_BYTES = 10
_cards: OrderedDict[tuple[str, str], Scorecard] = OrderedDict()
_active: WeakKeyDictionary[Engine | Connection, tuple[str, str]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class DecidingCard:
    """Hold the card that scores a request.

    Attributes
    ----------
    version, content_hash : str
        Which one.
    card : Scorecard
        Its content, whose hash was checked.
    is_active : bool
        Whether it is the one that decides.
    """

    version: str
    content_hash: str
    card: Scorecard
    is_active: bool


@dataclass(frozen=True, slots=True)
class Decided:
    """Hold what a request came to.

    Attributes
    ----------
    documents : tuple of dict
        For whoever asked, in the order of the parties.
    rows : tuple of tuple
        Values of ``COLUMNS``; empty where nothing is recorded.
    """

    documents: tuple[Document, ...]
    rows: tuple[tuple[Any, ...], ...]


def deciding_card(db: Session, version: str | None, *, may_remember: bool = False) -> DecidingCard:
    """Find the card that scores; its content is read once.

    Parameters
    ----------
    db : Session
        The store.
    version : str or None
        Name of a version; None is the active one.
    may_remember : bool
        Do without reading which version is active where it was read before. The database still
        refuses to record what another version decides.

    Returns
    -------
    DecidingCard
        With the parsed card.

    Raises
    ------
    NotFoundError
        If there is no such version, or none is active.
    TamperingError
        If its content does not have the hash that was recorded with it.
    """
    store = db.get_bind()
    active = _active.get(store) if may_remember else None
    if active is None or version not in {None, active[0]}:
        active = find_active_key(db)
        if active is not None:
            _active[store] = active
    if version is None and active is None:
        raise NotFoundError("No scorecard version is active; run `chancellor init`.")
    if active is not None and version in {None, active[0]}:
        return DecidingCard(*active, _card(db, active), is_active=True)
    row = require_version(db, str(version))
    key = (row.version, row.content_hash)
    return DecidingCard(*key, _card(db, key), is_active=False)


def _card(db: Session, key: tuple[str, str]) -> Scorecard:
    """Give the parsed card; the same name and hash are the same content in every store."""
    card = _cards.get(key)
    if card is None:
        card = card_of(require_version(db, key[0]))
        _cards[key] = card
        while len(_cards) > _REMEMBERED_CARDS:
            _cards.popitem(last=False)
    return card


def decide_parties(
    chosen: DecidingCard, asked: Sequence[AskedParty], *, at: datetime, actor: str, record: bool
) -> Decided:
    """Score every party, in plain Python.

    Parameters
    ----------
    chosen : DecidingCard
        The card.
    asked : sequence of AskedParty
        The parties.
    at : datetime
        When, the same for all.
    actor : str
        Who asks.
    record : bool
        Whether rows are made.

    Returns
    -------
    Decided
        Documents and rows.

    Raises
    ------
    InvalidInputError
        Names the first 20 values that cannot be scored or kept.
    """
    faults: list[Document] = []
    scored: list[tuple[AskedParty, ScoreResult, str]] = []
    for place, party in enumerate(asked):
        try:
            result = score_party(chosen.card, party.features)
            scored.append((party, result, features_text(party.features) if record else ""))
        except InvalidInputError as error:
            faults += [party_fault(place, "features", line) for line in error.message.split("\n")]
    refuse_faults(faults)
    moment = moment_text(at)
    documents, rows = [], []
    for party, result, features in scored:
        made = None
        if record:
            made = _record(chosen, party, result, features, moment, actor, _new_id(at))
            rows.append((*made, decision_hash(made)))
        documents.append(_document(chosen, party, result, moment, made))
    return Decided(tuple(documents), tuple(rows))


def _new_id(at: datetime) -> str:
    """Give an id that nobody can guess and that falls beside the last one in the index."""
    return f"d-{int(at.timestamp() * 1000):012x}{secrets.token_hex(_RANDOM_BYTES)}"


def _record(
    chosen: DecidingCard,
    party: AskedParty,
    result: ScoreResult,
    features: str,
    moment: str,
    actor: str,
    decision_id: str,
) -> DecisionRecord:
    return DecisionRecord(
        id=decision_id,
        at=moment,
        actor=actor,
        party_id=party.party_id,
        version=chosen.version,
        content_hash=chosen.content_hash,
        features=features,
        score=result.score,
        unrounded_score=result.unrounded_score,
        band=result.band,
        **explanation(result),
    )


def _document(
    chosen: DecidingCard,
    party: AskedParty,
    result: ScoreResult,
    moment: str,
    made: DecisionRecord | None,
) -> Document:
    known = chosen.card.features
    return {
        "id": None if made is None else made.id,
        "at": moment,
        "party_id": party.party_id,
        "version": chosen.version,
        "content_hash": chosen.content_hash,
        **result.as_dict(),
        "unknown_features": [name for name in party.features if name not in known],
        "recorded": made is not None,
    }
