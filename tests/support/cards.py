"""Generated scorecards and the raw values that are hardest on them."""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from app.domain.intake import as_text
from app.domain.scorecard import Feature, Scorecard
from app.domain.transforms import Bins, Categories, Linear, Log

GOODNESS = st.one_of(
    st.sampled_from([0.0, 0.1, 0.25, 1 / 3, 0.5, 0.7, 1.0]),
    st.floats(0.0, 1.0, allow_subnormal=False),
)
PLAIN = st.floats(-1e6, 1e6, allow_subnormal=False)
WIDE = st.floats(-1e300, 1e300, allow_subnormal=False)
WORDS = st.one_of(
    st.sampled_from(["1", "true", "No", "a 'quoted' word", 'say "so"', "ä", "Ä", "x;y", "%", "\\"]),
    st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=6),
).filter(lambda word: as_text(word) is not None)
NAMES = st.one_of(
    st.sampled_from(
        ["age", "score", "band", "row", "a b", 'a"b', "a'b", "Größe", "x0", "party_id"]
    ),
    st.text("abcxyz_ 0123", min_size=1, max_size=8).filter(str.strip),
)


@st.composite
def linear(draw: st.DrawFn) -> dict[str, Any]:
    worst, best = draw(st.tuples(PLAIN, PLAIN).filter(lambda ends: abs(ends[0] - ends[1]) > 1e-9))
    return {"kind": "linear", "worst": worst, "best": best}


@st.composite
def log(draw: st.DrawFn) -> dict[str, Any]:
    ends = st.floats(0.0, 1e9, allow_subnormal=False)
    worst, best = draw(
        st.tuples(ends, ends).filter(lambda two: abs(two[0] - two[1]) > 1e-6 * (1 + two[0]))
    )
    return {"kind": "log", "worst": worst, "best": best}


@st.composite
def bins(draw: st.DrawFn) -> dict[str, Any]:
    edges = sorted(draw(st.sets(PLAIN.map(lambda edge: edge + 0.0), min_size=1, max_size=5)))
    values = draw(st.lists(GOODNESS, min_size=len(edges) + 1, max_size=len(edges) + 1))
    return {"kind": "bins", "edges": edges, "values": values}


@st.composite
def categories(draw: st.DrawFn) -> dict[str, Any]:
    keys = draw(st.lists(WORDS, min_size=1, max_size=5, unique_by=as_text))
    values = {key: draw(GOODNESS) for key in keys}
    return {"kind": "categories", "values": values, "other": draw(GOODNESS)}


@st.composite
def features(draw: st.DrawFn) -> dict[str, Any]:
    feature: dict[str, Any] = {
        "weight": draw(
            st.one_of(st.sampled_from([0, 1, 5, 10, 0.1]), st.floats(0, 1e6, allow_subnormal=False))
        ),
        "transform": draw(st.one_of(linear(), log(), bins(), categories())),
    }
    if draw(st.booleans()):
        feature["missing"] = draw(GOODNESS)
    return feature


@st.composite
def documents(draw: st.DrawFn, max_features: int = 7) -> dict[str, Any]:
    low = draw(st.integers(-1000, 1000))
    high = low + draw(st.integers(1, 2000))
    inner = draw(st.sets(st.integers(low, high - 1), max_size=4)) | {low}
    names = draw(
        st.lists(NAMES, min_size=1, max_size=max_features, unique_by=lambda name: name.casefold())
    )
    chosen = {name: draw(features()) for name in names}
    if not any(feature["weight"] > 0 for feature in chosen.values()):
        chosen[names[0]]["weight"] = 1
    return {
        "name": "generated",
        "range": {"min": low, "max": high},
        "bands": {f"band {place}": bound for place, bound in enumerate(sorted(inner))},
        "features": chosen,
    }


def cards(max_features: int = 7) -> st.SearchStrategy[Scorecard]:
    """Draw valid scorecards."""
    return documents(max_features).map(Scorecard.from_document)


@st.composite
def columns(draw: st.DrawFn, feature: Feature, n_rows: int) -> list[Any]:
    """Draw a column of one type: nulls, edges and their neighbours, extremes, text."""
    values = draw(st.sampled_from(_column_kinds(feature)))
    return draw(st.lists(values, min_size=n_rows, max_size=n_rows))


def _column_kinds(feature: Feature) -> list[st.SearchStrategy[Any]]:
    transform = feature.transform
    whole = st.one_of(st.none(), st.integers(-3, 10**6))
    flags = st.one_of(st.none(), st.booleans())
    if isinstance(transform, Categories):
        blank = st.sampled_from([None, "", " ", "nan", "1.0", "TRUE", " 2 "])
        texts = st.one_of(blank, st.sampled_from(sorted(transform.values)), WORDS)
        halves = st.one_of(st.none(), st.sampled_from([math.nan, 1.0, 0.5, -2.0]))
        return [texts, texts, texts, whole, flags, halves]
    numbers = st.one_of(st.sampled_from([None, math.nan]), _near(transform), PLAIN, WIDE)
    written = st.sampled_from(["", " ", "nan", "1.50", " 2 ", "+3e1", "-.5", "true", "False"])
    texts = st.one_of(st.none(), written, _near(transform).map(repr), PLAIN.map(repr))
    return [numbers, numbers, numbers, texts, whole, flags]


def _near(transform: Linear | Log | Bins) -> st.SearchStrategy[float]:
    if isinstance(transform, Bins):
        marks = list(transform.edges)
    else:
        marks = [transform.worst, transform.best, (transform.worst + transform.best) / 2]
    beside = [math.nextafter(mark, way) for mark in marks for way in (math.inf, -math.inf)]
    return st.sampled_from([*marks, *beside, 0.0, -0.0, -1.0, 5e-324])


@st.composite
def portfolios(draw: st.DrawFn, max_rows: int = 12) -> tuple[Scorecard, pa.Table]:
    """Draw a card and a table to score by it; a feature may be absent throughout."""
    card = draw(cards())
    n_rows = draw(st.integers(1, max_rows))
    given = {
        name: pa.array(draw(columns(feature, n_rows)))
        for name, feature in card.features.items()
        if draw(st.integers(0, 9)) > 0
    }
    # a column of its own keeps the number of rows where no feature is given
    return card, pa.table({"a column of its own": pa.nulls(n_rows), **given})
