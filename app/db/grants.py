"""What the service's own role may do on PostgreSQL: read all, add history, change nothing of it.

The owner of the tables migrates them; the role that serves people owns nothing. Triggers refuse a
change of history to both, rights refuse this role even the attempt, and the triggers' removal.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.db.triggers import APPEND_ONLY

CHANGES: Mapping[str, tuple[str, ...]] = {
    "audit_head": ("seq", "hash"),
    "pipeline_runs": (
        "status", "dagster_run_id", "pid", "pid_started_at", "config", "result", "error",
        "started_at", "finished_at",
    ),
    "scorecard_versions": ("status", "activated_at", "deactivated_at"),
}  # fmt: skip
"""Table to the columns that change; triggers say how."""

ADDS: tuple[str, ...] = (*APPEND_ONLY, "pipeline_runs", "scorecard_versions")
READS: tuple[str, ...] = ("alembic_version", "audit_head")


def grant_statements(role: str, schema: str = "public") -> tuple[str, ...]:
    """Give the statements that make an existing login role the service's.

    Parameters
    ----------
    role : str
        Name of the role; it must not own the tables.
    schema : str
        Where the tables are.

    Returns
    -------
    tuple of str
        SQL statements for the owner of the tables, one each.

    Examples
    --------
    >>> grant_statements("service")[0]
    'REVOKE ALL ON ALL TABLES IN SCHEMA "public" FROM "service"'
    >>> [text for text in grant_statements("service") if ".audit_head" in text][-1]
    'GRANT UPDATE (seq, hash) ON "public".audit_head TO "service"'
    """
    who, place = _quoted(role), _quoted(schema)
    return (
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {place} FROM {who}",
        f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {place} FROM {who}",
        f"REVOKE CREATE ON SCHEMA {place} FROM PUBLIC, {who}",
        f"GRANT USAGE ON SCHEMA {place} TO {who}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {place} TO {who}",
        *(f"GRANT SELECT ON {place}.{table} TO {who}" for table in READS),
        *(f"GRANT SELECT, INSERT ON {place}.{table} TO {who}" for table in ADDS),
        *(
            f"GRANT UPDATE ({', '.join(columns)}) ON {place}.{table} TO {who}"
            for table, columns in CHANGES.items()
        ),
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
