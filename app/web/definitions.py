"""Outcome definitions: which events make a party bad, and which indeterminate."""

from __future__ import annotations

from fastapi import Response

from app.domain.types import Document
from app.edge.definition_words import rules_words
from app.errors import ChancellorError
from app.web.policy import faults_of
from app.web.routing import Desk, OnDesk, go_to, page_router

router = page_router("/definitions")

EVENTS = ("write_off", "collection", "bankruptcy")
"""Events without a number of days."""

_START: Document = {
    "name": "",
    "bad_days": "90",
    "from_days": "30",
    "to_days": "90",
} | dict.fromkeys(EVENTS, "bad")


@router.get("")
def show_definitions(desk: OnDesk) -> Response:
    """Show every definition, and a form for the next."""
    return _page(desk)


@router.post("")
def add_definition(desk: OnDesk) -> Response:
    """Add a definition, or the next version of one."""
    try:
        desk.use.definitions.add_definition(desk.text("document") or _typed_definition(desk))
    except ChancellorError as error:
        typed = {name: value for name, value in desk.form.items() if isinstance(value, str)}
        return _page(desk, refused=error, typed=typed)
    return go_to("/definitions")


def _typed_definition(desk: Desk) -> Document:
    """Read the form; numbers stay text, which the document's own reader judges."""
    bad: list[Document] = [{"event_type": kind} for kind in EVENTS if desk.text(kind) == "bad"]
    unclear: list[Document] = [
        {"event_type": kind} for kind in EVENTS if desk.text(kind) == "indeterminate"
    ]
    if desk.text("bad_days"):
        bad.insert(0, {"event_type": "days_past_due", "more_than": desk.text("bad_days")})
    if desk.text("from_days"):
        rule = {"event_type": "days_past_due", "at_least": desk.text("from_days")}
        unclear.insert(
            0, rule | ({"at_most": desk.text("to_days")} if desk.text("to_days") else {})
        )
    return {"name": desk.text("name"), "bad": bad, "indeterminate": unclear}


def _page(
    desk: Desk, *, refused: ChancellorError | None = None, typed: Document | None = None
) -> Response:
    newest: dict[str, list[Document]] = {}
    for one in desk.use.definitions.list_definitions():
        newest.setdefault(one["name"], []).insert(0, one)
    return desk.render(
        "definitions.html",
        refused=refused,
        definitions=newest,
        words=rules_words,
        events=EVENTS,
        typed=typed or {**_START, "document": ""},
        faults=faults_of(refused, ["name", "bad", "indeterminate"]),
    )
