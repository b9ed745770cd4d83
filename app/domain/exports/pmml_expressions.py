"""Expressions of PMML, and the four transforms written in them."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from app.domain.scorecard_parts import Feature
from app.domain.transforms import Bins, Categories, Linear


def number(value: float) -> ET.Element:
    """Write a double by its shortest decimal.

    Parameters
    ----------
    value : float
        Finite.

    Returns
    -------
    Element
        A Constant.

    Examples
    --------
    >>> ET.tostring(number(0.1))
    b'<Constant dataType="double">0.1</Constant>'
    """
    return _constant("double", repr(float(value)))


def whole(value: int) -> ET.Element:
    """Write a whole number.

    Parameters
    ----------
    value : int
        Of at most 32 bits.

    Returns
    -------
    Element
        A Constant.

    Examples
    --------
    >>> ET.tostring(whole(3))
    b'<Constant dataType="integer">3</Constant>'
    """
    return _constant("integer", str(value))


def text(value: str) -> ET.Element:
    """Write a text.

    Parameters
    ----------
    value : str
        Of characters that XML can hold.

    Returns
    -------
    Element
        A Constant.

    Examples
    --------
    >>> ET.tostring(text("a < b"))
    b'<Constant dataType="string">a &lt; b</Constant>'
    """
    return _constant("string", value)


def _constant(kind: str, value: str) -> ET.Element:
    element = ET.Element("Constant", dataType=kind)
    element.text = value
    return element


def field(name: str) -> ET.Element:
    """Refer to a field.

    Parameters
    ----------
    name : str
        Of the data, derived, or an output before this one.

    Returns
    -------
    Element
        A FieldRef.

    Examples
    --------
    >>> ET.tostring(field("age"))
    b'<FieldRef field="age" />'
    """
    return ET.Element("FieldRef", field=name)


def apply(function: str, *arguments: ET.Element) -> ET.Element:
    """Apply a function of PMML.

    Parameters
    ----------
    function : str
        A built-in function.
    *arguments : Element
        Expressions.

    Returns
    -------
    Element
        An Apply.

    Examples
    --------
    >>> ET.tostring(apply("floor", field("x")))
    b'<Apply function="floor"><FieldRef field="x" /></Apply>'
    """
    element = ET.Element("Apply", function=function)
    element.extend(arguments)
    return element


def chosen(
    cases: Sequence[tuple[ET.Element, ET.Element]], otherwise: ET.Element | None
) -> ET.Element:
    """Choose the value of the first condition that holds.

    Parameters
    ----------
    cases : sequence of (condition, value)
        In order; not empty unless there is `otherwise`.
    otherwise : Element or None
        Where none holds; None is a missing value.

    Returns
    -------
    Element
        Nested ``if``.

    Examples
    --------
    >>> chosen([], number(1.0)).text
    '1.0'
    """
    expression = otherwise
    for condition, value in reversed(cases):
        rest = () if expression is None else (expression,)
        expression = apply("if", condition, value, *rest)
    if expression is None:
        raise AssertionError(cases)
    return expression


def goodness(name: str, feature: Feature) -> ET.Element:
    """Write the goodness of a feature.

    Parameters
    ----------
    name : str
        Of the feature, and of its field.
    feature : Feature
        Of the card.

    Returns
    -------
    Element
        An expression that is never missing.

    Examples
    --------
    >>> feature = Feature(weight=1, transform=Linear(kind="linear", worst=0, best=4))
    >>> goodness("x", feature).get("function")
    'if'
    """
    value, transform = field(name), feature.transform
    if isinstance(transform, Bins):
        pairs = zip(transform.edges, transform.values[:-1], strict=True)
        cases = [(apply("lessThan", value, number(edge)), number(share)) for edge, share in pairs]
        given = chosen(cases, number(transform.values[-1]))
    elif isinstance(transform, Categories):
        known = transform.values.items()
        cases = [(apply("equal", value, text(word)), number(share)) for word, share in known]
        given = chosen(cases, number(transform.other))
    elif isinstance(transform, Linear):
        given = _clipped(apply("-", value, number(transform.worst)), transform.span)
    else:
        counted = apply("max", value, number(0.0))
        logarithm = apply("ln", apply("+", number(1.0), counted))
        given = _clipped(apply("-", logarithm, number(transform.origin)), transform.span)
    return apply("if", apply("isMissing", value), number(feature.missing), given)


def _clipped(distance: ET.Element, span: float) -> ET.Element:
    share = apply("/", distance, number(span))
    return apply("max", number(0.0), apply("min", number(1.0), share))
