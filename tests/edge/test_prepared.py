"""Documents are computed once however many ask, and a failure is remembered only briefly."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from app.domain.types import Document, Progress
from app.edge.prepared import (
    AT_ONCE,
    MOST_WAITING,
    Computing,
    Failed,
    PreparedDocuments,
    Ready,
)
from app.errors import InvalidInputError, UnavailableError


@pytest.fixture
def prepared() -> Iterator[PreparedDocuments]:
    made = PreparedDocuments(most=2, failure_seconds=0.05)
    yield made
    made.stop()


def test_two_readers_at_once_have_it_computed_once(prepared: PreparedDocuments) -> None:
    together, may_end, calls = Barrier(8), Event(), []

    def compute(progress: Progress) -> Document:
        calls.append(1)
        progress("Comparing", 1, 3)
        assert may_end.wait(10)
        return {"auc": 0.7}

    def ask() -> Ready | Computing | Failed:
        together.wait(10)
        return prepared.take(("v1", "v2"), compute, wait_seconds=0.2)

    with ThreadPoolExecutor(8) as readers:
        seen = [future.result() for future in [readers.submit(ask) for _ in range(8)]]
    assert all(isinstance(one, Computing) for one in seen)
    assert {(one.stage, one.done, one.total) for one in seen} == {("Comparing", 1, 3)}
    assert len({one.since for one in seen}) == 1
    may_end.set()
    ready = prepared.take(("v1", "v2"), compute, wait_seconds=10)
    assert isinstance(ready, Ready)
    assert ready.document == {"auc": 0.7}
    assert prepared.take(("v1", "v2"), compute) is ready
    assert len(calls) == 1


def test_a_failure_is_shown_and_after_a_while_tried_again(prepared: PreparedDocuments) -> None:
    tries = []

    def compute(_: Progress) -> Document:
        tries.append(1)
        if len(tries) == 1:
            raise InvalidInputError("the batch lacks a feature")
        return {"n": len(tries)}

    failed = prepared.take(("v2",), compute, wait_seconds=10)
    assert isinstance(failed, Failed)
    assert str(failed.error) == "the batch lacks a feature"
    assert prepared.take(("v2",), compute, wait_seconds=10) is failed
    Event().wait(0.06)
    ready = prepared.take(("v2",), compute, wait_seconds=10)
    assert isinstance(ready, Ready)
    assert ready.document == {"n": 2}


def test_another_key_is_another_document_and_the_oldest_goes(prepared: PreparedDocuments) -> None:
    calls = []

    def ask(name: str) -> Document:
        def compute(_: Progress) -> Document:
            calls.append(name)
            return {"name": name}

        found = prepared.take((name,), compute, wait_seconds=10)
        assert isinstance(found, Ready)
        return found.document

    assert [ask(name)["name"] for name in "abacab"] == list("abacab")
    assert calls == ["a", "b", "c", "b"]


def test_a_crowd_of_wishes_is_refused_and_forgotten_once_the_others_are_done(
    prepared: PreparedDocuments,
) -> None:
    may_end = Event()

    def compute(_: Progress) -> Document:
        assert may_end.wait(10)
        return {}

    for number in range(AT_ONCE + MOST_WAITING):
        assert isinstance(prepared.take((str(number),), compute), Computing)
    refused = prepared.take(("one more",), compute)
    assert isinstance(refused, Failed)
    assert isinstance(refused.error, UnavailableError)
    assert isinstance(prepared.take(("0",), compute), Computing), "what was admitted goes on"
    may_end.set()
    last = str(AT_ONCE + MOST_WAITING - 1)
    assert isinstance(prepared.take((last,), compute, wait_seconds=10), Ready)
    assert isinstance(prepared.take(("one more",), compute, wait_seconds=10), Ready)


def test_the_log_does_not_quote_what_a_computation_read(
    prepared: PreparedDocuments, capsys: pytest.CaptureFixture[str]
) -> None:
    def compute(_: Progress) -> Document:
        return {"income": int("31250,00 of P-4711")}

    failed = prepared.take(("v9",), compute, wait_seconds=10)
    assert isinstance(failed, Failed)
    said = "".join(capsys.readouterr())
    assert "ValueError" in said
    assert "4711" not in said
