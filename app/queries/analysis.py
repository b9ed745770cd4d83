"""What an outcome analysis depends on."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import (
    Batch,
    ExposureImport,
    OutcomeDefinition,
    OutcomeImport,
    ScorecardVersion,
    Withdrawal,
)


def analysis_state(db: Session) -> tuple[str, ...]:
    """Name the state of everything that an outcome analysis reads.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    tuple of str
        Counts of batches, imports, exposure lists, definitions, versions and withdrawals, and the
        active version. Rows do not change once written: the same counts, the same rows.
    """
    counts = db.execute(
        select(
            *(
                select(func.count()).select_from(table).scalar_subquery()
                for table in (
                    Batch, OutcomeImport, ExposureImport, OutcomeDefinition, ScorecardVersion,
                    Withdrawal,
                )
            )
        )
    ).one()  # fmt: skip
    active = db.scalar(select(ScorecardVersion.version).where(ScorecardVersion.status == "active"))
    return (*(str(number) for number in counts), active or "")
