"""Whether a version may be approved and activated, from its verdicts and approvals.

A :class:`Case` holds all that such a decision rests on. Nothing here reads or writes; who the
person is allowed to be is decided in :mod:`app.domain.rights`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.domain.counted import counted
from app.domain.gates import WEIGHT_GATES
from app.domain.lifecycle import VersionFacts, is_among, person_key
from app.domain.policy import Policy
from app.domain.rights import YES, Decision, is_admin, may_review, no

WITHDRAWN_EVIDENCE = "withdrawn_evidence"
"""What is acknowledged by name where files behind a draft were withdrawn after it was made."""


@dataclass(frozen=True, slots=True)
class VerdictFacts:
    """A stored verdict as far as a decision needs it: ``gate``, ``verdict`` and ``sentence``."""

    gate: str
    verdict: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval: by whom, of which content, what was acknowledged and what overridden."""

    reviewer: str
    review_hash: str
    acknowledged: tuple[str, ...] = ()
    override_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """Hold everything that a decision about one version rests on.

    Parameters
    ----------
    policy : Policy
        The policy in force now; earlier approvals are counted by it too.
    facts : VersionFacts
        The version.
    verdicts : tuple of VerdictFacts
        Every verdict on the version and the model behind it.
    approvals : tuple of Approval
        Those on record, oldest first.
    withdrawn : tuple of str
        Batches and imports behind the version that were withdrawn since.
    """

    policy: Policy
    facts: VersionFacts
    verdicts: tuple[VerdictFacts, ...] = ()
    approvals: tuple[Approval, ...] = ()
    withdrawn: tuple[str, ...] = ()

    @property
    def blocking(self) -> tuple[VerdictFacts, ...]:
        """Select the failed gates that stand in the way of an activation.

        All failed ones for a model's version; for a person's the weight gates only inform.

        Examples
        --------
        >>> far = VerdictFacts("weight_change", "fail", "61 % is not under 50 %.")
        >>> card = VersionFacts("v2", "person", "ada", (), None, "v1", "hash")
        >>> Case(Policy(), card, (far,)).blocking
        ()
        """
        informs = WEIGHT_GATES if self.facts.origin == "person" else ()
        return tuple(v for v in self.verdicts if v.verdict == "fail" and v.gate not in informs)

    @property
    def to_acknowledge(self) -> tuple[str, ...]:
        """Name withdrawn evidence and the gates whose evidence is insufficient, in that order."""
        return (*self._withdrawn, *self._insufficient)

    @property
    def _withdrawn(self) -> tuple[str, ...]:
        return (WITHDRAWN_EVIDENCE,) if self.withdrawn else ()

    @property
    def _insufficient(self) -> tuple[str, ...]:
        return tuple(v.gate for v in self.verdicts if v.verdict == "insufficient evidence")

    @property
    def counted_approvers(self) -> tuple[str, ...]:
        """Name the people whose approval of the present content counts, each once."""
        people: dict[str, str] = {}
        for approval in self.approvals:
            if self.counts(approval):
                people.setdefault(person_key(approval.reviewer), approval.reviewer)
        return tuple(people.values())

    @property
    def missing_roles(self) -> tuple[str, ...]:
        """Say which roles have approved too seldom, such as ``validator (0 of 1)``.

        Examples
        --------
        >>> policy = Policy(roles={"validator": ("vera",)}, approvals_by_role={"validator": 1})
        >>> card = VersionFacts("v2", "person", "ada", (), None, "v1", "hash")
        >>> Case(policy, card, approvals=(Approval("joe", "hash"),)).missing_roles
        ('validator (0 of 1)',)
        """
        roles = [self.policy.role_of(name) for name in self.counted_approvers]
        return tuple(
            f"{role} ({roles.count(role)} of {needed})"
            for role, needed in self.policy.approvals_by_role.items()
            if roles.count(role) < needed
        )

    @property
    def has_enough_approvals(self) -> bool:
        """Say whether the approvals on record are as many, and of whom, the policy asks for."""
        n_approvals = len(self.counted_approvers)
        return n_approvals >= self.policy.approvals_required and not self.missing_roles

    def counts(self, approval: Approval) -> bool:
        """Say whether an approval is of the present content and stands under the policy.

        Parameters
        ----------
        approval : Approval
            One on record, or one asked for.

        Returns
        -------
        bool
            True if its hash is the present one, its reviewer may still review the version, and
            it names withdrawn evidence, and each verdict of insufficient evidence where the policy
            asks for that.
        """
        return (
            approval.review_hash == self.facts.review_hash
            and may_review(self.policy, self.facts, approval.reviewer).allowed
            and not self.unnamed(approval)
        )

    def unnamed(self, approval: Approval) -> tuple[str, ...]:
        """Name what an approval had to acknowledge by name and did not.

        Parameters
        ----------
        approval : Approval
            One on record, or one asked for.

        Returns
        -------
        tuple of str
            Withdrawn evidence whatever the policy says, gates where it asks for names.

        Examples
        --------
        >>> card = VersionFacts("ml_v2", "model", "model:m", (), None, "v1", "hash")
        >>> case = Case(Policy(), card, withdrawn=("batch B1",))
        >>> case.unnamed(Approval("joe", "hash"))
        ('withdrawn_evidence',)
        """
        asked = self._insufficient if self.policy.require_named_acknowledgement else ()
        return tuple(
            name for name in (*self._withdrawn, *asked) if name not in approval.acknowledged
        )

    def approvals_of(self, actor: str) -> tuple[Approval, ...]:
        """Select the counting approvals of one person.

        Parameters
        ----------
        actor : str
            The person.

        Returns
        -------
        tuple of Approval
            Oldest first.
        """
        return tuple(a for a in self.approvals if is_among(actor, (a.reviewer,)) and self.counts(a))


