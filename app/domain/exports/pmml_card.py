"""The card as a PMML 4.4 Scorecard, with every formula written out and nothing approximated."""

from __future__ import annotations

import sys
from collections.abc import Callable
from xml.etree import ElementTree as ET

from app.domain.exports.pmml_expressions import (
    apply,
    chosen,
    field,
    goodness,
    number,
    text,
    whole,
)
from app.domain.exports.stamp import NOT_IN_XML, Stamp, refuse_characters
from app.domain.party_score import TIE
from app.domain.reasons import MOST_REASONS, RESOLUTION
from app.domain.scorecard import Scorecard
from app.domain.scorecard_parts import Feature
from app.domain.transforms import Bins, Categories
from app.errors import InvalidInputError

_NAMESPACE = "http://www.dmg.org/PMML-4_4"


def pmml_card(card: Scorecard, stamp: Stamp) -> str:
    """Write a card as a PMML 4.4 Scorecard.

    Parameters
    ----------
    card : Scorecard
        The card.
    stamp : Stamp
        Which version it is.

    Returns
    -------
    str
        XML. The outputs are `pmml_outputs`. Bins and categories are attributes with partial
        scores; linear and logarithmic features have a ComplexPartialScore.

    Raises
    ------
    InvalidInputError
        If a text holds a character that XML cannot, or a feature is called like an output.

    Examples
    --------
    >>> from app.domain.scorecard import default_card
    >>> card = default_card()
    >>> xml = pmml_card(card, Stamp("v1", card.content_hash, "chancellor export v1 --to pmml"))
    >>> xml.count("<Characteristic ")
    16
    """
    refuse_characters(card, NOT_IN_XML, "PMML")
    outputs = {name.casefold() for name in pmml_outputs(card)}
    for name in card.feature_names:
        if name.casefold() in outputs:
            problem = f"feature {name!r} is called like an output, which PMML cannot tell apart"
            raise InvalidInputError(problem, feature=name)
    root = ET.Element("PMML", {"xmlns": _NAMESPACE, "version": "4.4"})
    header = ET.SubElement(root, "Header", description="; ".join(stamp.lines(card.name)))
    ET.SubElement(header, "Application", name="Chancellor")
    root.append(_dictionary(card))
    root.append(_scorecard(card))
    ET.indent(root)
    written = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{written}\n'


def pmml_outputs(card: Scorecard) -> tuple[str, ...]:
    """Name what the PMML gives for a party.

    Parameters
    ----------
    card : Scorecard
        The card.

    Returns
    -------
    tuple of str
        ``unrounded_score``, ``score``, ``band``, ``reason_1`` to ``reason_4`` (missing where
        fewer features lost points) and ``points_<feature>``.

    Examples
    --------
    >>> from app.domain.scorecard import default_card
    >>> pmml_outputs(default_card())[:3]
    ('unrounded_score', 'score', 'band')
    """
    reasons = (f"reason_{place}" for place in range(1, MOST_REASONS + 1))
    points = (f"points_{name}" for name in card.feature_names)
    return ("unrounded_score", "score", "band", *reasons, *points)


def _dictionary(card: Scorecard) -> ET.Element:
    dictionary = ET.Element("DataDictionary", numberOfFields=str(len(card.features)))
    largest = repr(sys.float_info.max)
    for name, feature in card.features.items():
        if feature.transform.takes_numbers:
            kind = {"optype": "continuous", "dataType": "double"}
            declared = ET.SubElement(dictionary, "DataField", {"name": name, **kind})
            ends = {"leftMargin": f"-{largest}", "rightMargin": largest}
            ET.SubElement(declared, "Interval", {"closure": "closedClosed", **ends})
        else:
            kind = {"optype": "categorical", "dataType": "string"}
            ET.SubElement(dictionary, "DataField", {"name": name, **kind})
    return dictionary


def _scorecard(card: Scorecard) -> ET.Element:
    model = ET.Element(
        "Scorecard",
        modelName=card.name,
        functionName="regression",
        initialScore=repr(float(card.range.min)),
        useReasonCodes="true",
        reasonCodeAlgorithm="pointsBelow",
        baselineMethod="max",
    )
    schema = ET.SubElement(model, "MiningSchema")
    for name in card.feature_names:
        ET.SubElement(schema, "MiningField", name=name)
    helper = _helpers(card)
    model.append(_output(card, helper))
    model.append(_transformations(card, helper))
    characteristics = ET.SubElement(model, "Characteristics")
    for place, (name, feature) in enumerate(card.features.items()):
        characteristics.append(_characteristic(card, name, feature, helper("points", place)))
    return model


