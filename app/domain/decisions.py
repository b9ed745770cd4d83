"""What is kept of one decision of scoring, the text of it that is hashed, and what was asked."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, NamedTuple

from app.domain.canonical import canonical_json
from app.domain.counted import counted
from app.domain.intake import as_text
from app.domain.party_score import ScoreResult
from app.domain.types import Document
from app.errors import InvalidInputError

MOST_PARTIES = 10_000
"""At most so many parties per request."""

_FAULTS_SHOWN = 20
_LONGEST_ID = 500


class DecisionRecord(NamedTuple):
    """Hold what is hashed of one decision, in the columns of the table.

    Attributes
    ----------
    id : str
        Such as ``d-0199d4c7a1b2...``, later decisions sorted after earlier ones.
    at : str
        UTC time in ISO 8601 with microseconds.
    actor, party_id : str
        Who asked, about whom.
    version, content_hash : str
        The card that decided, by name and by content.
    features : str
        Canonical JSON of what was given, names that the card does not know included.
    score : int
        In points.
    unrounded_score : float
        In points, before rounding.
    band : str
        The band of the score.
    contributions, missing_features, reason_codes : str
        Canonical JSON of what explains the score.
    """

    id: str
    at: str
    actor: str
    party_id: str
    version: str
    content_hash: str
    features: str
    score: int
    unrounded_score: float
    band: str
    contributions: str
    missing_features: str
    reason_codes: str


class AskedParty(NamedTuple):
    """Hold one party to be scored: its id, and its features as given."""

    party_id: str
    features: Document


def moment_text(at: datetime) -> str:
    """Write a moment as decisions keep it: texts in the order of the moments.

    Parameters
    ----------
    at : datetime
        With a time zone.

    Returns
    -------
    str
        UTC in ISO 8601 with microseconds.

    Examples
    --------
    >>> moment_text(datetime.fromisoformat("2026-01-01T01:00:00+01:00"))
    '2026-01-01T00:00:00.000000+00:00'
    """
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def decision_hash(record: DecisionRecord) -> str:
    """Give the SHA-256 of a decision's text: canonical JSON of every column but the number.

    Parameters
    ----------
    record : DecisionRecord
        The decision.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> made = DecisionRecord("d-1", "2026-01-01T00:00:00.000000+00:00", "ada", "p", "v1", "0",
    ...                       "{}", 500, 500.25, "poor", "{}", "[]", "[]")
    >>> decision_hash(made) == decision_hash(made._replace(score=501))
    False
    """
    return hashlib.sha256(_compact(record._asdict()).encode()).hexdigest()


def _compact(content: Any) -> str:
    """Write what we made ourselves: canonical JSON without the search for what cannot be hashed."""
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def explanation(result: ScoreResult) -> dict[str, str]:
    """Give the texts that are kept beside a score.

    Parameters
    ----------
    result : ScoreResult
        From ``score_party``.

    Returns
    -------
    dict of str to str
        contributions, missing_features and reason_codes, each as canonical JSON.

    Examples
    --------
    >>> explanation(ScoreResult(500, 500.25, "poor", {"b": 200.25}, ("a",), ()))
    {'contributions': '{"b":200.25}', 'missing_features': '["a"]', 'reason_codes': '[]'}
    """
    document = result.as_dict()
    return {
        name: _compact(document[name])
        for name in ("contributions", "missing_features", "reason_codes")
    }


def features_text(features: Mapping[str, Any]) -> str:
    """Write features as they were given, as canonical JSON.

    Parameters
    ----------
    features : mapping of str to Any
        Numbers, booleans, text and None; NaN becomes null as at intake, and a value of another
        kind its text.

    Returns
    -------
    str
        The same for the same values.

    Raises
    ------
    InvalidInputError
        If a number is infinite, a name is no text, or a text holds half a character.

    Examples
    --------
    >>> features_text({"b": float("nan"), "a": 1, "c": "x"})
    '{"a":1,"b":null,"c":"x"}'
    """
    return canonical_json({name: _as_given(value) for name, value in features.items()})


def _as_given(value: Any) -> Any:
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real) and not isinstance(value, Decimal):
        number = float(value)
        return None if math.isnan(number) else number
    if isinstance(value, Mapping | list | tuple | set):
        raise InvalidInputError(f"a {type(value).__name__} is no value of a feature")
    return as_text(value)


def read_parties(parties: Sequence[Mapping[str, Any]]) -> tuple[AskedParty, ...]:
    """Read what is to be scored: party ids become text once, as at intake.

    Parameters
    ----------
    parties : sequence of mapping
        Each with ``party_id`` and ``features``, a mapping of names to values; 1 to 10,000.

    Returns
    -------
    tuple of AskedParty
        In the order given.

    Raises
    ------
    InvalidInputError
        If there are none or too many, or something of them cannot be used; ``faults`` names the
        first 20 by position (from 0) and place.

    Examples
    --------
    >>> read_parties([{"party_id": 7.0, "features": {"age": 3}}])
    (AskedParty(party_id='7', features={'age': 3}),)
    >>> read_parties([{"party_id": "a", "features": {}}, {"features": {}}])
    Traceback (most recent call last):
    ...
    app.errors.InvalidInputError: parties[1].party_id: is missing
    """
    if not 1 <= len(parties) <= MOST_PARTIES:
        raise InvalidInputError(
            f"{counted(len(parties), 'party was', 'parties were')} given; "
            f"it must be 1 to {MOST_PARTIES:,}",
            n_parties=len(parties),
        )
    faults: list[Document] = []
    found = [_read_party(party, place, faults) for place, party in enumerate(parties)]
    refuse_faults(faults)
    return tuple(found)


def _read_party(party: Any, place: int, faults: list[Document]) -> AskedParty:
    if not isinstance(party, Mapping):
        faults.append(party_fault(place, "", "is a mapping with party_id and features"))
        return AskedParty("", {})
    party_id, features = as_text(party.get("party_id")), party.get("features")
    if party_id is None:
        faults.append(party_fault(place, "party_id", "is missing"))
    elif len(party_id) > _LONGEST_ID or not party_id.isprintable():
        problem = f"is no id: at most {_LONGEST_ID} characters, all of them printable"
        faults.append(party_fault(place, "party_id", problem))
    if not isinstance(features, Mapping):
        faults.append(party_fault(place, "features", "must be a mapping of names to values"))
        features = {}
    return AskedParty(party_id or "", dict(features))


def party_fault(place: int, part: str, problem: str) -> Document:
    """Describe what is wrong with one party of a request.

    Parameters
    ----------
    place : int
        Position of the party, from 0.
    part : str
        ``party_id``, ``features`` or one of them; empty for the whole.
    problem : str
        What is wrong.

    Returns
    -------
    dict
        ``party`` (the position), ``place`` and ``problem``.

    Examples
    --------
    >>> party_fault(3, "features.age", "'x' is not a number")["place"]
    'parties[3].features.age'
    """
    where = f"parties[{place}]" + (f".{part}" if part else "")
    return {"party": place, "place": where, "problem": problem}


def refuse_faults(faults: Sequence[Document]) -> None:
    """Refuse a request that has faults; nothing of it is scored.

    Parameters
    ----------
    faults : sequence of dict
        From ``party_fault``.

    Raises
    ------
    InvalidInputError
        If there is one; it shows the first 20 and says how many there are.
    """
    if not faults:
        return
    shown = [f"{fault['place']}: {fault['problem']}" for fault in faults[:_FAULTS_SHOWN]]
    if len(faults) > _FAULTS_SHOWN:
        shown.append(f"... and {len(faults) - _FAULTS_SHOWN:,} more")
    raise InvalidInputError(
        "\n".join(shown), faults=[dict(f) for f in faults[:_FAULTS_SHOWN]], n_faults=len(faults)
    )
