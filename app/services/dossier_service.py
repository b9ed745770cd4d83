"""Gather everything that is on record about one version, for a paper about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from app.domain.model_weights import weights_on_the_card
from app.domain.scorecard import Scorecard
from app.domain.types import Document, Progress
from app.models import ModelRegistry, OutcomeDefinition, ScorecardVersion
from app.queries.alerts import read_alerts
from app.queries.batches import batch_document, known_batch, list_withdrawals
from app.queries.definitions import definition_document
from app.queries.labels import label_set_document, require_label_set
from app.queries.models import list_models, model_document, model_summary, require_model
from app.queries.monitoring import newest_reports, report_document
from app.queries.policies import current_policy_row, policy_by_hash, policy_document
from app.queries.versions import evidence_of, expert_ancestor, require_version
from app.services.card_tables import card_tables
from app.services.lineage import version_lineage
from app.services.model_documents import require_unaltered_model
from app.services.scoring_service import card_of
from app.services.version_comments import read_conversation
from app.services.version_documents import version_document
from app.settings import default_actor

if TYPE_CHECKING:
    from app.lake.store import Lake

_MOST_ALERTS = 200
"""A paper lists those that are open, and then the newest."""

_OF_WHO_LOOKS = ("steps", "features")
"""Parts of a version's document that depend on who looks, or stand in its content too."""


class DossierService:
    """Gather what is on record about a version; nothing is fitted, judged or written.

    Parameters
    ----------
    db : Session
        Any SQLAlchemy session on the initialised database.
    lake : Lake, optional
        The data plane; by default the one of the settings.
    """

    def __init__(self, db: Session, lake: Lake | None = None) -> None:
        self.db = db
        self._lake = lake

    def dossier(self, version: str, progress: Progress | None = None) -> Document:
        """Gather everything that is on record about one version.

        Parameters
        ----------
        version : str
            Its name; any status.
        progress : callable, optional
            Called as ``progress(stage, done, total)``.

        Returns
        -------
        dict
            ``version`` as `version_document` gives it to nobody in particular, ``conversation``,
            ``evidence`` by kind as frozen, ``review`` (see
            :func:`app.services.review_evidence.review_evidence`; None for the first version),
            ``model`` as registered with its ``weights``, ``policy``, ``expert``, ``batches``,
            ``label_sets`` with their ``definition``, ``lineage``, ``judged_as_baseline`` (models
            that were judged against this version), ``monitoring`` (the newest report of each batch,
            and alerts), ``odds``, and ``as_of``, the
            time of the newest entry. The same record gives the same document.

        Raises
        ------
        NotFoundError
            If there is no such version.
        TamperingError
            If version or model is not what was stored.
        FileHashError
            If a file is not what was stored.
        """
        row = require_version(self.db, version)
        found = version_document(self.db, row, default_actor())
        model = None if row.model_id is None else require_model(self.db, row.model_id)
        if model is not None:
            require_unaltered_model(self.db, model)
        review = None if row.base_version is None else self._review(version, progress)
        lineage = (
            version_lineage(self.db, row, batch_ids=[], label_set_ids=[])
            if review is None
            else review["lineage"]
        )
        conversation = read_conversation(self.db, version)
        monitoring = self._monitoring(version)
        return {
            "version": {key: one for key, one in found.items() if key not in _OF_WHO_LOOKS},
            "conversation": conversation,
            "evidence": evidence_of(self.db, version),
            "review": review,
            "model": None if model is None else self._model(model),
            "policy": self._policy(lineage),
            "expert": expert_ancestor(self.db, version).version,
            "batches": self._batches(review),
            "label_sets": [
                self._label_set(one["label_set_id"]) for one in lineage["label_sets"]
            ],
            "lineage": lineage,
            "monitoring": monitoring,
            "judged_as_baseline": self._judged_as_baseline(version),
            "odds": card_tables(self.db, row, card_of(row)),
            "as_of": _as_of(row, conversation, monitoring),
        }  # fmt: skip

    def _review(self, version: str, progress: Progress | None) -> Document:
        from app.services.review_evidence import review_evidence  # noqa: PLC0415 - the numerics

        return review_evidence(self.db, self._opened_lake(), version, progress=progress)

    def _opened_lake(self) -> Lake:
        if self._lake is None:
            from app.lake.store import open_lake  # noqa: PLC0415 - loads pyarrow

            self._lake = open_lake()
        return self._lake

    def _model(self, row: ModelRegistry) -> Document:
        base, expert = (
            _weights(found.content)
            for found in (
                require_version(self.db, row.base_version),
                expert_ancestor(self.db, row.base_version),
            )
        )
        return {
            **model_document(self.db, row),
            "weights": weights_on_the_card(row.parameters, base, expert),
        }

    def _judged_as_baseline(self, version: str) -> list[Document]:
        """Describe the models that were judged against this version, newest first."""
        return [
            {
                **model_summary(one),
                "n_validated": one.validation["n_validated"],
                "n_validated_bad": one.validation["n_validated_bad"],
                "baseline": one.metrics["baseline"],
                "refined": one.metrics["refined"],
            }
            for one in list_models(self.db)
            if one.base_version == version
        ]

    def _monitoring(self, version: str) -> Document:
        """Give the newest report of each batch in the order of scoring, and the alerts."""
        newest = newest_reports(self.db, version)
        return {
            "reports": [report_document(report) for report, _ in newest],
            "alerts": read_alerts(self.db, version=version, limit=_MOST_ALERTS)["items"],
        }

    def _policy(self, lineage: Document) -> Document:
        """Give the policy that the gates were judged by; where none was, the one in force."""
        if lineage["policy"] is None:
            return {**policy_document(current_policy_row(self.db)), "judged": False}
        row, _ = policy_by_hash(self.db, lineage["policy"]["content_hash"])
        return {**policy_document(row), "judged": True}

    def _batches(self, review: Document | None) -> list[Document]:
        """Describe the batches that the review rests on."""
        sources = [
            part["source"]["batch_ids"]
            for key in ("discrimination", "movement")
            if review is not None and (part := review[key]) is not None
        ]
        wanted = sorted({batch_id for found in sources for batch_id in found})
        withdrawn = list_withdrawals(self.db, "batch")
        return [batch_document(known_batch(self.db, name), withdrawn.get(name)) for name in wanted]

    def _label_set(self, label_set_id: int) -> Document:
        row = require_label_set(self.db, label_set_id)
        definition = None
        if row.definition_id is not None:
            definition = definition_document(self.db.get_one(OutcomeDefinition, row.definition_id))
        return {**label_set_document(self.db, row), "definition": definition}


def _weights(content: Document) -> dict[str, float]:
    return {name: one.weight for name, one in Scorecard.from_document(content).features.items()}


def _as_of(row: ScorecardVersion, conversation: tuple[Document, ...], monitoring: Document) -> str:
    """Give the time of the newest entry about a version: nothing here reads a clock."""
    moments = [row.created_at, row.activated_at, row.deactivated_at]
    known = [one.isoformat() for one in moments if one is not None]
    known += [str(one["at"]) for one in conversation]
    known += [one["created_at"] for one in monitoring["reports"]]
    for alert in monitoring["alerts"]:
        steps = (alert["acknowledged"], alert["closed"])
        known += [alert["opened_at"], *(one["at"] for one in steps if one is not None)]
    return max(known)
