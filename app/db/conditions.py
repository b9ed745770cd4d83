"""Conditions that the rules of ``app/db/rules.py`` are made of, in SQL of both databases.

They say over rows what ``app/domain/review.py`` and ``app/domain/rights.py`` decide over values:
``v`` is a version, ``r`` a review, ``e`` an audit event, ``a`` an activation.
"""

from __future__ import annotations

VERSION_CONTENT = (
    "id", "version", "number", "origin", "name", "features", "content", "content_hash",
    "evidence_hash", "base_version", "model_id", "despite_advice", "created_at", "created_by",
    "requested_by", "note",
)  # fmt: skip
STATUS_STEPS = (
    ("draft", "approved"),
    ("approved", "draft"),
    ("draft", "rejected"),
    ("draft", "active"),
    ("approved", "rejected"),
    ("approved", "active"),
    ("active", "inactive"),
    ("inactive", "active"),
)


def content_changed() -> str:
    """Compare as text: PostgreSQL knows no equality of JSON."""
    return " OR ".join(
        f"CAST(NEW.{column} AS text) {{differs}} CAST(OLD.{column} AS text)"
        for column in VERSION_CONTENT
    )


def allowed_steps() -> str:
    """List the steps of the transition table as SQL rows."""
    return ", ".join(f"('{before}', '{after}')" for before, after in STATUS_STEPS)


WEIGHT_GATES_ON_A_CARD = (
    "weight_change", "score_correlation", "band_stability", "cumulative_change",
)  # fmt: skip
"""On a person's card they inform and do not block, as in ``app.domain.gates.WEIGHT_GATES``."""

WAITS = "v.status IN ('draft', 'approved')"
NEWEST = "(SELECT a.id FROM activations a ORDER BY a.id DESC LIMIT 1)"

ACTION_OF_ACTIVATION = {
    "initial": "version.activated",
    "activate": "version.activated",
    "rollback": "version.rolled_back",
    "emergency_rollback": "version.emergency_rollback",
}
"""Kind of an activation to the action of its audit event."""

WITHDRAWAL = {
    "batch": ("batch.withdrawn", "batches", "b.batch_id"),
    "outcome_import": ("outcomes.withdrawn", "outcome_imports", "CAST(b.id AS text)"),
    "exposure_import": ("exposures.withdrawn", "exposure_imports", "CAST(b.id AS text)"),
}
"""Kind of what is withdrawn to the action, its table and its name there."""


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def person(name: str) -> str:
    """Reduce a name so that spellings of one person compare equal, as far as SQL can."""
    return f"lower(trim({name}))"


def may_use(who: str, right: str) -> str:
    """Hold if the policy names nobody for this right, or this person."""
    return f"({{any_{right}}} OR {who} IN ({{{right}s}}))"


def is_model(who: str) -> str:
    """Hold if a name is a model's, or blank."""
    return f"({person(who)} LIKE 'model:%' OR trim({who}) = '')"


def made(who: str) -> str:
    """Hold if a person made version ``v``, or asked for it despite the advice."""
    return (
        f"((v.origin = 'person' OR v.despite_advice) AND {person('v.created_by')} = {person(who)})"
    )


def _asked_for(who: str) -> str:
    """Hold if a person asked for the model's version ``v``."""
    trained = "(SELECT m.created_by FROM model_registry m WHERE m.id = v.model_id)"
    people = ", ".join(map(person, ("v.requested_by", "v.created_by", trained)))
    return f"(v.origin = 'model' AND {person(who)} IN ({people}))"


def may_not_review(who: str) -> str:
    """Hold if a person may not review version ``v``, whatever rights the policy gives."""
    asked = f"(NOT ({{self_review_allowed}}) AND {_asked_for(who)})"
    return f"({is_model(who)} OR {made(who)} OR {asked})"


_OF_VERSION = "{g}.subject_kind = 'version' AND {g}.subject_id = v.version"
_OF_MODEL = "{g}.subject_kind = 'model' AND {g}.subject_id = v.model_id"


