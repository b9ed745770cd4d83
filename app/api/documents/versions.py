"""Versions of the scorecard, and what is decided about them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field, StrictBool

from app.api.documents.common import Answered, Evidence, Gate, Given, Name, Text

ExportForm = Literal["json", "python", "sql", "pmml", "xlsx"]
Dialect = Literal["duckdb", "postgres", "sqlite", "spark", "snowflake", "bigquery", "tsql"]
EXPORTED: dict[str, Any] = {
    "description": "The file, as `chancellor export` writes it.",
    "content": {
        "application/json": {"schema": {"type": "object", "additionalProperties": True}},
        **{
            kind: {"schema": {"type": "string"}}
            for kind in (
                "text/x-python; charset=utf-8",
                "application/sql",
                "application/xml",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            )
        },
    },
}
PAPER: dict[str, Any] = {
    "description": "The paper, as `chancellor report` writes it.",
    "content": {
        kind: {"schema": {"type": "string"}}
        for kind in (
            "text/html; charset=utf-8",
            "application/pdf",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        )
    },
}
Status = Literal["draft", "approved", "rejected", "active", "inactive"]


class VersionSummary(Answered):
    """One version, on one line."""

    version: str
    number: int
    status: Status
    origin: Literal["person", "model"]
    name: str
    base_version: str | None
    model_id: str | None
    despite_advice: bool
    content_hash: str
    evidence_hash: str | None
    review_hash: str = Field(description="What an approval binds: the ETag of the version.")
    created_at: datetime
    created_by: str
    requested_by: str
    note: str
    activated_at: datetime | None
    deactivated_at: datetime | None


class Step(Answered):
    """What may be done with a version, and whether the caller may."""

    step: str
    allowed: bool
    reason: str | None
    sentence: str


class Review(Answered):
    """One person's approval or rejection."""

    kind: Literal["approve", "reject"]
    reviewer: str
    reason: str
    review_hash: str
    acknowledged: list[str]
    override_reason: str | None
    at: datetime


class Activation(Answered):
    """From when on a version decided."""

    kind: str
    previous_version: str | None
    actor: str
    reason: str
    override_reason: str | None
    at: datetime


class Version(VersionSummary):
    """Everything about a version: content, gates, reviews, and what may be done with it."""

    features: dict[str, Evidence]
    content: Evidence
    gates: list[Gate]
    evidence: dict[str, str] = Field(description="Hash of each kind of frozen evidence.")
    to_acknowledge: list[str]
    approvals: Evidence
    reviews: list[Review]
    activations: list[Activation]
    steps: list[Step]


class ActiveAt(Answered):
    """Which version decided at a time."""

    at: datetime
    version: str


class Comparison(Answered):
    """What a new version changes against an old one, and who is affected."""

    old: Evidence
    new: Evidence


class Fairness(Answered):
    """How groups fare under a version and the one it was made against."""

    old: str
    new: str
    is_stored: bool
    why_not: str | None
    min_impact_ratio: float
    reference_group: str | None
    n_parties: int
    source: Evidence | None
    columns: list[Evidence]
    limits: list[str]


class Decided(Answered):
    """What a decision about a version came to."""

    version: str
    status: Status


class NewVersion(Given):
    """A person's draft: the whole card, and why."""

    card: dict[str, Any] = Field(
        description="A scorecard document: name, range, bands and features.",
        examples=[
            {
                "name": "Two features",
                "bands": {"poor": 300, "good": 650},
                "features": {
                    "age": {
                        "weight": 40,
                        "transform": {"kind": "linear", "worst": 0, "best": 10},
                        "reason": "Young company",
                    },
                    "sector": {
                        "weight": 60,
                        "transform": {"kind": "categories", "values": {"food": 1}, "other": 0.5},
                    },
                },
            }
        ],
    )
    note: Text | None = Field(default=None, examples=["age counts more since the audit of May"])


class NewComment(Given):
    """What somebody says about a version."""

    text: Text = Field(examples=["why does tax id count less?"])


class Comment(Answered):
    """A comment, as it stands on the record."""

    version: str
    actor: str
    text: str
    review_hash: str = Field(description="What it was written against.")


class Approval(Given):
    """Why somebody approves."""

    reason: Text = Field(examples=["read the comparison"])
    acknowledge: list[Name] = Field(
        default_factory=list,
        max_length=50,
        description="Gates with insufficient evidence that are accepted, by name.",
    )
    override_reason: Text | None = Field(
        default=None, description="An admin's reason to pass over a failed gate."
    )


class Rejection(Given):
    """Why somebody rejects."""

    reason: Text = Field(examples=["the gain rests on one sector"])


class ActivationOrder(Given):
    """Why a version is to decide from now on."""

    reason: Text | None = Field(default=None, examples=["committee of 31 March"])
    acknowledge: list[Name] = Field(default_factory=list, max_length=50)
    override_reason: Text | None = None


class Rollback(Given):
    """Why an earlier version is to decide again."""

    reason: Text = Field(examples=["scores of new parties drifted"])
    emergency: StrictBool = Field(
        default=False,
        description="By an admin, because approvers are away: listed until one acknowledges it.",
    )


class Emergency(Answered):
    """An emergency rollback that no approver has acknowledged."""

    version: str
    previous_version: str | None
    actor: str
    reason: str
    at: datetime
    sentence: str


class Emergencies(Answered):
    """The emergency rollbacks that wait for an approver, oldest first."""

    items: list[Emergency]


class Acknowledgement(Given):
    """What an approver found who looked at the emergency rollbacks."""

    reason: Text = Field(examples=["the rollback was right"])


class Acknowledged(Answered):
    """The emergency rollbacks that are acknowledged now."""

    acknowledged: list[Emergency]
    actor: str
    reason: str
