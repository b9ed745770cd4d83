"""Decisions over HTTP, recorded and not, on each database."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from app.domain.scorecard import default_card
from tests.api.conftest import Running

Asked = Callable[[str], httpx.Client]
SCORE = "/api/scoring/score"


def _parties(*features: dict[str, Any]) -> dict[str, Any]:
    return {
        "parties": [
            {"party_id": f"P{number}", "features": given} for number, given in enumerate(features)
        ]
    }


def test_a_decision_is_recorded_with_what_was_given(asked: Asked) -> None:
    given = {"kyc_verified": 1, "company_age_years": 4.5, "shoe_size": "44"}
    answer = asked("service").post(SCORE, json=_parties(given, {}))
    assert answer.status_code == 200, answer.text
    first, second = answer.json()["results"]
    # by hand, from design section 9: only these two features have points; the weights sum to 120
    assert first["unrounded_score"] == pytest.approx(300 + 600 * (15 + 10 * 0.45) / 120)
    assert first["unknown_features"] == ["shoe_size"]
    assert (second["score"], second["band"]) == (300, "very_poor")
    stored = asked("viewer").get(f"/api/scoring/scores/{first['id']}").json()
    assert stored["features"] == given
    assert (stored["actor"], stored["score"]) == ("service", first["score"])
    counted = asked("viewer").get("/api/scoring/statistics").json()
    assert (counted["n_decisions"], counted["versions"][0]["version"]) == (2, "v1")


def test_without_record_nothing_is_kept(asked: Asked) -> None:
    answer = asked("service").post(SCORE, params={"record": "false"}, json=_parties({}))
    assert answer.json()["results"][0]["id"] is None
    assert asked("viewer").get("/api/scoring/statistics").json()["n_decisions"] == 0


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (_parties({"kyc_verified": "yes"}), 422, "invalid_input"),
        (_parties({"kyc_verified": [1]}), 422, "invalid_request"),
        ({"parties": []}, 422, "invalid_request"),
        (_parties({}) | {"version": "v9"}, 404, "not_found"),
        (_parties({}) | {"versoin": "v1"}, 422, "invalid_request"),
    ],
)
def test_what_cannot_be_scored_is_refused_with_its_place(
    sqlite_running: Running, body: dict[str, Any], status: int, code: str
) -> None:
    with sqlite_running.client("service") as client:
        answer = client.post(SCORE, json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(_parties({"kyc_verified": 1})).encode(),
        json.dumps(_parties({"kyc_verified": "yes"}, {"company_age_years": "old"})).encode(),
        json.dumps({"parties": [{"features": {"kyc_verified": [1]}}, 7], "versoin": 1}).encode(),
        b"[" * 40 + b"]" * 40,
        b'{"parties": [], "parties": []}',
        b"null",
        b"{",
    ],
)
def test_the_short_way_of_a_request_gives_the_answer_of_the_long_one(
    sqlite_running: Running, body: bytes
) -> None:
    """A query makes FastAPI handle the request; without one it is answered in one thread."""
    with sqlite_running.client("service") as client:
        client.headers["Content-Type"] = "application/json"
        answers = [client.post(SCORE + query, content=body) for query in ("", "?record=true")]
        strangers = [
            client.post(SCORE + query, content=body, headers={"Authorization": "Bearer no"})
            for query in ("", "?record=true")
        ]
    short, long = (_but_for_chance(answer.json()) for answer in answers)
    assert short == long
    assert answers[0].status_code == answers[1].status_code
    assert answers[0].headers.keys() == answers[1].headers.keys()
    assert [stranger.status_code for stranger in strangers] == [401, 401]


def _but_for_chance(document: dict[str, Any]) -> dict[str, Any]:
    for result in document.get("results", []):
        result |= {"id": len(result["id"]), "at": len(result["at"])}
    return {
        name: value for name, value in document.items() if name not in {"instance", "request_id"}
    }


@pytest.mark.slow
def test_ten_thousand_parties_and_no_more(sqlite_running: Running) -> None:
    features = dict.fromkeys(default_card().features, 1)
    with sqlite_running.client("service") as client:
        full = client.post(SCORE, json=_parties(*[features] * 10_000))
        over = client.post(SCORE, json=_parties(*[{}] * 10_001))
    assert (full.status_code, len(full.json()["results"])) == (200, 10_000)
    assert (over.status_code, over.json()["code"]) == (422, "invalid_request")