def _newest_verdict(name: str) -> str:
    """Hold if a verdict bears on version ``v``: newest of its gate, own before its model's."""
    own, models = _OF_VERSION.format(g="x"), _OF_MODEL.format(g="x")
    return (
        f"(({_OF_VERSION.format(g=name)} AND NOT EXISTS (SELECT 1 FROM verdicts x "
        f"WHERE {own} AND x.gate = {name}.gate AND x.id > {name}.id)) "
        f"OR ({_OF_MODEL.format(g=name)} AND NOT EXISTS (SELECT 1 FROM verdicts x "
        f"WHERE x.gate = {name}.gate AND (({own}) OR ({models} AND x.id > {name}.id)))))"
    )


STANDS = (
    "r.version = v.version AND r.kind = 'approve' AND r.content_hash = v.content_hash "
    "AND NOT (r.evidence_hash {differs} v.evidence_hash) "
    "AND NOT EXISTS (SELECT 1 FROM approval_withdrawals w WHERE w.review_id = r.id) "
    f"AND NOT {may_not_review('r.reviewer')} AND {may_use('r.reviewer', 'approver')}"
)
"""Review ``r`` is an approval of what version ``v`` is, by somebody who still may give it."""

_COUNTS = (
    f"{STANDS} AND (NOT ({{names_asked}}) OR NOT EXISTS (SELECT 1 FROM verdicts u "
    f"WHERE u.verdict = 'insufficient evidence' AND {_newest_verdict('u')} "
    "AND u.gate NOT IN ({acknowledged})))"
)
_PEOPLE = f"SELECT count(DISTINCT {person('r.reviewer')}) FROM reviews r WHERE {_COUNTS}"
ENOUGH = (
    f"(({_PEOPLE}) >= {{approvals_required}} AND NOT EXISTS (SELECT 1 FROM {{roles_asked}} "
    f"WHERE {{asked_number}} > ({_PEOPLE} AND r.reviewer IN ({{asked_people}}))))"
)
"""Version ``v`` has the approvals that the policy in force asks for, in number and by role."""

BLOCKED = (
    f"EXISTS (SELECT 1 FROM verdicts f WHERE f.verdict = 'fail' AND {_newest_verdict('f')} "
    f"AND NOT (v.origin = 'person' AND f.gate IN ({_quoted(WEIGHT_GATES_ON_A_CARD)})))"
)


def overridden(by: str, reason: str) -> str:
    """Hold if an admin wrote a reason to pass over a failed gate."""
    return f"(trim(COALESCE({reason}, '')) <> '' AND {may_use(by, 'admin')})"


def version_has(name: str, condition: str) -> str:
    """Hold if the version of this name meets a condition over ``v``."""
    return f"EXISTS (SELECT 1 FROM scorecard_versions v WHERE v.version = {name} AND {condition})"


def event_has(condition: str) -> str:
    """Hold if the newest audit event ``e``, which is this change's own, meets a condition."""
    return (
        "EXISTS (SELECT 1 FROM audit_head h JOIN audit_events e ON e.seq = h.seq "
        f"AND e.hash = h.hash WHERE {condition})"
    )


def chosen(column: str, answers: dict[str, str]) -> str:
    """Choose an SQL expression by the value of a column."""
    cases = " ".join(f"WHEN '{value}' THEN {answer}" for value, answer in answers.items())
    return f"(CASE {column} {cases} END)"


def activation_has(condition: str) -> str:
    """Hold if the newest activation ``a`` meets a condition."""
    return f"EXISTS (SELECT 1 FROM activations a WHERE a.id = {NEWEST} AND {condition})"


TIMES_DIFFER = (
    "NEW.activated_at {differs} OLD.activated_at OR NEW.deactivated_at {differs} OLD.deactivated_at"
)
NEWLY_ACTIVE = (
    "NEW.status = 'active' AND OLD.status <> 'active' AND a.version = NEW.version "
    "AND a.at = NEW.activated_at AND NEW.deactivated_at IS NULL"
)
NEWLY_RETIRED = (
    "NEW.status = 'inactive' AND OLD.status = 'active' AND a.previous_version = NEW.version "
    "AND a.version <> NEW.version AND a.at = NEW.deactivated_at "
    "AND NOT (NEW.activated_at {differs} OLD.activated_at)"
)
