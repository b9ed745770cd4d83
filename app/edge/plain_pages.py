"""Failures before any page is reached, for people: no database, no session, no template."""

from __future__ import annotations

import json
from html import escape

from fastapi import Response
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.datastructures import Headers

_OTHERS = ("/api/", "/healthz", "/readyz", "/metrics")
_PASSED_ON = ("retry-after", "allow", "connection")
_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · Chancellor</title>
<link rel="stylesheet" href="/static/desk.css">
</head>
<body>
<header class="top"><div class="bar"><a class="brand" href="/">Chancellor</a></div></header>
<main>
<h1>{title}</h1>
<div class="notice fail" role="alert"><p>{detail}</p></div>
<p>{next}</p>
<p class="hint">Code <code>{code}</code>; the log holds it under <code>{request}</code>.</p>
</main>
</body>
</html>
"""
_NEXT = {
    404: 'Look whether the address is complete, or <a href="/">go to the overview</a>.',
    413: "Send a smaller file, or bring it in with the command line, which has no such limit.",
    503: "Reload the page in a few seconds, and look whether the step was done before trying again.",  # noqa: E501 - one sentence
}


def for_people(path: str, headers: Headers, answer: JSONResponse) -> Response:
    """Turn a problem document into a page where a browser asked for one.

    Parameters
    ----------
    path : str
        Of the request; programs ask for other paths than people.
    headers : Headers
        Of the request.
    answer : JSONResponse
        The problem document.

    Returns
    -------
    Response
        A page with the same status, code and headers; else `answer` itself.

    Examples
    --------
    >>> answer = JSONResponse({"title": "Not Found", "detail": "<b>", "code": "x",
    ...                        "request_id": "r"}, 404)
    >>> for_people("/x", Headers({"accept": "text/html"}), answer).media_type
    'text/html'
    >>> for_people("/api/x", Headers({"accept": "text/html"}), answer) is answer
    True
    """
    if path.startswith(_OTHERS) or "text/html" not in headers.get("accept", ""):
        return answer
    found = json.loads(bytes(answer.body))
    text = _PAGE.format(
        title=escape(found["title"]),
        detail=escape(found["detail"]),
        code=escape(found["code"]),
        request=escape(str(found["request_id"])),
        next=_NEXT.get(answer.status_code, 'Go back, or <a href="/">go to the overview</a>.'),
    )
    kept = {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers}
    return HTMLResponse(
        text, answer.status_code, {**kept, "Content-Security-Policy": _POLICY, "Vary": "Accept"}
    )
