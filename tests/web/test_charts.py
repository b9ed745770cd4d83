"""What every chart of the desk keeps, and the numbers that it shows."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import altair as alt
import pytest
import vl_convert

from app.charts.bands import contrast
from app.charts.catalogue import CHARTS
from app.charts.svg import VEGA_LITE, _drawn, draw_svg, inline_svg
from app.charts.theme import LOOKS, THEMES, Look, Palette
from app.domain.types import Document
from tests.support.chart_documents import MARKUP, chart_documents

KINDS = sorted(CHARTS)
SIZES = [Look(), Look(is_narrow=True)]
"""The themes differ in colours only."""
READABLE = 4.5


def _nodes(part: Any) -> Iterator[Document]:
    """Give every mapping of a document."""
    if isinstance(part, dict):
        yield part
        for one in part.values():
            yield from _nodes(one)
    elif isinstance(part, list):
        for one in part:
            yield from _nodes(one)


def test_every_chart_has_a_document_here() -> None:
    assert sorted(chart_documents()) == KINDS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("look", SIZES, ids=["wide", "narrow"])
def test_every_chart_is_valid_vega_lite_as_wide_as_its_screen(kind: str, look: Look) -> None:
    specification = CHARTS[kind].draw(chart_documents()[kind], look)
    alt.Chart.from_dict(specification)
    drawn = ET.fromstring(draw_svg(specification))  # noqa: S314 - our own drawing
    assert float(drawn.attrib["width"]) <= look.width + 1
    json.dumps(specification, allow_nan=False)


@pytest.mark.parametrize("kind", KINDS)
def test_every_axis_says_what_it_shows(kind: str) -> None:
    """Vega itself is asked, after Vega-Lite has merged the layers."""
    specification = CHARTS[kind].draw(chart_documents()[kind], Look())
    full = vl_convert.vegalite_to_vega(specification, vl_version=VEGA_LITE)
    labelled = [
        axis for node in _nodes(full) for axis in node.get("axes", []) if axis.get("labels", True)
    ]
    assert labelled, kind
    assert all(axis.get("title") for axis in labelled)


@pytest.mark.parametrize("kind", KINDS)
def test_names_are_text_and_never_markup(kind: str) -> None:
    for look in SIZES:
        svg = draw_svg(CHARTS[kind].draw(chart_documents(MARKUP)[kind], look))
        names = {node.tag.rpartition("}")[2] for node in ET.fromstring(svg).iter()}  # noqa: S314 - our own
        assert names <= {"svg", "g", "path", "text", "tspan", "line", "rect", "defs"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_drawing_refers_to_nothing_and_is_the_same_again(kind: str) -> None:
    specification = CHARTS[kind].draw(chart_documents()[kind], Look())
    first = draw_svg(specification)
    _drawn.cache_clear()
    assert draw_svg(specification) == first
    namespaces = first.replace("http://www.w3.org/2000/svg", "")
    namespaces = namespaces.replace("http://www.w3.org/1999/xlink", "")
    for forbidden in ("http", "url(", "href=", "style", "@import", "clip"):
        assert forbidden not in namespaces, forbidden


def test_a_specification_that_asks_for_an_image_is_refused() -> None:
    asked = {
        "data": {"values": [{}]},
        "mark": {"type": "image", "url": "https://example.invalid/x.png"},
    }
    with pytest.raises(Exception, match=r"<image>|image"):
        draw_svg(asked)


@pytest.mark.parametrize("palette", THEMES.values(), ids=THEMES)
def test_text_is_readable_in_light_and_dark(palette: Palette) -> None:
    written = (palette.ink, palette.quiet, palette.old, palette.new, palette.failed)
    assert min(contrast(colour, palette.paper) for colour in written) >= READABLE


@pytest.mark.parametrize("look", LOOKS.values(), ids=[*map("-".join, LOOKS)])
def test_counts_are_readable_on_every_cell_of_the_migration(look: Look) -> None:
    specification = CHARTS["migration"].draw(chart_documents()["migration"], look)
    cells = specification["layer"][0]["data"]["values"]
    assert min(contrast(cell["ink"], cell["fill"]) for cell in cells) >= READABLE


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_behind_a_chart_runs_nothing_in_a_spreadsheet(kind: str) -> None:
    document = chart_documents("=HYPERLINK(1)")[kind]
    table = CHARTS[kind].tabulate(document)
    for row in csv.reader(io.StringIO(table.as_csv(), newline="")):
        assert len(row) == len(table.columns)
        assert not any(cell.startswith(("=", "@", "+", "\t")) for cell in row)
    assert all(text for row in table.cells() for text, is_number in row if is_number)


def test_a_dumbbell_names_what_stopped_each_weight_and_what_stopped_all() -> None:
    document = chart_documents()["dumbbell"]
    text = json.dumps(CHARTS["dumbbell"].draw(document, Look()))
    assert "Stopped by (all: band stability)" in text
    assert '"binding": "weight change (lower)"' in text


def test_a_dumbbell_draws_estimates_past_the_edge_at_the_edge() -> None:
    specification = CHARTS["dumbbell"].draw(chart_documents()["dumbbell"], Look())
    rows = {row["name"]: row for row in specification["layer"][0]["data"]["values"]}
    wild = rows["total_transaction_volume_6m"]
    assert wild["alone"] is None
    assert wild["beyond"] > 0
    assert (wild["low"], wild["low_cap"], wild["high_cap"]) == (0.0, None, 21.642)


def test_at_most_twenty_features_are_drawn_and_all_are_in_the_table() -> None:
    one = chart_documents()["dumbbell"]["features"]["kyc_verified"]
    features = {f"feature_{n:02}": {**one, "change": n / 100} for n in range(34)}
    document = {"old": "v1", "new": "ml_v2", "features": features}
    specification = CHARTS["dumbbell"].draw(document, Look())
    drawn = [row["name"] for row in specification["layer"][0]["data"]["values"]]
    assert drawn == [f"feature_{n:02}" for n in range(33, 13, -1)]
    assert "20 of 34 features" in json.dumps(specification)
    assert len(CHARTS["dumbbell"].tabulate(document).rows) == len(features)


def test_a_waterfall_ends_at_the_score() -> None:
    specification = CHARTS["waterfall"].draw(chart_documents()["waterfall"], Look())
    rows = specification["layer"][1]["data"]["values"]
    assert [row["name"] for row in rows] == ["base", "kyc_verified", "network_size", "score"]
    assert rows[-2]["to"] == rows[-1]["to"] == 393.0


def test_an_inline_drawing_takes_every_colour_from_the_page() -> None:
    drawn = inline_svg(CHARTS["waterfall"].draw(chart_documents(MARKUP)["waterfall"], Look()), "A")
    attributes = [
        (name, value)
        for node in ET.fromstring(drawn).iter()  # noqa: S314 - our own drawing
        for name, value in node.attrib.items()
    ]
    colours = {value for name, value in attributes if name in {"fill", "stroke"}}
    assert all(value in {"none", "transparent"} or value.startswith("var(--") for value in colours)
    assert [value for name, value in attributes if name == "role"] == ["img"]
    assert not any(name == "style" for name, _ in attributes)
    assert "<script>" not in drawn
