"""Versions of the scorecard: propose, compare, review, activate, roll back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from app.domain.scorecard import Scorecard
from app.domain.types import Document, Progress
from app.queries.versions import list_open_emergencies, list_versions, require_version
from app.services.version_activations import activate_draft, active_version_at, roll_back
from app.services.version_documents import version_document, version_summary
from app.services.version_drafts import add_person_draft
from app.services.version_emergencies import acknowledge_emergencies, emergency_document
from app.services.version_reviews import approve_version, reject_version, withdraw_approval
from app.settings import default_actor

if TYPE_CHECKING:
    from app.lake.store import Lake


class ScorecardVersionService:
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

    def __init__(self, db: Session, actor: str | None = None, lake: Lake | None = None) -> None:
        self.db = db
        self.actor = actor or default_actor()
        self._lake = lake

    @property
    def lake(self) -> Lake:
        """Give the data plane, opened where it is first needed."""
        if self._lake is None:
            from app.lake.store import open_lake  # noqa: PLC0415 - loads pyarrow

            self._lake = open_lake()
        return self._lake

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

    def compare_versions(
        self, a: str, b: str, cut_off: int | None = None, progress: Progress | None = None
    ) -> Document:
        """Compare an old version with a new one.

        Parameters
        ----------
        a, b : str
            Names of the old and of the new version.
        cut_off : int, optional
            A score at which approval rate and bad rate are wanted too.
        progress : callable, optional
            Called as ``progress(stage, done, total)``.

        Returns
        -------
        dict
            See :func:`app.services.comparison.compare`.

        Raises
        ------
        NotFoundError
            If there is no such version.
        """
        from app.services.comparison import compare  # noqa: PLC0415 - loads the numerics

        return compare(self.db, self.lake, a, b, cut_off=cut_off, progress=progress)

    def get_version(self, version: str) -> Document:
        """Describe one version: content, evidence, gates, reviews, and what may be done with it.

        Parameters
        ----------
        version : str
            Its name.

        Returns
        -------
        dict
            ``features`` by name, ``status``, ``review_hash`` (what an approval binds), ``gates``,
            ``reviews``, ``activations``, ``approvals`` and ``steps``.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        return version_document(self.db, require_version(self.db, version), self.actor)

    def list_versions(self) -> tuple[Document, ...]:
        """Give one short document per version, by running number."""
        return tuple(version_summary(row) for row in list_versions(self.db))

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

    def list_emergencies(self) -> tuple[Document, ...]:
        """Give the emergency rollbacks that no approver has acknowledged, oldest first."""
        return tuple(emergency_document(row) for row in list_open_emergencies(self.db))

    def acknowledge_emergency(self, *, reason: str) -> Document:
        """Acknowledge every emergency rollback that waits for it.

        Parameters
        ----------
        reason : str
            What was found; not blank.

        Returns
        -------
        dict
            See :func:`app.services.version_emergencies.acknowledge_emergencies`.
        """
        return acknowledge_emergencies(self.db, actor=self.actor, reason=reason)

    def active_at(self, time: datetime) -> Document:
        """Say which version decided at a time.

        Parameters
        ----------
        time : datetime
            A moment; without a zone it is UTC.

        Returns
        -------
        dict
            version, and since when, by whom and why it was active.

        Raises
        ------
        InvalidInputError
            If the moment lies after today.
        NotFoundError
            If the moment lies before the store began.
        """
        return active_version_at(self.db, time)
