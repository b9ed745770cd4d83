"""Batches, outcomes, labels, definitions and policy over HTTP, on each database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from app.db import close_engine, open_session
from app.main import create_app
from app.services.key_service import KeyService
from app.services.label_generation_service import LabelGenerationService
from app.settings import Settings
from tests.api.conftest import Running
from tests.conftest import Store
from tests.support.portfolio import party, write_batch
from tests.support.service import served

Asked = Callable[[str], httpx.Client]
CSV = {"Content-Type": "text/csv"}
COLUMNS = {"party_id": "id", "scored_at": "on"}


def _csv(folder: Path, *ids: str) -> bytes:
    return write_batch(folder / "b.csv", [party(name) for name in ids]).read_bytes()


def _send(client: httpx.Client, content: bytes, name: str) -> httpx.Response:
    return client.post(
        "/api/batches", params={**COLUMNS, "batch_id": name}, content=content, headers=CSV
    )


def test_final_flags_of_a_batch_are_outcomes_too(asked: Asked, tmp_path: Path) -> None:
    assert _send(asked("analyst"), _csv(tmp_path, "p1", "p2", "p3"), "B1").status_code == 201
    flags = {"party_id": "id", "batch_id": "B1", "flag": "late", "bad": "1"}

    def send(params: dict[str, str]) -> httpx.Response:
        content = b"id,late\np1,1\np2,0\np3,0\n"
        return asked("analyst").post("/api/outcomes", params=params, content=content, headers=CSV)

    stored = send(flags)
    assert stored.status_code == 201, stored.text
    document = stored.json()
    assert (document["kind"], document["n_bad"], document["n_good"]) == ("final_flag", 1, 2)
    assert send(flags).json()["already_imported"] is True
    for params, missing, out_of_place in (
        ({"party_id": "id"}, ["event_date", "event_type", "through"], []),
        ({"party_id": "id", "flag": "late"}, ["batch_id", "bad"], []),
        (flags | {"through": "2026-01-31"}, [], ["through"]),
    ):
        refused = send(params)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_input")
        assert refused.json()["facts"]["missing"] == missing
        assert refused.json()["facts"]["out_of_place"] == out_of_place


def test_a_batch_and_its_outcomes_become_labels(
    running: Running, asked: Asked, tmp_path: Path
) -> None:
    content = _csv(tmp_path, "p1", "p2", "p3")
    stored = _send(asked("analyst"), content, "B1")
    assert stored.status_code == 201, stored.text
    assert (stored.json()["n_rows"], stored.json()["already_imported"]) == (3, False)
    assert _send(asked("analyst"), content, "B1").json()["already_imported"] is True
    other = _send(asked("analyst"), _csv(tmp_path, "p9"), "B1")
    assert (other.status_code, other.json()["code"]) == (409, "conflict")
    events = asked("analyst").post(
        "/api/outcomes",
        params={
            "party_id": "id",
            "event_date": "on",
            "event_type": "write_off",
            "through": "2026-01-31",
            "file_name": "write-offs.csv",
        },
        content=b"id,on\np1,2025-06-01\np2,\n",
        headers=CSV,
    )
    assert events.status_code == 201, events.text
    assert events.json()["n_events"] == 1
    with open_session(running.store.database_url) as db:
        LabelGenerationService(db).generate_labels(batch_id="B1")
    labels = asked("viewer").get("/api/labels/B1").json()["items"]
    assert [(one["n_parties"], one["n_bad"] + one["n_good"]) for one in labels] == [(3, 3)]
    details = asked("viewer").get("/api/batches/B1").json()
    assert details["created_by"] == "analyst"
    assert len(details["label_sets"]) == 1


def test_faults_of_a_file_are_the_problem_document_and_nothing_is_stored(
    asked: Asked, tmp_path: Path
) -> None:
    content = _csv(tmp_path, "p1", "p1")
    answer = _send(asked("analyst"), content, "B1")
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["code"], problem["facts"]["n_faults"]) == ("intake", 1)
    assert problem["facts"]["faults"][0]["row"] == 3
    assert asked("viewer").get("/api/batches/B1").status_code == 404


def test_pages_of_a_list_hold_every_row_once(asked: Asked, tmp_path: Path) -> None:
    names = [f"B{number}" for number in range(5)]
    for name in names:
        assert _send(asked("analyst"), _csv(tmp_path, name), name).status_code == 201
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": 2} | ({} if cursor is None else {"cursor": cursor})
        answer = asked("viewer").get("/api/batches", params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        seen += [one["batch_id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        if len(seen) == 2:  # what is added meanwhile shifts nothing
            assert _send(asked("analyst"), _csv(tmp_path, "new"), "B9").status_code == 201
    assert seen == names[::-1]
    wrong = asked("viewer").get("/api/audit", params={"cursor": "WzcsIkIxIl0"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_input")


@pytest.mark.parametrize(
    ("query", "kind", "status", "code"),
    [
        ({"file_name": "../../etc/passwd"}, "text/csv", 400, "unusable_file_name"),
        ({}, "application/json", 415, "unsupported_media_type"),
        ({"batch_id": "../B1"}, "text/csv", 422, "invalid_request"),
    ],
)
def test_what_is_no_file_is_refused(
    sqlite_running: Running, query: dict[str, str], kind: str, status: int, code: str
) -> None:
    with sqlite_running.client("analyst") as client:
        answer = client.post(
            "/api/batches",
            params={**COLUMNS, "batch_id": "B1", **query},
            content=b"id,on\n",
            headers={"Content-Type": kind},
        )
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.fixture
def small(sqlite_store: Store) -> Iterator[httpx.Client]:
    """A client of a service that takes 1,000 bytes of a file and 2,000 of another body."""
    with open_session() as db:
        key = KeyService(db, actor="tester").create(owner="ada", role="admin")["key"]
    settings = Settings(max_upload_bytes=1_000, max_body_bytes=2_000)
    with (
        served(create_app(settings)) as url,
        httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, trust_env=False
        ) as client,
    ):
        yield client
    close_engine(sqlite_store.database_url)


def test_a_body_is_refused_as_soon_as_it_is_too_large(small: httpx.Client) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(3):
            yield b"a" * 500

    query = {**COLUMNS, "batch_id": "B1"}
    declared = small.post("/api/batches", params=query, content=b"a" * 1_500, headers=CSV)
    streamed = small.post("/api/batches", params=query, content=pieces(), headers=CSV)
    document = small.put("/api/policy", json={"note": "a" * 2_000})
    for answer in (declared, streamed, document):
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_definitions_have_versions(asked: Asked) -> None:
    body = {"name": "late", "bad": [{"event_type": "days_past_due", "more_than": 60}]}
    admin = asked("admin")
    added = admin.post("/api/definitions", json=body)
    assert (added.status_code, added.json()["version"], added.json()["changed"]) == (201, 1, True)
    assert admin.post("/api/definitions", json=body).json()["changed"] is False
    body["bad"] = [{"event_type": "days_past_due", "more_than": 30}]
    assert admin.post("/api/definitions", json=body).json()["version"] == 2
    listed = asked("viewer").get("/api/definitions").json()["items"]
    assert [(one["name"], one["version"]) for one in listed] == [
        ("default", 1),
        ("late", 1),
        ("late", 2),
    ]


def test_a_policy_is_put_in_force_by_an_admin_with_every_fault_named(asked: Asked) -> None:
    admin = asked("admin")
    assert admin.put("/api/policy", json={"min_auc_roc": 0.65}).json()["changed"] is True
    wrong = admin.put("/api/policy", json={"min_auc": 0.7, "max_band_shift": 2})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "document")
    assert asked("viewer").get("/api/policy").json()["content"]["min_auc_roc"] == 0.65
