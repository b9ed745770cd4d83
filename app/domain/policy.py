"""The policy: every threshold that a decision was judged by, as one frozen document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.domain.canonical import content_hash
from app.domain.document import raise_problems
from app.domain.scorecard_problems import scorecard_problems
from app.domain.types import Document
from app.errors import DocumentError

Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]

SCHEMA_NUMBER = 1
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
        Who may approve, reject, activate and roll back; who may override a failed gate.
        None means everybody with access to the store.

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
        """Give the SHA-256 of the canonical JSON of all fields, as 64 hex digits."""
        return content_hash({"schema": SCHEMA_NUMBER, "policy": self.to_document()})


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
    return policy
