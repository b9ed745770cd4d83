"""Store verdicts: what each gate said of a label set, a model or a version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sqlalchemy.orm import Session

from app.db import utc_now
from app.domain.gates import Verdict
from app.models import Verdict as VerdictRow


def add_verdicts(
    db: Session,
    subject_kind: Literal["label_set", "model", "version"],
    subject_id: str,
    verdicts: Sequence[Verdict],
    policy_hash: str,
) -> None:
    """Add one row per verdict, inside the caller's transaction.

    Parameters
    ----------
    db : Session
        The store, inside ``transaction(db)``.
    subject_kind, subject_id : str
        What was judged.
    verdicts : sequence of Verdict
        In the order of the gates.
    policy_hash : str
        Hash of the policy whose thresholds were used.
    """
    now = utc_now()
    for verdict in verdicts:
        low, high = verdict.interval if verdict.interval is not None else (None, None)
        db.add(
            VerdictRow(
                subject_kind=subject_kind,
                subject_id=subject_id,
                gate=verdict.gate,
                verdict=verdict.verdict,
                value=verdict.value,
                threshold=verdict.threshold,
                interval_low=low,
                interval_high=high,
                n=verdict.n,
                rule=verdict.rule,
                judged_on=verdict.judged_on,
                sentence=verdict.sentence,
                policy_hash=policy_hash,
                created_at=now,
            )
        )
    db.flush()
