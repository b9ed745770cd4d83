"""People and keys: who may do what, make a key, revoke one."""

from __future__ import annotations

from fastapi import Response

from app.domain.access import MEANINGS, RIGHTS_OF, ROLES
from app.domain.types import Document
from app.errors import ChancellorError, InvalidInputError
from app.services.people_service import PeopleService
from app.web.routing import Desk, OnDesk, go_to, page_router

router = page_router()

_DAYS = "90"


@router.get("/people")
def show_people(desk: OnDesk) -> Response:
    """Show everybody who may do something here."""
    return _page(desk)


@router.post("/keys")
def create_key(desk: OnDesk) -> Response:
    """Make a key, and show it on this answer alone."""
    try:
        made = desk.use.keys.create(
            owner=desk.text("owner"),
            role=desk.text("role"),
            name=desk.text("name"),
            days=_days(desk.text("days")),
        )
    except ChancellorError as error:
        typed = {name: desk.text(name) for name in ("owner", "role", "name", "days")}
        return _page(desk, refused=error, typed=typed)
    return desk.render("key_made.html", made=made)


@router.post("/keys/{key_id}/revoke")
def revoke_key(desk: OnDesk, key_id: str) -> Response:
    """Revoke a key for good."""
    try:
        desk.use.keys.revoke(key_id, reason=desk.text("reason"))
    except ChancellorError as error:
        return _page(desk, refused=error, revoking=key_id)
    return go_to("/people")


def _page(
    desk: Desk,
    *,
    refused: ChancellorError | None = None,
    typed: Document | None = None,
    revoking: str = "",
) -> Response:
    return desk.render(
        "people.html",
        refused=refused,
        **PeopleService(desk.db).get_people(),
        roles=ROLES,
        rights_of=RIGHTS_OF,
        meanings=MEANINGS,
        typed=typed or {"owner": "", "role": "viewer", "name": "", "days": _DAYS},
        revoking=revoking,
    )


def _days(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 9:  # noqa: PLR2004 - any service's limit is below
        raise InvalidInputError(f"{text[:20]!r} is no number of days.", days=text[:20])
    return int(text)
