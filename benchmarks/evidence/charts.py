"""The plots of docs/evidence.md, as SVG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import altair as alt
import vl_convert

from benchmarks.evidence.records import Record
from benchmarks.evidence.tables import CARDS

GREY = "#c9c9c9"
WIDTH, HEIGHT = 300, 190
NAMES = {card: name for card, name in CARDS.items() if card != "refined"}
LINES = {"mean": "mean (solid)", "worst": "worst (dashed)"}
COLOURS = ["#0b6e4f", "#4b8bbe", GREY, "#b0413e", "#8f6bb0"]


def save(chart: Any, path: Path) -> None:
    """Write a chart as SVG; the same chart gives the same file."""
    svg = vl_convert.vegalite_to_svg(chart.to_dict())
    path.write_text(svg + "\n", encoding="utf-8")


def harm(rows: list[Record]) -> Any:
    """Draw mean and worst change of the AUC against the expert, by n."""
    points = [
        {"expert": row["expert"], "n": row["n"], "card": name, "change": row[f"{card}: {what}"],
         "what": LINES[what]}
        for row in rows for card, name in NAMES.items() for what in ("mean", "worst")
    ]  # fmt: skip
    return (
        alt.Chart(alt.Data(values=points))
        .mark_line(point=True)
        .encode(
            x=alt.X("n:Q", scale=alt.Scale(type="log", nice=False), title="labelled parties"),
            y=alt.Y("change:Q", title="AUC less the expert's"),
            color=_colour("card", list(NAMES.values())),
            strokeDash=alt.StrokeDash("what:N", title=None),
        )
        .properties(width=WIDTH, height=HEIGHT)
        .facet(facet=alt.Facet("expert:N", title=None), columns=2)
        .resolve_scale(y="independent")
    )


def advice(rows: list[Record]) -> Any:
    """Draw how often each advice was given, by n."""
    names = ["adopt", "wait", "keep", "stopped"]
    rows = [row for row in rows if row["validation"] == "auto"]
    bars = [
        {"expert": row["expert"], "n": f"{row['n']:,}", "advice": name, "share": row[name],
         "order": names.index(name)}
        for row in rows for name in names
    ]  # fmt: skip
    return (
        alt.Chart(alt.Data(values=bars))
        .mark_bar()
        .encode(
            x=alt.X("n:N", sort=[f"{n:,}" for n in sorted({row["n"] for row in rows})]),
            y=alt.Y("share:Q", title="share of runs", scale=alt.Scale(domain=[0, 1])),
            color=_colour("advice", names),
            order="order:Q",
        )
        .properties(width=WIDTH, height=150)
        .facet(facet=alt.Facet("expert:N", title=None), columns=2)
    )


def recovery(rows: list[Record]) -> Any:
    """Draw the median error of the weights against n, both on log scales."""
    lines = {
        "median error of the expert": "expert",
        "of the refined card": "refined card",
        "of the model": "model",
    }
    points = [
        {"n": row["n"], "card": name, "error": row[column]}
        for row in rows
        for column, name in lines.items()
    ]
    return (
        alt.Chart(alt.Data(values=points))
        .mark_line(point=True)
        .encode(
            x=alt.X("n:Q", scale=alt.Scale(type="log", nice=False), title="labelled parties"),
            y=alt.Y(
                "error:Q", scale=alt.Scale(type="log", nice=False), title="median |w / truth - 1|"
            ),
            color=_colour("card", list(lines.values())),
        )
        .properties(width=420, height=240)
    )


def rounds(rows: list[Record]) -> Any:
    """Draw the AUC of the card in force after each round."""
    points = [
        {"round": row["round"], "n": f"{row['n per round']:,} a round", "card": name,
         "auc": row[column]}
        for row in rows
        for column, name in (("AUC of the card in force", "card in force (solid)"),
                             ("AUC of the truth", "truth (dashed)"))
    ]  # fmt: skip
    return (
        alt.Chart(alt.Data(values=points))
        .mark_line(point=True)
        .encode(
            x=alt.X("round:O"),
            y=alt.Y("auc:Q", scale=alt.Scale(zero=False), title="exact AUC"),
            color=_colour("n", sorted({point["n"] for point in points})),
            strokeDash=alt.StrokeDash("card:N", title=None),
        )
        .properties(width=420, height=240)
    )


def curves(rows: list[Record]) -> Any:
    """Draw the gain on the rows left out, by n, for each data set."""
    lines = {
        "followed": "following the advice",
        "refined": "every refined card",
        "regression": "unanchored regression",
    }
    points = [
        {"data": row["data"], "n": row["n"], "card": name, "gain": row[f"{card}: mean"]}
        for row in rows
        for card, name in lines.items()
    ]
    return (
        alt.Chart(alt.Data(values=points))
        .mark_line(point=True)
        .encode(
            x=alt.X("n:Q", scale=alt.Scale(type="log", nice=False), title="rows trained on"),
            y=alt.Y("gain:Q", title="mean gain on the rows left out"),
            color=_colour("card", list(lines.values())),
        )
        .properties(width=WIDTH, height=HEIGHT)
        .facet(facet=alt.Facet("data:N", title=None), columns=2)
        .resolve_scale(x="independent", y="independent")
    )


def periods(rows: list[Record]) -> Any:
    """Draw bad rate and AUC by year of approval."""
    lines = ("bad rate", "AUC of the baseline", "AUC of the refined card, unseen")
    points = [
        {"year": row["approved in"], "what": name, "value": row[name]}
        for row in rows
        for name in lines
        if row[name] is not None
    ]
    return (
        alt.Chart(alt.Data(values=points))
        .mark_line(point=True)
        .encode(
            x=alt.X("year:O", title="approved in"),
            y=alt.Y("value:Q", title=None),
            color=_colour("what", list(lines)),
        )
        .properties(width=480, height=220)
    )


def _colour(field: str, names: list[str]) -> Any:
    used = COLOURS if field == "advice" else [colour for colour in COLOURS if colour != GREY]
    scale = alt.Scale(domain=names, range=used[: len(names)])
    return alt.Color(f"{field}:N", scale=scale, title=None, legend=alt.Legend(labelLimit=260))