Helper = Callable[[str, int], str]


def _helpers(card: Scorecard) -> Helper:
    """Name derived fields so that no feature is called like one."""
    mark = "_"
    while any(name.startswith(mark) for name in card.feature_names):
        mark += "_"
    return lambda what, place: f"{mark}{what}_{place}"


def _points(card: Scorecard, feature: Feature, share: float) -> float:
    span = card.range.max - card.range.min
    return span * feature.weight * share / card.total_weight


def _characteristic(card: Scorecard, name: str, feature: Feature, points: str) -> ET.Element:
    best = _points(card, feature, feature.attainable)
    characteristic = ET.Element(
        "Characteristic", name=name, reasonCode=name, baselineScore=repr(best)
    )

    def attribute(share: float | None, **predicate: str) -> None:
        shown = {} if share is None else {"partialScore": repr(_points(card, feature, share))}
        added = ET.SubElement(characteristic, "Attribute", shown)
        if predicate:
            ET.SubElement(added, "SimplePredicate", {"field": name, **predicate})
        else:
            ET.SubElement(added, "True")
        if share is None:
            ET.SubElement(added, "ComplexPartialScore").append(field(points))

    attribute(feature.missing, operator="isMissing")
    transform = feature.transform
    if isinstance(transform, Bins):
        for edge, share in zip(transform.edges, transform.values[:-1], strict=True):
            attribute(share, operator="lessThan", value=repr(edge))
        attribute(transform.values[-1])
    elif isinstance(transform, Categories):
        for category, share in transform.values.items():
            attribute(share, operator="equal", value=category)
        attribute(transform.other)
    else:
        attribute(None)
    return characteristic


def _transformations(card: Scorecard, helper: Helper) -> ET.Element:
    derived = ET.Element("LocalTransformations")

    def define(what: str, place: int, expression: ET.Element) -> None:
        kind = {"optype": "continuous", "dataType": "integer" if what == "rank" else "double"}
        added = ET.SubElement(derived, "DerivedField", {"name": helper(what, place), **kind})
        added.append(expression)

    span, total = card.range.max - card.range.min, number(card.total_weight)
    for place, (name, feature) in enumerate(card.features.items()):
        share, full = field(helper("goodness", place)), number(span * feature.weight)
        define("goodness", place, goodness(name, feature))
        define("points", place, apply("/", apply("*", full, share), total))
        below = apply("-", number(feature.attainable), share)
        lost = apply("*", apply("/", apply("*", full, below), total), number(RESOLUTION))
        define("loss", place, apply("floor", apply("+", lost, number(0.5))))
    n_features = len(card.features)
    for place in range(n_features):
        mine = field(helper("loss", place))
        ahead = [
            apply(
                "if",
                apply(
                    "greaterOrEqual" if other < place else "greaterThan",
                    field(helper("loss", other)),
                    mine,
                ),
                whole(1),
                whole(0),
            )
            for other in range(n_features)
            if other != place
        ]
        define("rank", place, apply("sum", whole(0), *ahead))
    return derived


def _output(card: Scorecard, helper: Helper) -> ET.Element:
    output = ET.Element("Output")
    kind = {"optype": "continuous", "dataType": "double", "feature": "predictedValue"}
    ET.SubElement(output, "OutputField", {"name": "unrounded_score", **kind})

    def give(name: str, data_type: str, expression: ET.Element) -> None:
        shown = {"dataType": data_type, "feature": "transformedValue"}
        shown["optype"] = "categorical" if data_type == "string" else "continuous"
        ET.SubElement(output, "OutputField", {"name": name, **shown}).append(expression)

    raised = apply("+", apply("+", field("unrounded_score"), number(0.5)), number(TIE))
    give("score", "integer", apply("floor", raised))
    score = field("score")
    lowest, *others = card.band_names
    bands = [
        (apply("greaterOrEqual", score, whole(card.bands[name])), text(name))
        for name in reversed(others)
    ]
    give("band", "string", chosen(bands, text(lowest)))
    for position in range(MOST_REASONS):
        cases = [
            (
                apply(
                    "and",
                    apply("greaterThan", field(helper("loss", place)), number(0.0)),
                    apply("equal", field(helper("rank", place)), whole(position)),
                ),
                text(name),
            )
            for place, name in enumerate(card.feature_names)
        ]
        give(f"reason_{position + 1}", "string", chosen(cases, None))
    for place, name in enumerate(card.feature_names):
        give(f"points_{name}", "double", field(helper("points", place)))
    return output
