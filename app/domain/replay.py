"""Compare what was recorded with what was computed again, number by number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from app.domain.canonical import canonical_json, content_hash
from app.domain.types import Document

Outcome = Literal["equal", "equal_weights", "different", "nothing_computed"]
"""Bit by bit; weights at two decimals only; not even that; a person wrote it."""

DECIMALS = 2
"""Weights count as equal where they round to the same number at so many decimals."""

SHOWN = 20
"""At most so many differences of one part are listed."""


@dataclass(frozen=True, slots=True)
class Part:
    """Hold one thing that was computed again.

    Attributes
    ----------
    name : str
        Such as ``coefficients``.
    subject : str
        Whose, such as ``model:m-20260331-7f3a``.
    recorded, computed : Any
        JSON-ready, or hashes.
    """

    name: str
    subject: str
    recorded: Any
    computed: Any

    @property
    def is_equal(self) -> bool:
        """Say whether both are the same to the last bit."""
        return canonical_json(self.recorded) == canonical_json(self.computed)

    def as_dict(self) -> Document:
        """Give the comparison: equal, both hashes, and the first differences."""
        found = [] if self.is_equal else list(find_differences(self.recorded, self.computed))
        moves = [abs(b - a) for _, a, b in found if _is_number(a) and _is_number(b)]
        return {
            "part": self.name,
            "subject": self.subject,
            "equal": self.is_equal,
            "recorded_hash": content_hash(self.recorded),
            "computed_hash": content_hash(self.computed),
            "n_differences": len(found),
            "largest_move": max(moves, default=None),
            "differences": [
                {"place": place, "recorded": a, "computed": b} for place, a, b in found[:SHOWN]
            ],
        }


def find_differences(
    recorded: Any, computed: Any, place: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """Find where two documents differ.

    Parameters
    ----------
    recorded, computed : Any
        JSON-ready.
    place : str
        Where both stand.

    Yields
    ------
    tuple of (str, Any, Any)
        Place, and what stands there in both; None where one has nothing.

    Examples
    --------
    >>> list(find_differences({"a": [1.0, 2.0], "b": 1}, {"a": [1.0, 2.5]}))
    [('a[1]', 2.0, 2.5), ('b', 1, None)]
    """
    if isinstance(recorded, Mapping) and isinstance(computed, Mapping):
        for key in [*recorded, *(key for key in computed if key not in recorded)]:
            inner = f"{place}.{key}" if place else str(key)
            yield from find_differences(recorded.get(key), computed.get(key), inner)
    elif _is_list(recorded) and _is_list(computed) and len(recorded) == len(computed):
        for index, (a, b) in enumerate(zip(recorded, computed, strict=True)):
            yield from find_differences(a, b, f"{place}[{index}]")
    elif canonical_json(recorded) != canonical_json(computed):
        yield place, recorded, computed


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def weights_agree(recorded: Mapping[str, float], computed: Mapping[str, float]) -> bool:
    """Say whether the weights of two cards are equal at two decimals.

    Parameters
    ----------
    recorded, computed : mapping of str to float
        Weight by feature.

    Returns
    -------
    bool
        False too where the features differ.

    Examples
    --------
    >>> weights_agree({"a": 12.34}, {"a": 12.340000001})
    True
    >>> weights_agree({"a": 12.34}, {"a": 12.35})
    False
    """
    if set(recorded) != set(computed):
        return False
    half = 0.5 * 10**-DECIMALS
    return all(abs(computed[name] - weight) < half for name, weight in recorded.items())


def changed_libraries(recorded: Mapping[str, str], now: Mapping[str, str]) -> tuple[Document, ...]:
    """List the libraries and parts of the machine that are not what they were.

    Parameters
    ----------
    recorded, now : mapping of str to str
        Version by name.

    Returns
    -------
    tuple of dict
        ``name``, ``recorded`` (None where it was not recorded) and ``now``, by name.

    Examples
    --------
    >>> changed_libraries({"numpy": "2.4.0", "glum": "3.4"}, {"numpy": "2.5.0", "glum": "3.4"})
    ({'name': 'numpy', 'recorded': '2.4.0', 'now': '2.5.0'},)
    """
    return tuple(
        {"name": name, "recorded": recorded.get(name), "now": now.get(name)}
        for name in sorted({*recorded, *now})
        if recorded.get(name) != now.get(name)
    )


def judge_replay(
    parts: Sequence[Part],
    libraries: Sequence[Document],
    *,
    weights: tuple[Mapping[str, float], Mapping[str, float]],
) -> tuple[Outcome, str]:
    """Say in one sentence what a replay found.

    Parameters
    ----------
    parts : sequence of Part
        Everything that was computed again.
    libraries : sequence of dict
        From ``changed_libraries``.
    weights : tuple of mapping
        Recorded and computed weights by feature.

    Returns
    -------
    tuple of (str, str)
        The outcome and the sentence.

    Examples
    --------
    >>> same = Part("weights", "version:ml_v2", {"a": 1.0}, {"a": 1.0})
    >>> judge_replay([same], [], weights=({"a": 1.0}, {"a": 1.0}))[0]
    'equal'
    >>> moved = Part("weights", "version:ml_v2", {"a": 1.0}, {"a": 1.0000001})
    >>> judge_replay([same, moved], [], weights=({"a": 1.0}, {"a": 1.0000001}))[0]
    'equal_weights'
    """
    differing = list(dict.fromkeys(part.name for part in parts if not part.is_equal))
    changed = ", ".join(
        f"{one['name']} {one['recorded'] or 'not recorded'} -> {one['now'] or 'gone'}"
        for one in libraries
    )
    if not differing:
        since = f" Changed since, without moving a number: {changed}." if changed else ""
        return "equal", f"Computed again from the recorded inputs, equal bit by bit.{since}"
    agree = weights_agree(*weights)
    said = "equal at two decimals" if agree else "NOT equal at two decimals"
    why = (
        f"Changed since it was made: {changed}; such a change moved these numbers."
        if changed
        else "Libraries and machine are those that were recorded: the program itself computes "
        "otherwise now (see Changed numbers in CHANGELOG.md)."
    )
    return (
        "equal_weights" if agree else "different",
        f"Computed again, {', '.join(differing)} differ; the weights are {said}. {why}",
    )
