"""History that cannot be rewritten: the same triggers for SQLite and PostgreSQL.

What holds is written once, in ``app/db/rules.py``; here it becomes statements. Pragmas bind only
our own connections, so on SQLite each history table also refuses an insert that would replace a
row (``INSERT OR REPLACE`` slips past delete triggers elsewhere) or that names what is not there.
Whoever may drop triggers can still rewrite history; then the audit chain and the hashes tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from app.db.rule import Effect, Rule
from app.db.rules import EFFECTS, RULES
from app.db.words import WORDS

APPEND_ONLY: dict[str, tuple[tuple[str, ...], ...]] = {
    "activations": (("id",), ("audit_seq",)),
    "alert_attempts": (("id",),),
    "alert_steps": (("id",), ("alert_id", "kind"), ("audit_seq",)),
    "alerts": (("id",), ("batch_id", "version", "kind", "subject")),
    "api_key_revocations": (("key_id",), ("rowid",)),
    "api_keys": (("id",), ("rowid",)),
    "approval_withdrawals": (("id",), ("review_id",), ("audit_seq",)),
    "audit_events": (("seq",),),
    "batches": (("batch_id",), ("rowid",)),
    "browser_session_ends": (("session_id",), ("rowid",)),
    "browser_sessions": (("id",), ("rowid",)),
    "challenger_ends": (("id",), ("challenger_id",), ("audit_seq",)),
    "challengers": (("id",), ("audit_seq",)),
    "decision_seals": (("id",), ("last_seq",)),
    "decisions": (("seq",), ("id",)),
    "emergency_acknowledgements": (("id",), ("activation_id",), ("audit_seq",)),
    "evidence": (("id",), ("subject_kind", "subject_id", "kind")),
    "exposure_imports": (("id",), ("content_hash",)),
    "ground_truth_labels": (("id",),),
    "label_sets": (("id",), ("batch_id", "number")),
    "model_registry": (("id",), ("rowid",)),
    "monitoring_references": (("id",), ("version",)),
    "monitoring_reports": (("id",), ("batch_id", "version", "input_hash")),
    "outcome_definitions": (("id",), ("name", "version")),
    "outcome_imports": (("id",), ("content_hash",)),
    "policies": (("id",),),
    "reviews": (("id",), ("audit_seq",)),
    "score_calibrations": (("id",), ("version",)),
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

REFERENCES: tuple[tuple[str, str, str, str], ...] = (
    ("activations", "version", "scorecard_versions", "version"),
    ("activations", "previous_version", "scorecard_versions", "version"),
    ("activations", "audit_seq", "audit_events", "seq"),
    ("alert_attempts", "alert_id", "alerts", "id"),
    ("alert_steps", "alert_id", "alerts", "id"),
    ("alert_steps", "audit_seq", "audit_events", "seq"),
    ("alerts", "report_id", "monitoring_reports", "id"),
    ("alerts", "batch_id", "batches", "batch_id"),
    ("alerts", "version", "scorecard_versions", "version"),
    ("api_key_revocations", "key_id", "api_keys", "id"),
    ("approval_withdrawals", "review_id", "reviews", "id"),
    ("approval_withdrawals", "audit_seq", "audit_events", "seq"),
    ("batches", "card_version", "scorecard_versions", "version"),
    ("browser_session_ends", "session_id", "browser_sessions", "id"),
    ("browser_sessions", "key_id", "api_keys", "id"),
    ("challenger_ends", "challenger_id", "challengers", "id"),
    ("challenger_ends", "audit_seq", "audit_events", "seq"),
    ("challengers", "version", "scorecard_versions", "version"),
    ("challengers", "audit_seq", "audit_events", "seq"),
    ("emergency_acknowledgements", "activation_id", "activations", "id"),
    ("emergency_acknowledgements", "audit_seq", "audit_events", "seq"),
    ("ground_truth_labels", "label_set_id", "label_sets", "id"),
    ("ground_truth_labels", "batch_id", "batches", "batch_id"),
    ("label_sets", "batch_id", "batches", "batch_id"),
    ("label_sets", "definition_id", "outcome_definitions", "id"),
    ("label_sets", "scored_by", "scorecard_versions", "version"),
    ("model_registry", "base_version", "scorecard_versions", "version"),
    ("model_registry", "policy_id", "policies", "id"),
    ("monitoring_references", "version", "scorecard_versions", "version"),
    ("monitoring_reports", "batch_id", "batches", "batch_id"),
    ("monitoring_reports", "version", "scorecard_versions", "version"),
    ("monitoring_reports", "reference_id", "monitoring_references", "id"),
    ("monitoring_reports", "calibration_id", "score_calibrations", "id"),
    ("monitoring_reports", "label_set_id", "label_sets", "id"),
    ("outcome_imports", "batch_id", "batches", "batch_id"),
    ("reviews", "version", "scorecard_versions", "version"),
    ("reviews", "audit_seq", "audit_events", "seq"),
    ("score_calibrations", "version", "scorecard_versions", "version"),
    ("score_sets", "batch_id", "batches", "batch_id"),
    ("score_sets", "version", "scorecard_versions", "version"),
    ("scorecard_versions", "base_version", "scorecard_versions", "version"),
    ("scorecard_versions", "model_id", "model_registry", "id"),
)
"""Every foreign key, table by table: SQLite holds them only for connections that ask for it.

