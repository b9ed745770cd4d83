"""Who may do what, as issues D and E say it: written down apart from the code's own table."""

from __future__ import annotations

ALLOWED = {
    "read": {"viewer", "analyst", "approver", "admin"},
    "score": {"analyst", "admin", "service"},
    "import": {"analyst", "admin"},
    "trigger": {"analyst", "admin"},
    "draft": {"analyst", "admin"},
    "decide": {"approver", "admin"},
    "policy": {"admin"},
    "comment": {"analyst", "approver", "admin"},
    "keys": {"admin"},
}
"""Right to roles: viewer (read), analyst (import, train, refine, draft), approver (approve, reject,
activate, roll back), admin (keys, policy, override), service (score only)."""
