"""The services on the open store, each imported when a command first asks for it.

``chancellor --help`` must be quick, and SQLAlchemy, Ibis, scikit-learn and Dagster take a second
or more to import: this is the one module of the command line that reaches for them.
"""
# ruff: noqa: PLC0415 - imported when asked for, so that --help stays quick

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.services.audit_service import AuditService
    from app.services.batch_service import BatchService
    from app.services.definition_service import DefinitionService
    from app.services.doctor import DoctorService
    from app.services.exposure_service import ExposureService
    from app.services.label_generation_service import LabelGenerationService
    from app.services.model_training_service import ModelTrainingService
    from app.services.outcome_service import OutcomeService
    from app.services.policy_service import PolicyService
    from app.services.runs import RunService
    from app.services.scorecard_version_service import ScorecardVersionService
    from app.services.scoring_service import ScoringService


@dataclass(slots=True)
class Services:
    """Give each service on one session, for one actor.

    Parameters
    ----------
    db : Session
        Session on an initialised database.
    actor : str or None
        The person on the record; None is the OS user.
    """

    db: Session
    actor: str | None

    @property
    def audit(self) -> AuditService:
        """Give the audit service."""
        from app.services.audit_service import AuditService

        return AuditService(self.db)

    @property
    def batches(self) -> BatchService:
        """Give the batch service."""
        from app.services.batch_service import BatchService

        return BatchService(self.db, actor=self.actor)

    @property
    def definitions(self) -> DefinitionService:
        """Give the service of outcome definitions."""
        from app.services.definition_service import DefinitionService

        return DefinitionService(self.db, actor=self.actor)

    @property
    def doctor(self) -> DoctorService:
        """Give the service that examines the store."""
        from app.services.doctor import DoctorService

        return DoctorService(self.db, actor=self.actor)

    @property
    def exposures(self) -> ExposureService:
        """Give the service of exposure lists."""
        from app.services.exposure_service import ExposureService

        return ExposureService(self.db, actor=self.actor)

    @property
    def labels(self) -> LabelGenerationService:
        """Give the label generation service."""
        from app.services.label_generation_service import LabelGenerationService

        return LabelGenerationService(self.db, actor=self.actor)

    @property
    def models(self) -> ModelTrainingService:
        """Give the model training service."""
        from app.services.model_training_service import ModelTrainingService

        return ModelTrainingService(self.db, actor=self.actor)

    @property
    def outcomes(self) -> OutcomeService:
        """Give the outcome service."""
        from app.services.outcome_service import OutcomeService

        return OutcomeService(self.db, actor=self.actor)

    @property
    def policies(self) -> PolicyService:
        """Give the policy service."""
        from app.services.policy_service import PolicyService

        return PolicyService(self.db, actor=self.actor)

    @property
    def runs(self) -> RunService:
        """Give the service of pipeline runs."""
        from app.services.runs import RunService

        return RunService(self.db, actor=self.actor)

    @property
    def scoring(self) -> ScoringService:
        """Give the scoring service."""
        from app.services.scoring_service import ScoringService

        return ScoringService(self.db, actor=self.actor)

    @property
    def versions(self) -> ScorecardVersionService:
        """Give the scorecard version service."""
        from app.services.scorecard_version_service import ScorecardVersionService

        return ScorecardVersionService(self.db, actor=self.actor)


@contextmanager
def open_services(actor: str | None) -> Iterator[Services]:
    """Open the store and yield its services; the session closes with the block.

    Parameters
    ----------
    actor : str or None
        The person on the record; None is the OS user.

    Yields
    ------
    Services
        Services on one session.

    Raises
    ------
    StoreNotInitialisedError
        If there is no store; it names ``chancellor init``.
    """
    from app.db import open_session

    with open_session() as db:
        yield Services(db, actor)
