"""A browser without a window: signs in at the desk, and sends forms with their token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from app.edge.browser import CSRF_FIELD, SESSION_COOKIE, csrf_token
from tests.support.service import Running


@dataclass(frozen=True, slots=True)
class DeskClient:
    """Somebody signed in."""

    http: httpx.Client

    def get(self, path: str) -> httpx.Response:
        """Open a page."""
        return self.http.get(path)

    def send(self, path: str, **form: str | list[str]) -> httpx.Response:
        """Send a form of one of our pages; a redirect is not followed."""
        token = csrf_token(self.http.cookies[SESSION_COOKIE])
        return self.http.post(path, data={CSRF_FIELD: token, **form})


@contextmanager
def signed_in(service: Running, role: str) -> Iterator[DeskClient]:
    """Sign in with the key of a role."""
    with httpx.Client(base_url=service.url, trust_env=False, timeout=60) as http:
        answer = http.post("/sign-in", data={"key": service.keys[role]})
        assert answer.status_code == 303, answer.text
        yield DeskClient(http)
