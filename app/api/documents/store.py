"""Batches, outcomes, labels, definitions, policy, models, runs and the audit chain."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field, RootModel

from app.api.documents.common import Answered, Evidence, Gate, Withdrawal


class LabelSet(Answered):
    """The labels of a batch: counts by status, and the gates on data."""

    label_set_id: int
    label_set_number: int
    batch_id: str
    outcome_type: str
    definition_version: int | None
    observation_window_days: int | None
    n_parties: int
    n_labelled: int
    n_bad: int
    n_good: int
    n_indeterminate: int
    n_excluded: int
    n_immature: int
    default_rate: float | None = Field(description="n_bad / n_labelled, a fraction.")
    data_through: date | None
    has_exposures: bool
    scored_by: str
    warnings: list[str]
    gates: list[Gate]
    created_at: datetime
    created_by: str


class BatchSummary(Answered):
    """One batch, on one line."""

    batch_id: str
    n_rows: int
    scored_from: date
    scored_to: date
    file_hash: str
    source_name: str
    source_hash: str
    card_version: str
    missing_features: list[str]
    groups: list[str]
    created_at: datetime
    created_by: str
    withdrawn: Withdrawal | None


class Batch(BatchSummary):
    """A batch and its label sets."""

    label_sets: list[LabelSet]


class ImportedBatch(Answered):
    """A batch that was stored, or was there already with the same content."""

    batch_id: str
    n_rows: int
    file_hash: str
    scored_from: date
    scored_to: date
    missing_features: list[str]
    groups: list[str]
    card_version: str
    already_imported: bool
    n_rejected: int


class ImportedOutcomes(Answered):
    """Outcomes that were stored, or were there already."""

    import_id: int
    kind: Literal["events", "final_flag"]
    n_rows: int
    warnings: list[str]
    already_imported: bool


class Definition(Answered):
    """One version of an outcome definition."""

    name: str
    version: int
    content: Evidence
    content_hash: str
    created_at: datetime
    created_by: str


class AddedDefinition(Definition):
    """A definition that was added, or whose newest version says the same."""

    changed: bool


class Policy(Answered):
    """The policy in force, every default written out."""

    policy_id: int
    content_hash: str
    created_at: datetime
    created_by: str
    content: Evidence


class SetPolicy(Policy):
    """A policy that was put in force, or was in force already."""

    changed: bool


class Model(Answered):
    """One model of the registry, on one line. It never decides anything."""

    model_id: str
    model_type: str
    status: Literal["passed", "failed_gate"]
    passed: bool
    advice: Literal["adopt", "keep", "wait"]
    batch_ids: list[str]
    base_version: str
    validation_mode: str
    auc_roc: float
    gain: float
    created_at: datetime
    created_by: str


class ModelDetails(Model):
    """Everything about a model: metrics with intervals, gates, coefficients, lineage."""

    label_set_ids: list[int]
    n_labelled: int
    n_bad: int
    metrics: Evidence
    feature_importance: dict[str, float]
    gates: list[Gate]
    advice_sentence: str
    validation: Evidence
    warnings: list[str]
    parameters: Evidence = Field(description="Coefficients, standard errors, tau, s and a.")
    versions: list[str] = Field(description="Versions drafted from it.")
    policy_hash: str
    seed: int
    input_hash: str
    content_hash: str
    library_versions: dict[str, str]


class Event(Answered):
    """One event of the audit chain."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    payload: Evidence
    hash: str


class Verified(Answered):
    """The chain holds; keep the head somewhere else."""

    verified: Literal[True]
    n_events: int
    head: str


class Health(Answered):
    """The process is there."""

    status: Literal["ok"]


class Part(Answered):
    """One part that the service needs."""

    ok: bool
    detail: str


class Readiness(Answered):
    """Whether each part that the service needs answers."""

    ready: bool
    parts: dict[str, Part]


class PolicyDocument(RootModel[dict[str, Any]]):
    """Thresholds and people; fields left out take their defaults."""

    model_config = {
        "json_schema_extra": {"examples": [{"min_auc_roc": 0.65, "approvals_required": 2}]}
    }


class DefinitionDocument(RootModel[dict[str, Any]]):
    """Which events make a party bad, and which indeterminate."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "name": "late",
                    "bad": [{"event_type": "days_past_due", "more_than": 60}],
                    "indeterminate": [
                        {"event_type": "days_past_due", "at_least": 30, "at_most": 60}
                    ],
                }
            ]
        }
    }
