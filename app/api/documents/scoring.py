"""Scores of single parties, and what is recorded of them."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr

from app.api.documents.common import Answered, Given, Name
from app.domain.decisions import MOST_PARTIES

FeatureValue = StrictBool | StrictInt | StrictFloat | StrictStr | None


class Party(Given):
    """One party to be scored."""

    party_id: str = Field(min_length=1, max_length=500)
    features: dict[str, FeatureValue] = Field(
        max_length=1_000,
        description="Raw values by name; what is left out or null is missing.",
    )


class ScoreRequest(Given):
    """Up to 10,000 parties; all of them are scored, or none."""

    parties: list[Party] = Field(
        min_length=1,
        max_length=MOST_PARTIES,
        examples=[[{"party_id": "P-1", "features": {"kyc_verified": 1, "company_age_years": 4}}]],
    )
    version: Name | None = Field(
        default=None, description="By default the active one; another needs `record=false`."
    )


class ReasonCode(Answered):
    """A feature that lost points against its maximum."""

    feature: str
    reason: str
    points_lost: float


class Scored(Answered):
    """The score of one party, and why it is not higher."""

    id: str | None = Field(description="Under which it is recorded; null with `record=false`.")
    at: datetime
    party_id: str
    version: str
    content_hash: str
    score: int
    unrounded_score: float
    band: str
    contributions: dict[str, float] = Field(description="Points by feature.")
    missing_features: list[str]
    reason_codes: list[ReasonCode]
    unknown_features: list[str] = Field(description="Names that the card does not know.")
    recorded: bool


class ScoreAnswer(Answered):
    """The scores, in the order of the parties."""

    results: list[Scored]


class Decision(Answered):
    """A recorded decision with what was given, unaltered since."""

    id: str
    at: datetime
    actor: str
    party_id: str
    version: str
    content_hash: str
    features: dict[str, FeatureValue]
    score: int
    unrounded_score: float
    band: str
    contributions: dict[str, float]
    missing_features: list[str]
    reason_codes: list[ReasonCode]
    row_hash: str


class VersionStatistics(Answered):
    """What one version decided."""

    version: str
    content_hash: str
    n: int
    mean_score: float
    lowest_score: int
    highest_score: int
    bands: dict[str, int]


class Statistics(Answered):
    """Recorded decisions, counted."""

    since: datetime | None
    until: datetime | None
    n_decisions: int
    versions: list[VersionStatistics]
