"""Versions of the scorecard: propose, compare, comment, review, activate, roll back."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.scorecard import Scorecard
from app.domain.types import Document, Progress
from app.services.version_activations import activate_draft, roll_back
from app.services.version_comments import add_comment
from app.services.version_drafts import add_person_draft
from app.services.version_emergencies import acknowledge_emergencies
from app.services.version_reading import VersionReading
from app.services.version_reviews import approve_version, reject_version, withdraw_approval


class ScorecardVersionService(VersionReading):
    """Everything that may be done with versions of the scorecard.

    Parameters
    ----------
    db : Session
        Any SQLAlchemy session on the initialised database; a call persists by itself.
    actor : str, optional
        The person on the record; by default the OS user.
    lake : Lake, optional
        The data plane; by default the one of the settings.
    """

    def refine_from_model(
        self,
        model_id: str,
        base_version: str | None = None,
        despite_advice: bool = False,  # noqa: FBT001, FBT002 - the name is part of the public call
        progress: Progress | None = None,
    ) -> Document:
        """Turn a registered model into a draft, unless the advice is keep.

        Writes: the draft with its evidence and verdicts, and the event ``draft.created``.

        Parameters
        ----------
        model_id : str
            A model that passed its gates.
        base_version : str, optional
            The version it was trained against; another is a conflict.
        despite_advice : bool
            Ask for the draft although the advice is keep; on the record, as one of its makers.
        progress : callable, optional
            Called as ``progress(stage, done, total)``.

        Returns
        -------
        dict
            ``status`` is ``draft`` or ``no_draft``; version, advice, gates, features and hashes.

        Raises
        ------
        QualityGateError
            If a gate of the model failed.
        BaselineError
            If the model was trained against another version.
        """
        from app.services.drafting import propose_draft  # noqa: PLC0415 - loads the numerics

        return propose_draft(
            self.db,
            model_id=model_id,
            base_version=base_version,
            despite_advice=despite_advice,
            actor=self.actor,
            lake=self.lake,
            progress=progress,
        )

    def add_version(
        self, card: Scorecard, note: str | None = None, progress: Progress | None = None
    ) -> Document:
        """File a card that a person wrote as a draft against the active version.

        Writes: the draft with its evidence and verdicts, and the event ``draft.created``.

        Parameters
        ----------
        card : Scorecard
            The whole content.
        note : str, optional
            What changed and why.
        progress : callable, optional
            Called as ``progress(stage, done, total)``.

        Returns
        -------
        dict
            As :meth:`get_version`; the weight gates inform and do not block.

        Raises
        ------
        ConflictError
            If the active version or a waiting draft has the same content.
        """
        row = add_person_draft(
            self.db, card, actor=self.actor, note=note, lake=self.lake, progress=progress
        )
        return self.get_version(row.version)

    def comment(self, version: str, text: str) -> Document:
        """Put a comment on a version on record.

        Writes: the event ``version.commented``.

        Parameters
        ----------
        version : str
            Its name; any status.
        text : str
            What; not blank, at most 4,000 characters.

        Returns
        -------
        dict
            version, actor, text, and the ``review_hash`` it was written against.

        Raises
        ------
        InvalidInputError
            If the text is blank or too long.
        NotFoundError
            If there is no such version.
        """
        return add_comment(self.db, version, actor=self.actor, text=text)

    def approve(
        self,
        version: str,
        *,
        reason: str,
        expected_hash: str | None = None,
        acknowledge: Sequence[str] = (),
        override_reason: str | None = None,
    ) -> Document:
        """Approve a draft; maker and checker differ.

        Writes: one row in ``reviews``, the status, and the event ``version.approved``.

        Parameters
        ----------
        version : str
            A draft.
        reason : str
            Why; not blank.
        expected_hash : str, optional
            The ``review_hash`` that was looked at; another one is a conflict.
        acknowledge : sequence of str
            Gates with insufficient evidence that the person accepts.
        override_reason : str, optional
            An admin's written reason to pass over a failed gate.

        Returns
        -------
        dict
            version, status, the review, ``approvals`` so far, and ``notice``.

        Raises
        ------
        SelfReviewError, NotPermittedError
            If the person may not approve it.
        StaleContentError, TransitionError, ConflictError
            If the hash is another, the status does not allow it, or it was approved already.
        """
        return approve_version(
            self.db,
            version,
            actor=self.actor,
            reason=reason,
            expected_hash=expected_hash,
            acknowledge=acknowledge,
            override_reason=override_reason,
        )

    def reject(self, version: str, *, reason: str, expected_hash: str | None = None) -> Document:
        """Reject a draft, for good.

        Writes: one row in ``reviews``, the status, and the event ``version.rejected``.

        Parameters
        ----------
        version : str
            A draft or an approved version.
        reason : str
            Why; not blank.
        expected_hash : str, optional
            The ``review_hash`` that was looked at.

        Returns
        -------
        dict
            version, status and the review.

        Raises
        ------
        NotPermittedError, StaleContentError, TransitionError
            If the person, the content or the status does not allow it.
        """
        return reject_version(
            self.db, version, actor=self.actor, reason=reason, expected_hash=expected_hash
        )

    def activate_version(
        self,
        version: str,
        *,
        reason: str | None = None,
        expected_hash: str | None = None,
        acknowledge: Sequence[str] = (),
        override_reason: str | None = None,
    ) -> Document:
        """Make a draft or an approved version the one that decides.

        Writes: the status of two versions, one row in ``activations``, one in ``reviews`` where
        the activation counts as approval, and the event ``version.activated``.

        Parameters
        ----------
        version : str
            A draft or an approved version.
        reason : str, optional
            Why.
        expected_hash : str, optional
            The ``review_hash`` that was looked at.
        acknowledge : sequence of str
            Gates with insufficient evidence that the person accepts.
        override_reason : str, optional
            An admin's written reason to pass over a failed gate.

        Returns
        -------
        dict
            version, status, previous_version, ``counted_as_approval`` and ``notice``.

        Raises
        ------
        QualityGateError
            If a gate failed and no admin overrode it.
        SelfReviewError, NotPermittedError
            If the person may not approve it.
        BaselineError, StaleContentError, TransitionError, ConflictError
            If the state does not allow it, approvals are missing, or somebody was faster.
        """
        return activate_draft(
            self.db,
            version,
            actor=self.actor,
            reason=reason,
            expected_hash=expected_hash,
            acknowledge=acknowledge,
            override_reason=override_reason,
        )

    def withdraw_approval(self, version: str, *, reason: str) -> Document:
        """Take one's own approval back before the version decides.

        Writes: one row in ``approval_withdrawals``, the status where too few approvals are left,
        and the event ``version.approval_withdrawn``.

        Parameters
        ----------
        version : str
            A draft or an approved version.
        reason : str
            Why; not blank.

        Returns
        -------
        dict
            version, status, actor, reason, n_withdrawn and the ``approvals`` that are left.

        Raises
        ------
        TransitionError, ConflictError
            If the version decides already, or the person has no approval on record.
        """
        return withdraw_approval(self.db, version, actor=self.actor, reason=reason)

    def rollback(self, version: str, *, reason: str, emergency: bool = False) -> Document:
        """Make an earlier version active again.

        Writes: the status of two versions, one row in ``activations``, and the event
        ``version.rolled_back`` or ``version.emergency_rollback``.

        Parameters
        ----------
        version : str
            A version that was active before.
        reason : str
            Why; not blank.
        emergency : bool
            By an admin, because approvers are away; listed until one acknowledges it.

        Returns
        -------
        dict
            version, status, previous_version, kind and ``notice``.

        Raises
        ------
        NotPermittedError, TransitionError, ConflictError
            If the person or the status does not allow it, or somebody was faster.
        """
        return roll_back(self.db, version, actor=self.actor, reason=reason, emergency=emergency)

    def acknowledge_emergency(self, *, reason: str, newest: str | None = None) -> Document:
        """Acknowledge every emergency rollback that waits for it.

        Parameters
        ----------
        reason : str
            What was found; not blank.
        newest : str, optional
            ``at`` of the last one that the person saw, where a page was in between.

        Returns
        -------
        dict
            See :func:`app.services.version_emergencies.acknowledge_emergencies`.
        """
        return acknowledge_emergencies(self.db, actor=self.actor, reason=reason, newest=newest)
