"""The OpenAPI document: a snapshot, complete and true."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.main import create_app
from tests.conftest import Store

SNAPSHOT = Path(__file__).with_name("openapi.json")
RENEW = "python -m tests.api.test_openapi writes it anew; read the difference: clients rely on it"


def _document() -> dict[str, Any]:
    return json.loads(json.dumps(create_app().openapi(), sort_keys=True))


@pytest.fixture
def document(sqlite_store: Store) -> dict[str, Any]:
    del sqlite_store
    return _document()


def _operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_the_document_is_the_one_that_clients_know(document: dict[str, Any]) -> None:
    assert document == json.loads(SNAPSHOT.read_text(encoding="utf-8")), RENEW


def test_every_failure_is_described_as_a_problem_document(document: dict[str, Any]) -> None:
    for name, operation in _operations(document).items():
        if name in {"GET /healthz", "GET /readyz"}:
            continue
        assert {"400", "401", "403", "422", "429", "503"} <= set(operation["responses"]), name
        for status, answer in operation["responses"].items():
            kinds = list(answer["content"]) if int(status) >= 400 else ["application/problem+json"]
            assert kinds == ["application/problem+json"], (name, status)


def test_what_takes_a_body_shows_an_example(document: dict[str, Any]) -> None:
    for name, operation in _operations(document).items():
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body is not None:
            assert _has_example(body["schema"], document), name


def _has_example(schema: Any, document: dict[str, Any]) -> bool:
    if isinstance(schema, list):
        return any(_has_example(one, document) for one in schema)
    if not isinstance(schema, dict):
        return False
    if "examples" in schema or "example" in schema:
        return True
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _has_example(document["components"]["schemas"][name], document)
    return any(_has_example(value, document) for value in schema.values())


def test_the_routes_that_users_rely_on_are_there(document: dict[str, Any]) -> None:
    """Design, section 9."""
    assert {
        "POST /api/pipeline/trigger/{pipeline}",
        "GET /api/pipeline/models/{model_id}",
        "GET /api/scoring/versions",
        "POST /api/scoring/versions/{version}/activate",
    } <= set(_operations(document))


if __name__ == "__main__":
    SNAPSHOT.write_text(
        json.dumps(_document(), indent=1, sort_keys=True, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )
