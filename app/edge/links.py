"""Which answer leads to which request, for the OpenAPI document."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.types import Document


@dataclass(frozen=True, slots=True)
class Link:
    """A value of an answer that another request takes.

    Attributes
    ----------
    source, status : str
        Operation and status of the answer.
    target : str
        Operation that takes it.
    given : dict of str to str
        Parameter to runtime expression, as OpenAPI writes both.
    """

    source: str
    status: str
    target: str
    given: dict[str, str]


_VERSIONS = "/api/scoring/versions"
_VERSION = f"{_VERSIONS}/{{version}}"
_TAG = "$response.header.ETag"
_NEW = {"version": "$response.body#/version"}
_FIRST = {"version": "$response.body#/items/0/version"}

LINKS = (
    Link(f"GET {_VERSIONS}", "200", f"GET {_VERSION}", _FIRST),
    Link(f"GET {_VERSIONS}", "200", f"POST {_VERSION}/rollback", _FIRST),
    Link(
        f"GET {_VERSIONS}",
        "200",
        f"GET {_VERSIONS}/compare",
        {"a": "$response.body#/items/1/version", "b": "$response.body#/items/0/version"},
    ),
    Link(f"GET {_VERSION}", "200", f"POST {_VERSION}/approve", {**_NEW, "If-Match": _TAG}),
    Link(f"GET {_VERSION}", "200", f"POST {_VERSION}/reject", {**_NEW, "If-Match": _TAG}),
    Link(f"GET {_VERSION}", "200", f"POST {_VERSION}/activate", {**_NEW, "If-Match": _TAG}),
    Link(f"POST {_VERSIONS}", "201", f"GET {_VERSION}", _NEW),
    Link(f"POST {_VERSIONS}", "201", f"POST {_VERSION}/reject", {**_NEW, "If-Match": _TAG}),
    Link(
        "GET /api/pipeline/models",
        "200",
        "GET /api/pipeline/models/{model_id}",
        {"model_id": "$response.body#/items/0/model_id"},
    ),
    Link(
        "POST /api/pipeline/trigger/{pipeline}",
        "202",
        "GET /api/pipeline/status/{run_id}",
        {"run_id": "$response.body#/run_id"},
    ),
    Link(
        "POST /api/pipeline/trigger/{pipeline}",
        "202",
        "POST /api/pipeline/cancel/{run_id}",
        {"run_id": "$response.body#/run_id"},
    ),
    Link(
        "POST /api/scoring/score",
        "200",
        "GET /api/scoring/scores/{score_id}",
        {"score_id": "$response.body#/results/0/id"},
    ),
    Link(
        "GET /api/batches",
        "200",
        "GET /api/batches/{batch_id}",
        {"batch_id": "$response.body#/items/0/batch_id"},
    ),
    Link(
        "POST /api/batches",
        "201",
        "GET /api/batches/{batch_id}",
        {"batch_id": "$response.body#/batch_id"},
    ),
    Link(
        "GET /api/batches",
        "200",
        "GET /api/labels/{batch_id}",
        {"batch_id": "$response.body#/items/0/batch_id"},
    ),
)


def add_links(document: Document) -> None:
    """Write the links into an OpenAPI document.

    Parameters
    ----------
    document : dict
        It is changed. A link between operations that are not served is an error.
    """
    for link in LINKS:
        method, path = link.target.split()
        target = document["paths"][path][method.lower()]
        method, path = link.source.split()
        answer = document["paths"][path][method.lower()]["responses"][link.status]
        answer.setdefault("links", {})[target["operationId"]] = {
            "operationId": target["operationId"],
            "parameters": dict(link.given),
        }
