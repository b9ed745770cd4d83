"""What the rules say differently on SQLite and on PostgreSQL: null-safe inequality and JSON."""

from __future__ import annotations

from collections.abc import Mapping

_POLICY = "(SELECT p.content FROM policies p ORDER BY p.id DESC LIMIT 1)"


def _sqlite_names(place: str) -> str:
    return f"SELECT value FROM json_each({_POLICY}, {place})"


def _postgres_list(document: str) -> str:
    """Give no rows where the document has no list, whichever way a condition is evaluated."""
    return (
        "SELECT json_array_elements_text(CASE json_typeof("
        f"{document}) WHEN 'array' THEN {document} ELSE '[]'::json END)"
    )


WORDS: Mapping[str, Mapping[str, str]] = {
    "sqlite": {
        "differs": "IS NOT",
        "approvals_required": f"COALESCE(json_extract({_POLICY}, '$.approvals_required'), 1)",
        "self_review_allowed": f"COALESCE(json_extract({_POLICY}, '$.allow_self_review'), 1) = 1",
        "names_asked": (
            f"COALESCE(json_extract({_POLICY}, '$.require_named_acknowledgement'), 0) = 1"
        ),
        "any_approver": f"COALESCE(json_type({_POLICY}, '$.approvers'), 'null') = 'null'",
        "approvers": _sqlite_names("'$.approvers'"),
        "any_admin": f"COALESCE(json_type({_POLICY}, '$.admins'), 'null') = 'null'",
        "admins": _sqlite_names("'$.admins'"),
        "roles_asked": f"json_each({_POLICY}, '$.approvals_by_role') asked",
        "asked_number": "asked.value",
        "asked_people": _sqlite_names("'$.roles.\"' || asked.key || '\"'"),
        "acknowledged": "SELECT value FROM json_each(r.acknowledged)",
        "event_content_hash": "json_extract(e.payload, '$.content_hash')",
    },
    "postgresql": {
        "differs": "IS DISTINCT FROM",
        "approvals_required": f"COALESCE(({_POLICY}->>'approvals_required')::int, 1)",
        "self_review_allowed": f"COALESCE({_POLICY}->>'allow_self_review', 'true') = 'true'",
        "names_asked": (f"COALESCE({_POLICY}->>'require_named_acknowledgement', 'false') = 'true'"),
        "any_approver": f"COALESCE(json_typeof({_POLICY}->'approvers'), 'null') = 'null'",
        "approvers": _postgres_list(f"{_POLICY}->'approvers'"),
        "any_admin": f"COALESCE(json_typeof({_POLICY}->'admins'), 'null') = 'null'",
        "admins": _postgres_list(f"{_POLICY}->'admins'"),
        "roles_asked": (
            f"json_each_text(COALESCE({_POLICY}->'approvals_by_role', '{{}}'::json)) asked"
        ),
        "asked_number": "asked.value::int",
        "asked_people": _postgres_list(f"{_POLICY}->'roles'->asked.key"),
        "acknowledged": _postgres_list("r.acknowledged"),
        "event_content_hash": "e.payload::json->>'content_hash'",
    },
}
"""Words of each database, by the name that a rule's condition gives in braces.

The policy in force is the newest row; what an older one does not say has its default. An alias
that a word relies on: ``asked`` (a role and how many it is asked for), ``r`` (a review), ``e``
(an audit event).
"""
