"""History that cannot be rewritten: the same triggers for SQLite and PostgreSQL.

Pragmas bind only our own connections, so on SQLite each history table also refuses an insert
that would replace a row (``INSERT OR REPLACE`` slips past delete triggers elsewhere). Whoever may
drop triggers can still rewrite history; then the audit chain and the hashes tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

APPEND_ONLY: dict[str, tuple[tuple[str, ...], ...]] = {
    "activations": (("id",),),
    "api_key_revocations": (("key_id",), ("rowid",)),
    "api_keys": (("id",), ("rowid",)),
    "audit_events": (("seq",),),
    "batches": (("batch_id",), ("rowid",)),
    "decision_seals": (("id",), ("last_seq",)),
    "decisions": (("seq",), ("id",)),
    "evidence": (("id",), ("subject_kind", "subject_id", "kind")),
    "exposure_imports": (("id",), ("content_hash",)),
    "ground_truth_labels": (("id",),),
    "label_sets": (("id",), ("batch_id", "number")),
    "model_registry": (("id",), ("rowid",)),
    "outcome_definitions": (("id",), ("name", "version")),
    "outcome_imports": (("id",), ("content_hash",)),
    "policies": (("id",),),
    "reviews": (("id",),),
    "score_sets": (("id",), ("batch_id", "version")),
    "verdicts": (("id",),),
    "withdrawals": (("id",), ("subject_kind", "subject_id")),
}
"""Table to its unique keys: rows are added and never changed."""

KEPT: dict[str, tuple[tuple[str, ...], ...]] = {
    "scorecard_versions": (("id",), ("version",), ("number",)),
    "audit_head": (("id",),),
}
"""Table to its unique keys: rows change by the rules below and are never deleted."""

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


ONLY_THE_ACTIVE = "only the active version decides"
"""What the database answers where a decision names another version."""

SEAL_LOCK = 7_235_481_903
"""PostgreSQL: whoever records decisions shares this advisory lock, whoever seals waits for all."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Refuse a change of a row when a condition over OLD and NEW holds.

    Attributes
    ----------
    table, name, event : str
        Where; the name of the trigger is ``<table>_<name>``; INSERT or UPDATE.
    why : str
        What the database answers.
    condition : str
        SQL of both databases; ``{differs}`` stands for their null-safe inequality.
    """

    table: str
    name: str
    event: str
    why: str
    condition: str


def _changed() -> str:
    """Compare as text: PostgreSQL knows no equality of JSON."""
    return " OR ".join(
        f"CAST(NEW.{column} AS text) {{differs}} CAST(OLD.{column} AS text)"
        for column in VERSION_CONTENT
    )


def _steps() -> str:
    return ", ".join(f"('{before}', '{after}')" for before, after in STATUS_STEPS)


RULES = (
    Rule(
        "scorecard_versions",
        "starts_as_draft",
        "INSERT",
        "a version starts as a draft",
        "NEW.status <> 'draft'",
    ),
    Rule(
        "scorecard_versions",
        "content",
        "UPDATE",
        "the content of a version is frozen",
        _changed(),
    ),
    Rule(
        "scorecard_versions",
        "status",
        "UPDATE",
        "this is not a step of the transition table",
        f"NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (VALUES {_steps()})",
    ),
    Rule(
        "scorecard_versions",
        "one_active",
        "UPDATE",
        "one version is active: retire it first",
        "NEW.status = 'active' AND OLD.status <> 'active' "
        "AND EXISTS (SELECT 1 FROM scorecard_versions v WHERE v.status = 'active')",
    ),
    Rule(
        "scorecard_versions",
        "reviewed",
        "UPDATE",
        "a draft needs an approval of its content",
        "OLD.status = 'draft' AND NEW.status IN ('approved', 'active') AND NEW.number <> 1 "
        "AND NOT EXISTS (SELECT 1 FROM reviews r WHERE r.version = NEW.version "
        "AND r.kind = 'approve' AND r.content_hash = NEW.content_hash "
        "AND NOT (r.evidence_hash {differs} NEW.evidence_hash))",
    ),
    Rule(
        "reviews",
        "own_draft",
        "INSERT",
        "maker and checker must be two people",
        "NEW.kind = 'approve' AND (lower(trim(NEW.reviewer)) LIKE 'model:%' "
        "OR EXISTS (SELECT 1 FROM scorecard_versions v WHERE v.version = NEW.version "
        "AND (v.origin = 'person' OR v.despite_advice) "
        "AND lower(trim(v.created_by)) = lower(trim(NEW.reviewer))))",
    ),
    Rule(
        "audit_events",
        "follows",
        "INSERT",
        "an event follows the head of the audit chain",
        "NOT EXISTS (SELECT 1 FROM audit_head h "
        "WHERE h.seq = NEW.seq - 1 AND h.hash = NEW.previous_hash)",
    ),
    Rule(
        "audit_head",
        "moves_on",
        "UPDATE",
        "the head of the audit chain only moves on to the event that was added",
        "NEW.id <> OLD.id OR NEW.seq <> OLD.seq + 1 OR NOT EXISTS "
        "(SELECT 1 FROM audit_events e WHERE e.seq = NEW.seq AND e.hash = NEW.hash)",
    ),
    Rule(
        "decisions",
        "by_the_active",
        "INSERT",
        ONLY_THE_ACTIVE,
        "NOT EXISTS (SELECT 1 FROM scorecard_versions v WHERE v.status = 'active' "
        "AND v.version = NEW.version AND v.content_hash = NEW.content_hash)",
    ),
    Rule(
        "decisions",
        "unsealed",
        "INSERT",
        "this part of the decisions is sealed",
        # SQLite gives -1 as long as it has not numbered the row
        "NEW.seq > 0 AND EXISTS (SELECT 1 FROM decision_seals s WHERE s.last_seq >= NEW.seq)",
    ),
    Rule(
        "decision_seals",
        "follows",
        "INSERT",
        "a seal begins after the last one",
        "EXISTS (SELECT 1 FROM decision_seals s WHERE s.last_seq >= NEW.first_seq)",
    ),
)
"""What the services decide, held a second time where every client has to pass."""

_REFUSE = "chancellor_refuse"
_NAMED = re.compile(r"CREATE TRIGGER (\w+)(?:.* EXECUTE FUNCTION (\w+))?")


@dataclass(frozen=True, slots=True)
class Trigger:
    """One trigger, or a function that several share, as statements.

    Attributes
    ----------
    name : str
        What a database holds it under.
    create, drop : tuple of str
        SQL statements, one each, in order.
    """

    name: str
    create: tuple[str, ...]
    drop: tuple[str, ...]


def list_triggers(dialect: str) -> tuple[Trigger, ...]:
    """Give every trigger of a store's database, in the order of their creation.

    Parameters
    ----------
    dialect : {"sqlite", "postgresql"}
        The database.

    Returns
    -------
    tuple of Trigger
        Dropped in the opposite order.
    """
    return tuple(_sqlite() if dialect == "sqlite" else _postgresql())


def trigger_definitions(dialect: str) -> dict[str, str]:
    """Give what a store's database holds of every trigger.

    Parameters
    ----------
    dialect : {"sqlite", "postgresql"}
        The database.

    Returns
    -------
    dict of str to str
        Name of the trigger to its statement on SQLite, to its function's body on PostgreSQL.
    """
    return definitions_of(list_triggers(dialect))


def definitions_of(triggers: Iterable[Trigger]) -> dict[str, str]:
    """Give what a database holds of these triggers.

    Parameters
    ----------
    triggers : iterable of Trigger
        With the functions they call.

    Returns
    -------
    dict of str to str
        As ``trigger_definitions``.
    """
    statements = [text for trigger in triggers for text in trigger.create]
    bodies = {
        match.group(1): match.group(2)
        for text in statements
        if (match := re.search(r"CREATE FUNCTION (\w+).*\$\$(.*)\$\$", text))
    }
    named = [(match.group(1), match) for t in statements if (match := _NAMED.match(t))]
    return {name: bodies.get(match.group(2), match.string) for name, match in named}


def _sqlite() -> Iterator[Trigger]:
    for table in APPEND_ONLY:
        yield _abort(table, "update", "UPDATE", f"{table} is append-only")
    for table, keys in (APPEND_ONLY | KEPT).items():
        yield _abort(table, "delete", "DELETE", f"{table} is append-only")
        for key in keys:
            yield _guard(table, key)
    for rule in RULES:
        condition = rule.condition.format(differs="IS NOT")
        yield _abort(rule.table, rule.name, rule.event, rule.why, f"WHEN {condition}")


def _guard(table: str, key: tuple[str, ...]) -> Trigger:
    same = " AND ".join(f"{column} = NEW.{column}" for column in key)
    when = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 - names of our own tables
    why = f"{table} is append-only: a row is never replaced"
    return _abort(table, "replace_" + "_".join(key), "INSERT", why, when)


def _abort(table: str, name: str, event: str, why: str, when: str = "") -> Trigger:
    create = (
        f"CREATE TRIGGER {table}_{name} BEFORE {event} ON {table} {when} "
        f"BEGIN SELECT RAISE(ABORT, 'chancellor: {why}'); END"
    )
    return Trigger(f"{table}_{name}", (create,), (f"DROP TRIGGER {table}_{name}",))


def _postgresql() -> Iterator[Trigger]:
    refuse = _create_function(_REFUSE, _raise("% is append-only", "TG_TABLE_NAME"))
    yield Trigger(_REFUSE, (refuse,), (f"DROP FUNCTION {_REFUSE}()",))
    for table in APPEND_ONLY:
        yield _call(table, "update", "UPDATE", _REFUSE)
    for table in APPEND_ONLY | KEPT:
        yield _call(table, "delete", "DELETE", _REFUSE)
        yield _call(table, "truncate", "TRUNCATE", _REFUSE, "STATEMENT")
    for rule in RULES:
        condition = rule.condition.format(differs="IS DISTINCT FROM")
        body = f"IF {condition} THEN {_raise(rule.why)} END IF; RETURN NEW;"
        function = f"chancellor_{rule.table}_{rule.name}"
        call = _call(rule.table, rule.name, rule.event, function)
        yield Trigger(
            call.name,
            (_create_function(function, body), *call.create),
            (*call.drop, f"DROP FUNCTION {function}()"),
        )
    yield _sharing_the_seal_lock()


def _sharing_the_seal_lock() -> Trigger:
    """Take the lock before a row is numbered: numbers below a waited-for one are then final."""
    function = "chancellor_decisions_share_the_seal"
    body = f"PERFORM pg_advisory_xact_lock_shared({SEAL_LOCK}); RETURN NULL;"
    call = _call("decisions", "share_the_seal", "INSERT", function, "STATEMENT")
    return Trigger(
        call.name,
        (_create_function(function, body), *call.create),
        (*call.drop, f"DROP FUNCTION {function}()"),
    )


def _raise(why: str, *values: str) -> str:
    """Raise as an integrity error, as SQLite's RAISE does."""
    filled = "".join(f", {value}" for value in values)
    return (
        f"RAISE EXCEPTION 'chancellor: {why}'{filled} "
        "USING ERRCODE = 'integrity_constraint_violation';"
    )


def _create_function(name: str, body: str) -> str:
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"


def _call(table: str, name: str, event: str, function: str, scope: str = "ROW") -> Trigger:
    create = (
        f"CREATE TRIGGER {table}_{name} BEFORE {event} ON {table} FOR EACH {scope} "
        f"EXECUTE FUNCTION {function}()"
    )
    return Trigger(f"{table}_{name}", (create,), (f"DROP TRIGGER {table}_{name} ON {table}",))
