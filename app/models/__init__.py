"""The tables of the control plane."""

from app.models.access import ApiKey, ApiKeyRevocation, BrowserSession, BrowserSessionEnd
from app.models.base import Base
from app.models.decisions import Decision, DecisionSeal
from app.models.intake import Batch, ExposureImport, OutcomeImport, ScoreSet, Withdrawal
from app.models.labels import GroundTruthLabel, LabelSet, OutcomeDefinition
from app.models.monitoring import (
    Alert,
    AlertAttempt,
    AlertStep,
    Challenger,
    ChallengerEnd,
    MonitoringReference,
    MonitoringReport,
    ScoreCalibration,
)
from app.models.record import AuditEvent, AuditHead, PipelineRun
from app.models.registry import Evidence, ModelRegistry, Policy, Verdict
from app.models.versions import (
    Activation,
    ApprovalWithdrawal,
    EmergencyAcknowledgement,
    Review,
    ScorecardVersion,
)

__all__ = [
    "Activation",
    "Alert",
    "AlertAttempt",
    "AlertStep",
    "ApiKey",
    "ApiKeyRevocation",
    "ApprovalWithdrawal",
    "AuditEvent",
    "AuditHead",
    "Base",
    "Batch",
    "BrowserSession",
    "BrowserSessionEnd",
    "Challenger",
    "ChallengerEnd",
    "Decision",
    "DecisionSeal",
    "EmergencyAcknowledgement",
    "Evidence",
    "ExposureImport",
    "GroundTruthLabel",
    "LabelSet",
    "ModelRegistry",
    "MonitoringReference",
    "MonitoringReport",
    "OutcomeDefinition",
    "OutcomeImport",
    "PipelineRun",
    "Policy",
    "Review",
    "ScoreCalibration",
    "ScoreSet",
    "ScorecardVersion",
    "Verdict",
    "Withdrawal",
]