def may_approve(case: Case, approval: Approval) -> Decision:
    """Decide whether one approval can be entered.

    Parameters
    ----------
    case : Case
        The version with the approvals on record.
    approval : Approval
        The one asked for.

    Returns
    -------
    Decision
        A yes carries the notices for the record. A failed gate does not hinder an approval; it
        blocks the activation, and a notice says so.
    """
    decision = may_review(case.policy, case.facts, approval.reviewer)
    if not decision.allowed:
        return decision
    if case.approvals_of(approval.reviewer) and approval.override_reason is None:
        return no(
            "already_approved",
            f"{approval.reviewer} has approved this content of {case.facts.version} already.",
        )
    form = _check_form(case, approval)
    if not form.allowed:
        return form
    if case.blocking and approval.override_reason is None:
        return Decision(allowed=True, notices=(*decision.notices, _override_needed(case)))
    return decision


def may_activate(case: Case, own: Approval, active_version: str | None) -> Decision:
    """Decide whether a person may activate a version with the approvals on record.

    Parameters
    ----------
    case : Case
        The version with the approvals on record.
    own : Approval
        What the activation itself says: by whom, of which content, with which acknowledgements
        and override. It counts as an approval unless the policy asks for each by name.
    active_version : str or None
        The version that is active now.

    Returns
    -------
    Decision
        No if the baseline is no longer active, the person has no right to approve, a blocking
        gate failed and no admin overrode it, an acknowledgement is missing, or fewer people
        approved this content than the policy asks for.
    """
    if case.facts.base_version != active_version:
        return no("baseline_not_active", _stale_baseline(case.facts, active_version))
    right = may_review(case.policy, case.facts, own.reviewer)
    if not right.allowed:
        return right
    form = _check_form(case, own)
    if not form.allowed:
        return form
    if case.blocking and not any(_overrides(case, a) for a in (*case.approvals, own)):
        return no("gate_failed", _override_needed(case))
    enough = _check_number(case, own)
    return right if enough.allowed else enough


def counts_as_approval(case: Case, own: Approval) -> bool:
    """Say whether an activation is to be entered as an approval too.

    Parameters
    ----------
    case : Case
        The version with the approvals on record.
    own : Approval
        What the activation says.

    Returns
    -------
    bool
        True if the person has not approved this content yet and the policy does not ask for
        each approval and acknowledgement by name.
    """
    return not case.policy.require_named_acknowledgement and not case.approvals_of(own.reviewer)


