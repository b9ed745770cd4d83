"""A checked chain is what was written, to the letter and in type; the export says the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.audit_chain import (
    GENESIS_HASH,
    ChainLink,
    StoredEvent,
    checked_pages,
    event_text,
    hash_text,
)
from app.domain.exported_chain import exported_line, exported_pages
from app.errors import AuditChainError

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LINKS = st.tuples(TEXTS, TEXTS, TEXTS, TEXTS, TEXTS)
AWKWARD = (
    "",
    '"',
    "\\",
    "\n\r\t\b\f",
    "\x00\x1f\x7f",
    "\u2028\u2029\x85",
    "é€日本𝔘",
    "</script>",
    "{}",
)


def _chain(contents: list[tuple[str, str, str, str, str]]) -> list[StoredEvent]:
    """Write events as ``record`` does: by canonical JSON, not by the reader's own text."""
    last, events = GENESIS_HASH, []
    for seq, (at, actor, action, subject, payload) in enumerate(contents, start=1):
        link = ChainLink(seq, at, actor, action, subject, payload, last)
        text = event_text(link)
        events.append(
            StoredEvent(seq, at, actor, action, subject, payload, last, hash_text(text), text)
        )
        last = hash_text(text)
    return events


def _read(events: list[Any]) -> list[Any]:
    return [row for page in checked_pages([events]) for row in page]


@given(st.lists(LINKS, min_size=1, max_size=4))
def test_whatever_texts_were_written_are_checked_as_the_same_text(contents) -> None:
    events = _chain(contents)
    assert _read(events) == events
    lines = [exported_line(event.hash, event.hashed_text).encode() for event in events]
    exported = [row for page in checked_pages(exported_pages(lines)) for row in page]
    assert exported == [tuple(event) for event in events]


def test_awkward_texts_are_checked_as_the_same_text() -> None:
    events = _chain([(text, text, text, text, text) for text in AWKWARD])
    assert _read(events) == events
    text = "".join(exported_line(event.hash, event.hashed_text) for event in events)
    assert [json.loads(line)["hash"] for line in text.split("\n")[:-1]] == [e.hash for e in events]


@given(LINKS, st.sampled_from(StoredEvent._fields), st.one_of(
    st.none(), st.integers(), st.floats(), st.binary(max_size=4), st.booleans(),
    st.text(max_size=4), st.just("\ud800"),
))  # fmt: skip
def test_any_other_value_in_any_column_is_named(content, column, value) -> None:
    events = _chain([content, content])
    if type(value) is type(getattr(events[1], column)) and value == getattr(events[1], column):
        return
    changed = events[1]._replace(**{column: value})
    if column == "seq" and value == 2 and f"{value}" == "2":
        return
    with pytest.raises(AuditChainError) as caught:
        _read([events[0], changed])
    assert caught.value.facts["seq"] == 2


@pytest.mark.parametrize("payload", ['{"a": 1}', '{"a":1} ', '{ "a":1}'])
def test_a_text_with_the_same_meaning_is_not_the_same_text(payload) -> None:
    """The text is hashed as it is; a reader that only parsed it would not see this."""
    event = _chain([("at", "ada", "a", "s", '{"a":1}')])[0]
    text = event.hashed_text.replace('"actor":', '"actor": ')
    for changed in (
        event._replace(payload=payload),
        event._replace(hashed_text=text),
        event._replace(hashed_text=text, hash=hash_text(text)),
    ):
        with pytest.raises(AuditChainError, match="event 1"):
            _read([changed])


@pytest.mark.parametrize(
    "line",
    [b"", b"\n", b"[]", b"7", b"{}", b'{"hash":"a","hashed_text":7}',
     b'{"hash":"a","hashed_text":"7"}', b'{"hash":"a","hashed_text":"{}"}', b"\xff\xfe",
     b"[" * 100_000],
)  # fmt: skip
def test_a_line_that_is_no_event_is_named(line) -> None:
    good = _chain([("at", "ada", "a", "s", "{}")])[0]
    lines = [exported_line(good.hash, good.hashed_text).encode(), line]
    with pytest.raises(AuditChainError, match="line 2, event 2") as caught:
        list(checked_pages(exported_pages(lines)))
    assert caught.value.facts["seq"] == 2
