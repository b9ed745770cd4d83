"""The plots of docs/performance.md and of the README, as SVG."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

from benchmarks.evidence.charts import COLOURS, GREY
from benchmarks.performance.aims import millions, pipeline_rows
from benchmarks.performance.measure import spread

WIDTH, HEIGHT = 300, 200
_BAR = 18


def contenders(part: Mapping[str, Any], title: str) -> Any:
    """Draw the median seconds of each contender with low and high, one panel per size.

    Parameters
    ----------
    part : mapping
        Of the results, with rows of `compare`.
    title : str
        Of the axis of seconds.

    Returns
    -------
    altair chart
        Log scale; contenders in the order of the run.
    """
    bars = [
        {"size": f"{row['what']}: {millions(row['n'])}", "contender": name, **spread(seconds)}
        for row in part["rows"] for name, seconds in row["seconds"].items()
    ]  # fmt: skip
    names = list(dict.fromkeys(bar["contender"] for bar in bars))
    sizes = list(dict.fromkeys(bar["size"] for bar in bars))
    log = alt.Scale(type="log", nice=False)
    base = alt.Chart().encode(y=alt.Y("contender:N", sort=names, title=None))
    point = base.mark_point(filled=True, size=70, color=COLOURS[0]).encode(
        x=alt.X("median:Q", scale=log, title=title)
    )
    line = base.mark_rule(color=COLOURS[0]).encode(x="low:Q", x2="high:Q")
    layers = alt.layer(line, point, data=alt.Data(values=bars))
    return layers.properties(width=WIDTH, height=_BAR * len(names)).facet(
        facet=alt.Facet("size:N", sort=sizes, title=None), columns=2
    )


def growth_of_pipeline(part: Mapping[str, Any]) -> Any:
    """Draw time and peak memory of the pipeline, from 10 k to 10 M parties.

    Parameters
    ----------
    part : mapping
        The part ``pipeline`` of the results.

    Returns
    -------
    altair chart
        Two panels on log scales; grey is linear growth, from the largest size back.
    """
    rows = pipeline_rows(part)
    panels = [
        _growth(rows, "wall", "seconds of the whole pipeline"),
        _growth(rows, "peak_gib", "peak memory, GiB"),
    ]
    return alt.hconcat(*panels)


def _growth(rows: list[dict[str, Any]], column: str, title: str) -> Any:
    last = rows[-1]
    lines = [
        {"n": row["n"], "value": value, "what": what}
        for row in rows
        for what, value in (
            ("measured", row[column]),
            ("linear", last[column] * row["n"] / last["n"]),
        )
    ]
    least = min(row[column] for row in rows)
    log = alt.Scale(type="log", nice=False)
    axis = alt.Axis(format="~s", values=[row["n"] for row in rows])
    colour = alt.Scale(domain=["measured", "linear"], range=[COLOURS[0], GREY])
    return (
        alt.Chart(alt.Data(values=[line for line in lines if line["value"] >= least / 2]))
        .mark_line(point=True)
        .encode(
            x=alt.X("n:Q", scale=log, title="parties", axis=axis),
            y=alt.Y("value:Q", scale=log, title=title),
            color=alt.Color("what:N", scale=colour, title=None),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )
