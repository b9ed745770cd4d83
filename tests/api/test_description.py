"""What the OpenAPI document and the answers around it say, where FastAPI alone would not."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from app.main import create_app
from tests.api.conftest import Running


@pytest.fixture
def operations(sqlite_store: object) -> list[dict[str, Any]]:
    paths = create_app().openapi()["paths"]
    return [operation for methods in paths.values() for operation in methods.values()]


def test_no_parameter_may_be_null(operations: list[dict[str, Any]]) -> None:
    given = [one for operation in operations for one in operation.get("parameters", [])]
    assert given
    assert [
        one["name"] for one in given if {"type": "null"} in one["schema"].get("anyOf", [])
    ] == []


def test_a_method_that_a_path_has_not_is_answered_with_those_it_has(
    sqlite_running: Running,
) -> None:
    for path, allowed in (("/api/policy", "GET, PUT"), ("/api/batches/b", "GET")):
        answer = httpx.delete(f"{sqlite_running.url}{path}", trust_env=False)
        assert answer.status_code == 405
        assert answer.headers["allow"] == allowed
        assert answer.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize("moment", ["0", "0.5", "1e9", "1700000000"])
def test_a_number_is_no_time(sqlite_running: Running, moment: str) -> None:
    with sqlite_running.client("viewer") as client:
        answer = client.get("/api/scoring/versions/at", params={"time": moment})
        assert answer.status_code == 422
        assert "not a number" in answer.json()["detail"]
