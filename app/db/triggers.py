"""History that cannot be rewritten: triggers for SQLite and PostgreSQL.

Pragmas bind only our own connections, so on SQLite each history table also refuses an insert
that would replace a row (``INSERT OR REPLACE`` slips past delete triggers elsewhere).
"""

from __future__ import annotations

from collections.abc import Iterator

APPEND_ONLY: dict[str, tuple[tuple[str, ...], ...]] = {
    "activations": (("id",),),
    "audit_events": (("seq",),),
    "batches": (("batch_id",),),
    "evidence": (("id",), ("subject_kind", "subject_id", "kind")),
    "exposure_imports": (("id",), ("content_hash",)),
    "ground_truth_labels": (("id",),),
    "label_sets": (("id",), ("batch_id", "number")),
    "model_registry": (("id",),),
    "outcome_definitions": (("id",), ("name", "version")),
    "outcome_imports": (("id",), ("content_hash",)),
    "policies": (("id",),),
    "reviews": (("id",),),
    "score_sets": (("id",), ("batch_id", "version")),
    "verdicts": (("id",),),
    "withdrawals": (("id",), ("subject_kind", "subject_id")),
}
"""Table to its unique keys: rows are added and never changed."""

VERSION_KEYS = (("id",), ("version",), ("number",))
VERSION_CONTENT = (
    "id", "version", "number", "origin", "name", "features", "content", "content_hash",
    "evidence_hash", "base_version", "model_id", "despite_advice", "created_at", "created_by",
    "requested_by", "note",
)  # fmt: skip
STATUS_STEPS = (
    ("draft", "approved"),
    ("draft", "rejected"),
    ("draft", "active"),
    ("approved", "rejected"),
    ("approved", "active"),
    ("active", "inactive"),
    ("inactive", "active"),
)
_JSON_COLUMNS = ("features", "content")


def trigger_statements(dialect: str) -> tuple[str, ...]:
    """Give the statements that create every trigger, in order.

    Parameters
    ----------
    dialect : {"sqlite", "postgresql"}
        The database.

    Returns
    -------
    tuple of str
        SQL statements, one each.
    """
    return tuple(_sqlite() if dialect == "sqlite" else _postgresql())


def _steps() -> str:
    return ", ".join(f"('{before}', '{after}')" for before, after in STATUS_STEPS)


def _sqlite_refusal(table: str, name: str, event: str, why: str, when: str = "") -> str:
    return (
        f"CREATE TRIGGER {table}_{name} {event} ON {table} {when} "
        f"BEGIN SELECT RAISE(ABORT, 'chancellor: {why}'); END"
    )


def _sqlite_guard(table: str, keys: tuple[tuple[str, ...], ...]) -> Iterator[str]:
    for key in keys:
        same = " AND ".join(f"{column} = NEW.{column}" for column in key)
        when = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 - names of our own tables
        name = "replace_" + "_".join(key)
        yield _sqlite_refusal(
            table, name, "BEFORE INSERT", f"{table} is append-only: a row is never replaced", when
        )


