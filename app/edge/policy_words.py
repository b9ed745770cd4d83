"""What each field of a policy says, in words: its name for people, one line, how it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.edge import numbers

Kind = Literal["number", "text", "switch", "names", "roles"]


@dataclass(frozen=True, slots=True)
class PolicyField:
    """Describe one field of the policy.

    Attributes
    ----------
    name : str
        In the document.
    title : str
        For people.
    says : str
        One line: what follows from it.
    kind : str
        How it is typed.
    write : callable
        How a value is written.
    """

    name: str
    title: str
    says: str
    kind: Kind
    write: Callable[[Any], str]

    @property
    def is_fraction(self) -> bool:
        """Say whether it is shown as a percentage and typed as a fraction."""
        return self.write is numbers.rate


def _yes_or_no(value: Any) -> str:
    return "yes" if value else "no"


def _names(value: Any) -> str:
    if value is None:
        return "everybody with the right"
    return ", ".join(value) or "nobody"


def _roles(value: Mapping[str, Any]) -> str:
    return "; ".join(f"{role}: {_role(who)}" for role, who in value.items()) or "none"


def _text(value: Any) -> str:
    return "not set" if value is None else str(value)


def _points(value: Any) -> str:
    return "not set" if value is None else numbers.points(value)


def _days(value: Any) -> str:
    return "not set" if value is None else numbers.count(value)


def _role(who: Any) -> str:
    return str(who) if isinstance(who, int) else ", ".join(who) or "nobody"


FIELDS: tuple[PolicyField, ...] = (
    PolicyField("min_labelled", "Labelled parties, at least",
                "Fewer, and nothing is trained (gate sample_size).", "number", numbers.count),
    PolicyField("min_default_rate", "Default rate, at least",
                "A rarer outcome cannot be learned from.",
                "number", numbers.rate),
    PolicyField("max_default_rate", "Default rate, at most",
                "A more frequent one points at wrong labels.", "number", numbers.rate),
    PolicyField("min_auc_roc", "AUC of the model, at least",
                "How well it ranks parties it never saw; 0.5 is guessing, 1 is perfect.",
                "number", numbers.auc),
    PolicyField("min_gain", "AUC gained over the baseline, at least",
                "Less, and the advice is to keep the card.", "number", numbers.auc),
    PolicyField("max_weight_change", "Change of any weight, below",
                "Against the baseline: 50 % is half as much again.",
                "number", numbers.rate),
    PolicyField("min_score_correlation", "Correlation of old and new scores, above",
                "Below it the card would rank parties too differently.", "number", numbers.auc),
    PolicyField("max_band_shift", "Parties that change band, below",
                "Net share of all parties.", "number", numbers.rate),
    PolicyField("max_cumulative_change", "Change of any weight since the expert, below",
                "So that small steps do not add up unseen: 100 % is double.",
                "number", numbers.rate),
    PolicyField("min_bad_parties", "Bad parties for a verdict, at least",
                "With fewer, a passed gate says insufficient evidence.", "number", numbers.count),
    PolicyField("min_bad_to_adopt", "Bad parties for the advice to adopt, at least",
                "With fewer, the advice is to wait.", "number", numbers.count),
    PolicyField("allow_self_review", "Who asked for a training may approve its draft",
                "No means four eyes for models too.", "switch", _yes_or_no),
    PolicyField("approvals_required", "Approvals needed",
                "So many people must approve before a version can decide.",
                "number", numbers.count),
    PolicyField("require_named_acknowledgement", "Insufficient evidence is acknowledged by name",
                "And nothing is activated without a review of its own.", "switch", _yes_or_no),
    PolicyField("approvers", "Approvers",
                "Who may approve, reject, activate and roll back.", "names", _names),
    PolicyField("admins", "Admins",
                "Who may override a failed gate, roll back in an emergency, change this policy.",
                "names", _names),
    PolicyField("roles", "Roles",
                "Who holds which role; one line each, such as validator: vera, joe.",
                "roles", _roles),
    PolicyField("approvals_by_role", "Approvals by role",
                "How many of a role must be among those who approve; such as validator: 1.",
                "roles", _roles),
    PolicyField("max_psi", "PSI of a monitored batch, at most",
                "Above it, and above what chance explains, an alert is opened.",
                "number", numbers.weight),
    PolicyField("max_false_alerts", "Chance of any false alert in a report, at most",
                "All comparisons of one monitoring report share it.", "number", numbers.rate),
    PolicyField("max_auc_drop", "AUC lost since the reference, at most",
                "More, beyond what chance explains, opens an alert.", "number", numbers.auc),
    PolicyField("watched_outcome", "Outcome definition that monitoring judges",
                "Blank takes the one that the version's model was trained on.", "text", _text),
    PolicyField("watched_window_days", "Observation window that monitoring judges, in days",
                "Blank takes the one that the version's model was trained on.", "number", _days),
    PolicyField("fairness_gate", "Adverse impact is a gate",
                "Yes judges each draft's approval rates by group.", "switch", _yes_or_no),
    PolicyField("fairness_cutoff", "Score from which on a party counts as approved, in points",
                "Approval rates of groups are compared there.", "number", _points),
    PolicyField("min_impact_ratio", "Adverse impact ratio, at least",
                "Approval rate of a group over that of the reference group.",
                "number", numbers.weight),
    PolicyField("reference_group", "Reference group",
                "Blank takes the group with the highest approval rate.", "text", _text),
)  # fmt: skip
"""Every field, in the order in which a policy is read."""
