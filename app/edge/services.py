"""Each service on one session for one actor, imported when it is first asked for.

``chancellor --help`` must be quick, and SQLAlchemy, Ibis, scikit-learn and Dagster take a second
or more to import: this is the one module of the faces that reaches for services.
"""
# ruff: noqa: PLC0415 - imported when asked for, so that --help stays quick

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.lake.store import Lake
    from app.services.alert_service import AlertService
    from app.services.audit_service import AuditService
    from app.services.batch_service import BatchService
    from app.services.challenger_service import ChallengerService
    from app.services.checkpoint_service import CheckpointService
    from app.services.decision_service import DecisionService
    from app.services.definition_service import DefinitionService
    from app.services.doctor import DoctorService
    from app.services.dossier_service import DossierService
    from app.services.export_service import ExportService
    from app.services.exposure_service import ExposureService
    from app.services.fairness_service import FairnessService
    from app.services.intake_preview import IntakePreviewService
    from app.services.key_service import KeyService
    from app.services.label_generation_service import LabelGenerationService
    from app.services.model_training_service import ModelTrainingService
    from app.services.monitoring_service import MonitoringService
    from app.services.outcome_analysis_service import OutcomeAnalysisService
    from app.services.outcome_service import OutcomeService
    from app.services.overview_service import OverviewService
    from app.services.pipeline_service import PipelineService
    from app.services.policy_service import PolicyService
    from app.services.replay_service import ReplayService
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
    lake : Lake or None
        The data plane; None is the one of the settings.
    """

    db: Session
    actor: str | None
    lake: Lake | None = None

    @property
    def alerts(self) -> AlertService:
        """Give the service of alerts."""
        from app.services.alert_service import AlertService

        return AlertService(self.db, actor=self.actor)

    @property
    def analysis(self) -> OutcomeAnalysisService:
        """Give the service of outcome analyses."""
        from app.services.outcome_analysis_service import OutcomeAnalysisService

        return OutcomeAnalysisService(self.db, actor=self.actor, lake=self.lake)

    @property
    def audit(self) -> AuditService:
        """Give the audit service."""
        from app.services.audit_service import AuditService

        return AuditService(self.db)

    @property
    def batches(self) -> BatchService:
        """Give the batch service."""
        from app.services.batch_service import BatchService

        return BatchService(self.db, actor=self.actor, lake=self.lake)

    @property
    def challengers(self) -> ChallengerService:
        """Give the service of challengers."""
        from app.services.challenger_service import ChallengerService

        return ChallengerService(self.db, actor=self.actor)

    def checkpoints(self, key_file: Path | None = None) -> CheckpointService:
        """Give the service of signed checkpoints, with its key where a person says."""
        from app.services.checkpoint_service import CheckpointService

        return CheckpointService(self.db, actor=self.actor, key_file=key_file)

    @property
    def decisions(self) -> DecisionService:
        """Give the service of recorded decisions."""
        from app.services.decision_service import DecisionService

        return DecisionService(self.db, actor=self.actor)

    @property
    def definitions(self) -> DefinitionService:
        """Give the service of outcome definitions."""
        from app.services.definition_service import DefinitionService

        return DefinitionService(self.db, actor=self.actor)

    @property
    def doctor(self) -> DoctorService:
        """Give the service that examines the store."""
        from app.services.doctor import DoctorService

        return DoctorService(self.db, actor=self.actor, lake=self.lake)

    @property
    def dossiers(self) -> DossierService:
        """Give the service that gathers the record of a version."""
        from app.services.dossier_service import DossierService

        return DossierService(self.db, lake=self.lake)

    @property
    def exports(self) -> ExportService:
        """Give the service that writes versions for other programs."""
        from app.services.export_service import ExportService

        return ExportService(self.db)

    @property
    def exposures(self) -> ExposureService:
        """Give the service of exposure lists."""
        from app.services.exposure_service import ExposureService

        return ExposureService(self.db, actor=self.actor, lake=self.lake)

    @property
    def fairness(self) -> FairnessService:
        """Give the service that compares groups."""
        from app.services.fairness_service import FairnessService

        return FairnessService(self.db, actor=self.actor, lake=self.lake)

    @property
    def keys(self) -> KeyService:
        """Give the service of API keys."""
        from app.services.key_service import KeyService

        return KeyService(self.db, actor=self.actor)

    @property
    def labels(self) -> LabelGenerationService:
        """Give the label generation service."""
        from app.services.label_generation_service import LabelGenerationService

        return LabelGenerationService(self.db, actor=self.actor, lake=self.lake)

    @property
    def models(self) -> ModelTrainingService:
        """Give the model training service."""
        from app.services.model_training_service import ModelTrainingService

        return ModelTrainingService(self.db, actor=self.actor, lake=self.lake)

    @property
    def monitoring(self) -> MonitoringService:
        """Give the monitoring service."""
        from app.services.monitoring_service import MonitoringService

        return MonitoringService(self.db, actor=self.actor, lake=self.lake)

    @property
    def outcomes(self) -> OutcomeService:
        """Give the outcome service."""
        from app.services.outcome_service import OutcomeService

        return OutcomeService(self.db, actor=self.actor, lake=self.lake)

    @property
    def overview(self) -> OverviewService:
        """Give the service of what a person sees first."""
        from app.lake.store import open_lake
        from app.services.overview_service import OverviewService
        from app.settings import default_actor

        return OverviewService(self.db, self.actor or default_actor(), self.lake or open_lake())

    @property
    def pipelines(self) -> PipelineService:
        """Give the service that people ask for runs."""
        from app.log import request_id
        from app.services.pipeline_service import PipelineService

        return PipelineService(self.db, actor=self.actor, request_id=request_id.get())

    @property
    def policies(self) -> PolicyService:
        """Give the policy service."""
        from app.services.policy_service import PolicyService

        return PolicyService(self.db, actor=self.actor)

    @property
    def previews(self) -> IntakePreviewService:
        """Give the service that looks at a file before it is stored."""
        from app.services.intake_preview import IntakePreviewService

        return IntakePreviewService(self.db)

    @property
    def replay(self) -> ReplayService:
        """Give the service that computes again what was decided."""
        from app.services.replay_service import ReplayService

        return ReplayService(self.db, lake=self.lake)

    @property
    def runs(self) -> RunService:
        """Give the service of pipeline runs."""
        from app.services.runs import RunService

        return RunService(self.db, actor=self.actor)

    @property
    def scoring(self) -> ScoringService:
        """Give the scoring service."""
        from app.services.scoring_service import ScoringService

        return ScoringService(self.db, actor=self.actor, lake=self.lake)

    @property
    def versions(self) -> ScorecardVersionService:
        """Give the scorecard version service."""
        from app.services.scorecard_version_service import ScorecardVersionService

        return ScorecardVersionService(self.db, actor=self.actor, lake=self.lake)