def _sqlite() -> Iterator[str]:
    for table, keys in APPEND_ONLY.items():
        yield _sqlite_refusal(table, "update", "BEFORE UPDATE", f"{table} is append-only")
        yield _sqlite_refusal(table, "delete", "BEFORE DELETE", f"{table} is append-only")
        yield from _sqlite_guard(table, keys)
    changed = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in VERSION_CONTENT)
    versions = "scorecard_versions"
    yield _sqlite_refusal(
        versions,
        "content",
        "BEFORE UPDATE",
        "the content of a version is frozen",
        f"WHEN {changed}",
    )
    yield _sqlite_refusal(
        versions,
        "status",
        "BEFORE UPDATE",
        "this is not a step of the transition table",
        f"WHEN NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (VALUES {_steps()})",
    )
    yield _sqlite_refusal(versions, "delete", "BEFORE DELETE", "a version is never deleted")
    yield from _sqlite_guard(versions, VERSION_KEYS)
    yield _sqlite_refusal(
        "reviews",
        "own_draft",
        "BEFORE INSERT",
        "maker and checker must be two people",
        f"WHEN NEW.kind = 'approve' AND {_OWN_DRAFT.format(prefix='NEW.')}",
    )
    yield _sqlite_refusal(
        "audit_head", "delete", "BEFORE DELETE", "the head of the audit chain stays"
    )
    yield _sqlite_refusal(
        "audit_head",
        "update",
        "BEFORE UPDATE",
        "the head of the audit chain only moves on",
        "WHEN NEW.seq <> OLD.seq + 1",
    )
    yield _sqlite_refusal(
        "audit_head",
        "one",
        "BEFORE INSERT",
        "there is one head",
        "WHEN EXISTS (SELECT 1 FROM audit_head)",
    )


_OWN_DRAFT = (
    "EXISTS (SELECT 1 FROM scorecard_versions v WHERE v.version = {prefix}version "
    "AND v.origin = 'person' AND v.created_by = {prefix}reviewer)"
)


def _raise_function(name: str, body: str) -> str:
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"


def _pg_trigger(table: str, name: str, event: str, function: str, scope: str = "ROW") -> str:
    return (
        f"CREATE TRIGGER {table}_{name} {event} ON {table} FOR EACH {scope} "
        f"EXECUTE FUNCTION {function}()"
    )


def _postgresql() -> Iterator[str]:
    refuse = "RAISE EXCEPTION 'chancellor: % is append-only', TG_TABLE_NAME;"
    yield _raise_function("chancellor_refuse", refuse)
    for table in (*APPEND_ONLY, "scorecard_versions", "audit_head"):
        yield _pg_trigger(table, "truncate", "BEFORE TRUNCATE", "chancellor_refuse", "STATEMENT")
        yield _pg_trigger(table, "delete", "BEFORE DELETE", "chancellor_refuse")
    for table in APPEND_ONLY:
        yield _pg_trigger(table, "update", "BEFORE UPDATE", "chancellor_refuse")
    changed = " OR ".join(
        f"NEW.{column}::text IS DISTINCT FROM OLD.{column}::text"
        if column in _JSON_COLUMNS
        else f"NEW.{column} IS DISTINCT FROM OLD.{column}"
        for column in VERSION_CONTENT
    )
    yield _raise_function(
        "chancellor_version_update",
        f"IF {changed} THEN "
        "RAISE EXCEPTION 'chancellor: the content of a version is frozen'; END IF; "
        "IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN "
        f"(VALUES {_steps()}) THEN "
        "RAISE EXCEPTION 'chancellor: this is not a step of the transition table'; END IF; "
        "RETURN NEW;",
    )
    yield _pg_trigger("scorecard_versions", "update", "BEFORE UPDATE", "chancellor_version_update")
    yield _raise_function(
        "chancellor_own_draft",
        f"IF NEW.kind = 'approve' AND {_OWN_DRAFT.format(prefix='NEW.')} THEN "
        "RAISE EXCEPTION 'chancellor: maker and checker must be two people'; END IF; RETURN NEW;",
    )
    yield _pg_trigger("reviews", "own_draft", "BEFORE INSERT", "chancellor_own_draft")
    yield _raise_function(
        "chancellor_audit_head",
        "IF NEW.seq <> OLD.seq + 1 THEN "
        "RAISE EXCEPTION 'chancellor: the head of the audit chain only moves on'; END IF; "
        "RETURN NEW;",
    )
    yield _pg_trigger("audit_head", "update", "BEFORE UPDATE", "chancellor_audit_head")


POSTGRESQL_FUNCTIONS = (
    "chancellor_refuse",
    "chancellor_version_update",
    "chancellor_own_draft",
    "chancellor_audit_head",
)
