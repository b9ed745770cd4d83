"""No more streams than there are places, however many ask at the same moment."""

from __future__ import annotations

import asyncio

import pytest

from app.domain.types import Document
from app.edge import streams


def test_of_those_who_ask_at_the_same_moment_no_more_watch_than_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "MOST_PER_PERSON", 2)

    async def look() -> Document:
        return {"is_live": True}

    async def ask_at_once() -> list[str]:
        places = streams.Streams()
        opened = [places.open("ada", look, lambda _: False).body_iterator for _ in range(4)]
        for one in opened:
            assert "retry" in str(await anext(one))
        return [str(await anext(one, "over")).partition("\n")[0] for one in opened]

    assert asyncio.run(ask_at_once()) == ["event: state", "event: state", "over", "over"]