def may_withdraw(case: Case, actor: str) -> Decision:
    """Decide whether a person may take an approval back.

    Parameters
    ----------
    case : Case
        The version with the approvals on record that were not withdrawn.
    actor : str
        The person.

    Returns
    -------
    Decision
        Yes for whoever has an approval on record, whether or not it still counts.

    Examples
    --------
    >>> card = VersionFacts("v2", "person", "ada", (), None, "v1", "hash")
    >>> case = Case(Policy(), card, approvals=(Approval("joe", "hash"),))
    >>> may_withdraw(case, "Joe").allowed, may_withdraw(case, "eve").reason
    (True, 'nothing_to_withdraw')
    """
    if is_among(actor, (approval.reviewer for approval in case.approvals)):
        return YES
    by = ", ".join(dict.fromkeys(approval.reviewer for approval in case.approvals)) or "nobody"
    return no(
        "nothing_to_withdraw",
        f"{actor} has no approval of {case.facts.version} to withdraw; it was approved by {by}.",
    )


def _check_number(case: Case, own: Approval) -> Decision:
    approvers = case.counted_approvers
    approves = counts_as_approval(case, own)
    n_approvals = len(approvers) + approves
    if n_approvals >= case.policy.approvals_required:
        with_own = replace(case, approvals=(*case.approvals, *([own] if approves else [])))
        return _check_roles(with_own)
    n_stale = sum(a.review_hash != case.facts.review_hash for a in case.approvals)
    earlier = counted(n_stale, "earlier approval was", "earlier approvals were")
    stale = f" {earlier} of other content." if n_stale else ""
    by = f" (by {', '.join(approvers)})" if approvers else ""
    return no(
        "too_few_approvals",
        f"{case.facts.version} would have {n_approvals} of the {case.policy.approvals_required} "
        f"approvals that the policy asks for{by}.{stale} Another person must approve it first.",
    )


def _check_roles(case: Case) -> Decision:
    if not case.missing_roles:
        return YES
    return no(
        "too_few_approvals",
        f"{case.facts.version} lacks approvals that the policy asks for by role: "
        f"{', '.join(case.missing_roles)}. Somebody of the role must approve it first.",
    )


def _check_form(case: Case, approval: Approval) -> Decision:
    version = case.facts.version
    unknown = [gate for gate in approval.acknowledged if gate not in case.to_acknowledge]
    if unknown:
        return no(
            "nothing_to_acknowledge",
            f"{', '.join(unknown)}: not a gate of {version} with insufficient evidence; those "
            f"are: {', '.join(case.to_acknowledge) or 'none'}.",
        )
    earlier = {gate for a in case.approvals_of(approval.reviewer) for gate in a.acknowledged}
    unnamed = [gate for gate in case.unnamed(approval) if gate not in earlier]
    if unnamed:
        return no("not_acknowledged", _unnamed(case, unnamed))
    if approval.override_reason is None:
        return YES
    if not case.blocking:
        return no("nothing_to_override", f"No gate blocks {version}; there is nothing to override.")
    if not is_admin(case.policy, approval.reviewer):
        named = ", ".join(case.policy.admins or ()) or "nobody"
        return no(
            "not_an_admin",
            f"Only an admin may override a failed gate; {approval.reviewer} is none. The policy "
            f"names {named}.",
        )
    return YES


def _unnamed(case: Case, names: list[str]) -> str:
    gates = [name for name in names if name != WITHDRAWN_EVIDENCE]
    said = []
    if WITHDRAWN_EVIDENCE in names:
        said.append(
            f"Withdrawn since {case.facts.version} was made: {', '.join(case.withdrawn)}; what "
            "rests on it may be wrong. Make a new draft without it, or acknowledge it by name."
        )
    if gates:
        said.append(
            f"The evidence on {', '.join(gates)} is insufficient and the policy asks that each "
            "is acknowledged by name."
        )
    return f"{' '.join(said)} (--acknowledge {' --acknowledge '.join(names)})"


def _overrides(case: Case, approval: Approval) -> bool:
    return (
        approval.override_reason is not None
        and approval.review_hash == case.facts.review_hash
        and may_review(case.policy, case.facts, approval.reviewer).allowed
        and is_admin(case.policy, approval.reviewer)
    )


def _override_needed(case: Case) -> str:
    said = " ".join(f"Gate {v.gate} failed: {v.sentence}" for v in case.blocking)
    return (
        f"{said} {case.facts.version} cannot be activated unless an admin overrides with a "
        "written reason."
    )


def _stale_baseline(facts: VersionFacts, active_version: str | None) -> str:
    return (
        f"{facts.version} was made against {facts.base_version}, but {active_version} is active "
        f"now. Make a new draft against {active_version}."
    )
