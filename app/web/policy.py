"""The policy: what is in force, what was before, and putting another in force."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Query, Response

from app.domain.types import Document
from app.edge.policy_words import FIELDS, PolicyField
from app.errors import ChancellorError, DocumentError
from app.web.routing import Desk, OnDesk, go_to, page_router

router = page_router("/policy")

Before = Annotated[int | None, Query(ge=1, le=2**31 - 1)]
_MOST = 20
_ONLY = "only_"


@router.get("")
def show_policy(desk: OnDesk, before: Before = None) -> Response:
    """Show the policy in force and its history."""
    return _page(desk, before=before)


@router.post("")
def set_policy(desk: OnDesk) -> Response:
    """Put what was typed in force."""
    try:
        document = {
            field.name: value
            for field in FIELDS
            if (value := _READERS[field.kind](desk, field)) is not _LEFT_OUT
        }
        desk.use.policies.set_policy(document, expected_hash=desk.text("expected") or None)
    except ChancellorError as error:
        typed = {name: value for name, value in desk.form.items() if isinstance(value, str)}
        return _page(desk, refused=error, typed=typed)
    return go_to("/policy")


def _page(
    desk: Desk,
    *,
    before: int | None = None,
    refused: ChancellorError | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    in_force = desk.use.policies.get_policy()
    history = desk.use.policies.list_policies(before=before, limit=_MOST)
    return desk.render(
        "policy.html",
        refused=refused,
        policy=in_force,
        fields=FIELDS,
        titles={field.name: field for field in FIELDS},
        history=history,
        older=history[-1]["policy_id"] if len(history) == _MOST else None,
        typed=typed or as_typed(in_force["content"]),
        faults=faults_of(refused, [field.name for field in FIELDS]),
        is_open_form=refused is not None,
    )


def as_typed(content: Document) -> dict[str, str]:
    """Write a policy as a person would type it into the form.

    Parameters
    ----------
    content : dict
        The policy's content, every field.

    Returns
    -------
    dict of str to str
        By field of the form; switches that are off are left out, as browsers do.
    """
    typed: dict[str, str] = {}
    for field in FIELDS:
        value = content[field.name]
        if field.kind == "switch":
            typed |= {field.name: "yes"} if value else {}
        elif field.kind == "names":
            typed |= {f"{_ONLY}{field.name}": "yes"} if value is not None else {}
            typed[field.name] = "\n".join(value or ())
        elif field.kind == "roles":
            lines = [f"{role}: {_listed(who)}" for role, who in value.items()]
            typed[field.name] = "\n".join(lines)
        elif value is None or field.kind == "text":
            typed[field.name] = value or ""
        else:
            typed[field.name] = f"{value:.10g}"
    return typed


def _listed(who: Any) -> str:
    return str(who) if isinstance(who, int) else ", ".join(who)


def faults_of(refused: ChancellorError | None, names: list[str]) -> dict[str, str]:
    """Sort what is wrong in a document by the field of the form that it belongs to.

    Parameters
    ----------
    refused : ChancellorError or None
        A document's error has one line for each fault, beginning with its place.
    names : list of str
        Fields of the form.

    Returns
    -------
    dict of str to str
        By field, where there is a fault.
    """
    lines = refused.message.split("\n") if isinstance(refused, DocumentError) else ()
    found: dict[str, str] = {}
    for line in lines:
        place, _, problem = line.partition(": ")
        for name in names:
            if place == name or place.startswith((f"{name}.", f"{name}[")):
                found[name] = f"{found[name]}; {problem}" if name in found else problem
    return found


_LEFT_OUT = object()


def _typed(desk: Desk, field: PolicyField) -> object:
    return desk.text(field.name) or _LEFT_OUT


def _switch(desk: Desk, field: PolicyField) -> object:
    return bool(desk.text(field.name))


def _names(desk: Desk, field: PolicyField) -> object:
    lines = [line.strip() for line in desk.text(field.name).splitlines() if line.strip()]
    return lines if desk.text(f"{_ONLY}{field.name}") else None


def _roles(desk: Desk, field: PolicyField) -> object:
    """Read one role a line; the names, or the number, stand after a colon."""
    found: dict[str, object] = {}
    for line in desk.text(field.name).splitlines():
        role, colon, who = (part.strip() for part in line.partition(":"))
        if not line.strip():
            continue
        if not colon or not role or not who:
            raise DocumentError(field.name, f"{line.strip()!r} is not written as role: names")
        if role in found:
            raise DocumentError(field.name, f"{role!r} is given twice")
        names = [name.strip() for name in who.split(",") if name.strip()]
        found[role] = who if field.name == "approvals_by_role" else names
    return found


_READERS: dict[str, Callable[[Desk, PolicyField], object]] = {
    "number": _typed,
    "text": _typed,
    "switch": _switch,
    "names": _names,
    "roles": _roles,
}