The one of ``decisions`` is left out: its own rule asks for the active version, which is there.
"""


SEAL_LOCK = 7_235_481_903
"""PostgreSQL: whoever records decisions shares this advisory lock, whoever seals waits for all."""

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
    for table, references in groupby(REFERENCES, itemgetter(0)):
        yield _check_references(table, [reference[1:] for reference in references])
    for rule in _rules("sqlite"):
        when = f"WHEN {_in_words(rule.condition, 'sqlite')}"
        yield _abort(rule.table, rule.name, rule.event, rule.why, when)
    for effect in EFFECTS:
        name = f"{effect.table}_{effect.name}"
        create = (
            f"CREATE TRIGGER {name} AFTER {effect.event} ON {effect.table} "
            f"BEGIN {_in_words(effect.statements, 'sqlite')} END"
        )
        yield Trigger(name, (create,), (f"DROP TRIGGER {name}",))


def _rules(dialect: str) -> Iterator[Rule]:
    return (rule for rule in RULES if rule.only in {None, dialect})


def _in_words(template: str, dialect: str) -> str:
    """Fill in the words of a database, on one line."""
    return " ".join(template.format(**WORDS[dialect]).split())


def _check_references(table: str, references: list[tuple[str, str, str]]) -> Trigger:
    """Refuse a dangling row to connections that did not ask SQLite for foreign keys."""
    dangling = " OR ".join(
        f"(NEW.{column} IS NOT NULL AND NOT EXISTS "
        f"(SELECT 1 FROM {other} WHERE {key} = NEW.{column}))"
        for column, other, key in references
    )
    why = f"{table} names what is not there"
    return _abort(table, "references", "INSERT", why, f"WHEN {dangling}")


def _guard(table: str, key: tuple[str, ...]) -> Trigger:
    same = " AND ".join(f"{column} = NEW.{column}" for column in key)
    when = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})"
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
        yield _call(table, "update", "BEFORE UPDATE", _REFUSE)
    for table in APPEND_ONLY | KEPT:
        yield _call(table, "delete", "BEFORE DELETE", _REFUSE)
        yield _call(table, "truncate", "BEFORE TRUNCATE", _REFUSE, "STATEMENT")
    for rule in _rules("postgresql"):
        condition = _in_words(rule.condition, "postgresql")
        body = f"IF {condition} THEN {_raise(rule.why)} END IF; RETURN NEW;"
        yield _with_function(rule, f"BEFORE {rule.event}", body)
    for effect in EFFECTS:
        body = f"{_in_words(effect.statements, 'postgresql')} RETURN NULL;"
        yield _with_function(effect, f"AFTER {effect.event}", body)
    yield _sharing_the_seal_lock()


def _sharing_the_seal_lock() -> Trigger:
    """Take the lock before a row is numbered: numbers below a waited-for one are then final."""
    function = "chancellor_decisions_share_the_seal"
    body = f"PERFORM pg_advisory_xact_lock_shared({SEAL_LOCK}); RETURN NULL;"
    call = _call("decisions", "share_the_seal", "BEFORE INSERT", function, "STATEMENT")
    return Trigger(
        call.name,
        (_create_function(function, body), *call.create),
        (*call.drop, f"DROP FUNCTION {function}()"),
    )


def _with_function(rule: Rule | Effect, when: str, body: str) -> Trigger:
    function = f"chancellor_{rule.table}_{rule.name}"
    call = _call(rule.table, rule.name, when, function)
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


def _call(table: str, name: str, when: str, function: str, scope: str = "ROW") -> Trigger:
    create = (
        f"CREATE TRIGGER {table}_{name} {when} ON {table} FOR EACH {scope} "
        f"EXECUTE FUNCTION {function}()"
    )
    return Trigger(f"{table}_{name}", (create,), (f"DROP TRIGGER {table}_{name} ON {table}",))
