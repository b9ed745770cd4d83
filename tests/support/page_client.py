"""Somebody at the desk without a browser: signed in, sending forms as the pages make them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import unescape
from typing import Any

import httpx

from tests.support.service import Running

_FIELD = re.compile(r'<input[^>]*?name="([^"]+)"[^>]*?value="([^"]*)"')


@contextmanager
def at_the_desk(desk: Running, role: str = "analyst") -> Iterator[httpx.Client]:
    """Sign in with a role's key; the client keeps the session.

    Parameters
    ----------
    desk : Running
        The service.
    role : str
        Whose key.
    """
    with httpx.Client(base_url=desk.url, timeout=120, trust_env=False) as client:
        answer = client.post("/sign-in", data={"key": desk.keys[role], "next": "/"})
        assert answer.status_code == 303, answer.text
        yield client


def hidden(page: httpx.Response) -> dict[str, str]:
    """Give the fields of a page's inputs by name, the last of each."""
    return {name: unescape(value) for name, value in _FIELD.findall(page.text)}


def send_file(
    client: httpx.Client, path: str, content: bytes | Any, name: str, **fields: str
) -> httpx.Response:
    """Send a form with a file, with the token of the page before it."""
    token = hidden(client.get(path.replace("/preview", "/new")))["csrf_token"]
    kind = "application/octet-stream"
    return client.post(
        path, data={"csrf_token": token, **fields}, files={"file": (name, content, kind)}
    )


def send_form(client: httpx.Client, path: str, given: Mapping[str, str]) -> httpx.Response:
    """Send a form as multipart, as the pages of intake do."""
    return client.post(path, files={name: (None, value) for name, value in given.items()})
