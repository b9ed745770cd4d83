"""The card as one Python file that needs nothing but Python."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from app.domain.exports.golden_cases import golden_parties
from app.domain.exports.stamp import Stamp
from app.domain.party_score import score_party
from app.domain.scorecard import Scorecard
from app.domain.scorecard_parts import Feature
from app.domain.transforms import Bins, Categories, Linear, Log
from app.domain.types import Document

_TEMPLATE = "standalone_card.py.txt"
_CARD_LINE, _GOLDEN_LINE = "CARD = {}\n", "GOLDEN = []\n"


def python_card(card: Scorecard, stamp: Stamp) -> str:
    """Write a card as a Python module and program, with golden cases to test itself by.

    Parameters
    ----------
    card : Scorecard
        The card.
    stamp : Stamp
        Which version it is.

    Returns
    -------
    str
        Source for Python 3.9 and newer, plain ASCII; the standard library is enough.

    Examples
    --------
    >>> from app.domain.scorecard import default_card
    >>> card = default_card()
    >>> source = python_card(card, Stamp("v1", card.content_hash, "chancellor export v1"))
    >>> module = {"__name__": "card"}
    >>> exec(compile(source, "card.py", "exec"), module)
    >>> module["score"]({"kyc_verified": True, "has_tax_id": 1})["score"], module["self_test"]()
    (425, [])
    """
    template = (files("app.domain.exports") / _TEMPLATE).read_text(encoding="utf-8")
    header = "".join(f"# {line}\n" for line in stamp.lines(card.name))
    content = {**stamp.as_dict(), **_plain_card(card)}
    source = template.replace(_CARD_LINE, _loaded("CARD", content), 1)
    return header + source.replace(_GOLDEN_LINE, _loaded("GOLDEN", _golden(card)), 1)


def _loaded(name: str, content: Any) -> str:
    """Write content as JSON inside a raw text, one line for each entry of a list."""
    text = json.dumps(content, allow_nan=False)
    if isinstance(content, list):
        text = "[\n" + ",\n".join(json.dumps(entry, allow_nan=False) for entry in content) + "\n]"
    else:
        text = json.dumps(content, indent=1, allow_nan=False)
    # JSON escapes all but ASCII, and \u0027 keeps a text from closing the quotes around it
    return f"{name} = json.loads(r'''{text.replace(chr(39), chr(92) + 'u0027')}''')\n"


def _plain_card(card: Scorecard) -> Document:
    return {
        "name": card.name,
        "min": card.range.min,
        "max": card.range.max,
        "bands": [list(band) for band in card.bands.items()],
        "total_weight": card.total_weight,
        "features": [_plain_feature(name, part) for name, part in card.features.items()],
    }


def _plain_feature(name: str, feature: Feature) -> Document:
    return {
        "name": name,
        "weight": feature.weight,
        "missing": feature.missing,
        "attainable": feature.attainable,
        "reason": feature.reason,
        **_plain_transform(feature.transform),
    }


def _plain_transform(transform: Linear | Log | Bins | Categories) -> Document:
    if isinstance(transform, Linear):
        return {"kind": "linear", "worst": transform.worst, "span": transform.span}
    if isinstance(transform, Log):
        return {"kind": "log", "origin": transform.origin, "span": transform.span}
    if isinstance(transform, Bins):
        edges, values = list(transform.edges), list(transform.values)
        return {"kind": "bins", "edges": edges, "values": values}
    return {"kind": "categories", "values": dict(transform.values), "other": transform.other}


def _golden(card: Scorecard) -> list[Any]:
    return [[party, _expected(card, party)] for party in golden_parties(card)]


def _expected(card: Scorecard, party: dict[str, Any]) -> Document:
    result = score_party(card, party)
    return {
        "score": result.score,
        "band": result.band,
        "missing_features": list(result.missing_features),
        "reasons": [code.feature for code in result.reason_codes],
        "points": list(result.contributions.values()),
    }
