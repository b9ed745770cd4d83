"""The OpenAPI document: FastAPI's, made to say what the service does, to the letter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.domain.access import OPEN_ENDPOINTS
from app.domain.types import Document
from app.edge.links import add_links
from app.edge.preconditions import STRONG_TAG
from app.edge.problems import Problem

_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "A key from `chancellor keys create`, or a token of the identity provider.",
}


def describe(app: FastAPI) -> Document:
    """Give the OpenAPI document of an application, made once.

    Parameters
    ----------
    app : FastAPI
        With all its routes.

    Returns
    -------
    dict
        OpenAPI 3.1, with the key, the problem document, and parameters as they are taken.
    """
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        parts = document.setdefault("components", {})
        parts["securitySchemes"] = {"key": _SCHEME}
        schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        parts.setdefault("schemas", {})["Problem"] = schema
        for method, path, operation in _operations(document):
            is_open = (method.upper(), path) in OPEN_ENDPOINTS
            operation["security"] = [] if is_open else [{"key": []}]
            for parameter in operation.get("parameters", []):
                _describe_parameter(parameter, needs_tag="428" in operation["responses"])
        add_links(document)
        app.openapi_schema = document
    return app.openapi_schema


def _operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def _describe_parameter(parameter: dict[str, Any], *, needs_tag: bool) -> None:
    """Say that a parameter is absent rather than null, and what If-Match looks like."""
    schema = parameter["schema"]
    kinds = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1:
        schema.update(kinds[0])
    elif kinds:
        schema["anyOf"] = kinds
    if parameter["name"].lower() == "if-match":
        schema.pop("maxLength", None)  # the pattern says it
        schema["pattern"] = STRONG_TAG
        schema["examples"] = ['"%s"' % ("9a2689df" * 8)]
        parameter["required"] = needs_tag
