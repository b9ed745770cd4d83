"""The policy: every threshold that a decision was judged by, as one frozen document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.domain.canonical import content_hash
from app.domain.document import raise_problems
from app.domain.lifecycle import person_key
from app.domain.scorecard_problems import scorecard_problems
from app.domain.types import Document
from app.errors import DocumentError

Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\p{Cc}]+$")]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]

SCHEMA_NUMBER = 1
_LATER = (
    "roles", "approvals_by_role", "max_psi", "max_false_alerts", "max_auc_drop", "watched_outcome",
    "watched_window_days", "fairness_gate", "fairness_cutoff", "min_impact_ratio",
    "reference_group",
)  # fmt: skip
_INSIDE = 0.99
_CORRELATION_MARGIN = 0.005


class Policy(BaseModel):
    """Hold the thresholds of the gates, and who must agree to what.

    Attributes
    ----------
    min_labelled : int
        Gate ``sample_size``: distinct labelled parties, at least.
    min_default_rate, max_default_rate : float
        Gate ``default_rate``: bad / labelled, fractions in [0, 1].
    min_auc_roc : float
        Gate ``auc_roc``: the model's AUC on validation rows, at least.
    min_gain : float
        Gate ``improves_on_baseline`` and the advice: AUC gained, at least.
    max_weight_change : float
        Gate ``weight_change``: max |w_new / w - 1|, below.
    min_score_correlation : float
        Gate ``score_correlation``: Pearson of old and new score, above.
    max_band_shift : float
        Gate ``band_stability``: half the sum of |share_new - share_old|, below.
    max_cumulative_change : float
        Gate ``cumulative_change``: max |w_new / w_expert - 1|, below.
    min_bad_parties : int
        Fewer distinct bad parties than this make a passed model gate
        "insufficient evidence".
    min_bad_to_adopt : int
        With fewer distinct bad parties among the validated the advice is to wait, never to
        adopt.
    allow_self_review : bool
        Whether who requested the training may approve the draft.
    approvals_required : int
        How many people must approve before an activation.
    require_named_acknowledgement : bool
        Whether approving and activating must name each insufficient-evidence verdict, and
        activation without a review of its own is refused.
    approvers, admins : tuple of str or None
        Who may approve, reject, activate and roll back; who may override a failed gate and roll
        back in an emergency. None means everybody with access to the store.
    roles : mapping of str to tuple of str
        Who holds a role, such as ``risk_manager`` or ``validator``; a person holds one at most.
    approvals_by_role : mapping of str to int
        How many of the people of a role must be among those who approve.
    max_psi : float
        Monitoring alerts to a moved distribution if its PSI is above this, and above its quantile
        under no change.
    max_false_alerts : float
        Probability of any false alert in one monitoring report, at most; in (0, 0.5].
    max_auc_drop : float
        Monitoring alerts to lost discrimination if the AUC is below the reference by more.
    watched_outcome, watched_window_days : str and int, or None
        Which outcomes monitoring judges; None takes those that the version's model was trained on.
    fairness_gate : bool
        Whether the gate ``adverse_impact`` judges drafts.
    fairness_cutoff : int or None
        Score from which on a party counts as approved, in points; the gate needs it.
    min_impact_ratio : float
        Approval rate of a group over that of the reference group, at least.
    reference_group : str or None
        Value of a group column; None takes the group with the highest approval rate.

    Examples
    --------
    >>> policy = Policy()
    >>> policy.min_auc_roc, policy.max_weight_change
    (0.6, 0.5)
    >>> round(policy.weight_change_bound, 3), round(policy.correlation_bound, 3)
    (0.495, 0.805)
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

    min_labelled: Annotated[int, Field(ge=2)] = 100
    min_default_rate: Share = 0.05
    max_default_rate: Share = 0.50
    min_auc_roc: Share = 0.60
    min_gain: Share = 0.001
    max_weight_change: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.50
    min_score_correlation: Annotated[float, Field(ge=0.0, le=0.99)] = 0.80
    max_band_shift: Share = 0.10
    max_cumulative_change: Positive = 1.00
    min_bad_parties: Annotated[int, Field(ge=1)] = 30
    min_bad_to_adopt: Annotated[int, Field(ge=1)] = 100
    allow_self_review: bool = True
    approvals_required: Annotated[int, Field(ge=1)] = 1
    require_named_acknowledgement: bool = False
    approvers: tuple[str, ...] | None = None
    admins: tuple[str, ...] | None = None
    roles: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    approvals_by_role: Mapping[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    max_psi: Positive = 0.10
    max_false_alerts: Annotated[float, Field(gt=0.0, le=0.5)] = 0.05
    max_auc_drop: Share = 0.05
    watched_outcome: Name | None = None
    watched_window_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    fairness_gate: bool = False
    fairness_cutoff: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    min_impact_ratio: Share = 0.80
    reference_group: Name | None = None

    @property
    def weight_change_bound(self) -> float:
        """Give the bound d of the cone program, just inside the gate (0.495 by default)."""
        return _INSIDE * self.max_weight_change

    @property
    def cumulative_change_bound(self) -> float:
        """Give the bound d_cum of the cone program, just inside the gate (0.99 by default)."""
        return _INSIDE * self.max_cumulative_change

    @property
    def correlation_bound(self) -> float:
        """Give the bound rho of the cone program, just inside the gate (0.805 by default)."""
        return self.min_score_correlation + _CORRELATION_MARGIN

    def to_document(self) -> Document:
        """Give the policy as a JSON-ready mapping, defaults included."""
        return self.model_dump(mode="json")

    @property
    def content_hash(self) -> str:
        """Give the SHA-256 of the canonical JSON of all fields, as 64 hex digits.

        Fields that came later count only where they say something: what was hashed without them
        keeps its hash.
        """
        unsaid = {name: _DEFAULTS[name] for name in _LATER}
        said = {
            name: value
            for name, value in self.to_document().items()
            if name not in unsaid or value != unsaid[name]
        }
        return content_hash({"schema": SCHEMA_NUMBER, "policy": said})

    def role_of(self, name: str) -> str | None:
        """Give the role that a person holds; None if none.

        Examples
        --------
        >>> Policy(roles={"validator": ("vera",)}).role_of("vera")
        'validator'
        """
        return next((role for role, names in self.roles.items() if name in names), None)


_DEFAULTS = Policy().to_document()


def parse_policy(document: Mapping[str, Any] | None) -> Policy:
    """Build a policy from a document; fields left out keep their defaults.

    Parameters
    ----------
    document : mapping or None
        Field names and values, as read from YAML or JSON; None is all defaults.

    Returns
    -------
    Policy
        The validated policy.

    Raises
    ------
    DocumentError
        If fields are unknown or out of range; it names each.

    Examples
    --------
    >>> parse_policy({"min_auc_roc": 0.65}).min_auc_roc
    0.65
    >>> parse_policy({"min_auc": 0.65})
    Traceback (most recent call last):
    ...
    app.errors.DocumentError: min_auc: is not known here; did you mean 'min_auc_roc'?
    """
    try:
        policy = Policy.model_validate(document or {})
    except ValidationError as error:
        raise_problems(scorecard_problems(error, {(): Policy}))
        raise  # pragma: no cover - pydantic reports at least one error
    if policy.min_default_rate >= policy.max_default_rate:
        raise DocumentError(
            "min_default_rate",
            f"{policy.min_default_rate} is not below max_default_rate {policy.max_default_rate}",
        )
    if policy.fairness_gate and policy.fairness_cutoff is None:
        raise DocumentError("fairness_cutoff", "the gate adverse_impact needs a score in points")
    _check_roles(policy)
    return policy


def _check_roles(policy: Policy) -> None:
    """Refuse roles that nobody can fill, or one person twice: no approval counts for two."""
    held = [person_key(name) for names in policy.roles.values() for name in dict.fromkeys(names)]
    twice = sorted({name for name in held if held.count(name) > 1})
    if twice:
        raise DocumentError("roles", f"{', '.join(twice)} may hold one role only")
    for role, needed in policy.approvals_by_role.items():
        if role not in policy.roles:
            known = ", ".join(policy.roles) or "none"
            raise DocumentError(
                f"approvals_by_role.{role}", f"is not a role; those are: {known} (see roles)"
            )
        able = [
            name
            for name in policy.roles[role]
            if policy.approvers is None or name in policy.approvers
        ]
        if len(able) < needed:
            raise DocumentError(
                f"approvals_by_role.{role}",
                f"asks for {needed}, but of this role only {len(able)} may approve "
                f"({', '.join(able) or 'nobody'})",
            )
