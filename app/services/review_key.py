"""What the evidence of a review depends on, so that it is computed once for each state of it."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import InvalidInputError
from app.models import Batch, LabelSet, ModelRegistry, ScorecardVersion, Withdrawal
from app.queries.versions import require_version


def reviewed_pair(
    db: Session, version: str, against: str | None
) -> tuple[ScorecardVersion, ScorecardVersion]:
    """Find the versions that a review sets side by side.

    Parameters
    ----------
    db : Session
        The store.
    version : str
        The new version.
    against : str or None
        The old version; None is the one that it was made against.

    Returns
    -------
    tuple of ScorecardVersion
        The old and the new one.

    Raises
    ------
    NotFoundError
        If there is no such version.
    InvalidInputError
        If both are the same, or the version is the first and none is named.
    """
    new = require_version(db, version)
    base = against or new.base_version
    if base is None:
        raise InvalidInputError(
            f"{version} is the first version: there is none that it was made against.",
            version=version,
        )
    if base == version:
        raise InvalidInputError(f"{version} cannot be compared with itself; name two versions.")
    return require_version(db, base), new


def review_key(db: Session, version: str, against: str | None = None) -> tuple[str, ...]:
    """Name everything that the evidence of a review depends on.

    Parameters
    ----------
    db : Session
        The store.
    version : str
        The new version.
    against : str or None
        The old version; None is the one that it was made against.

    Returns
    -------
    tuple of str
        Names and hashes of both versions, models with their hashes, label sets, batches and
        withdrawals. Whatever is computed of the same key is the same.

    Notes
    -----
    Rows of the store do not change once they are written; what may be added and would change
    the answer is counted: models (another opinion), batches, label sets, withdrawals.
    """
    pair = reviewed_pair(db, version, against)
    models = db.execute(
        select(ModelRegistry.id, ModelRegistry.content_hash).where(
            ModelRegistry.id.in_([row.model_id for row in pair if row.model_id is not None])
        )
    )
    counts = db.execute(
        select(
            select(func.count()).select_from(Withdrawal).scalar_subquery(),
            select(func.count())
            .where(ModelRegistry.base_version == pair[0].version)
            .scalar_subquery(),
            select(func.max(LabelSet.id)).scalar_subquery(),
            select(func.count()).select_from(Batch).scalar_subquery(),
        )
    ).one()
    return (
        *(
            part or ""
            for row in pair
            for part in (row.version, row.content_hash, row.evidence_hash)
        ),
        *(part for found in sorted(tuple(row) for row in models) for part in found),
        *(str(number) for number in counts),
    )
