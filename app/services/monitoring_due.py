"""Which reports are due: what was scored, activated, or matured since the last ones."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.models import Batch, ScorecardVersion
from app.queries.monitored import list_scored, newest_label_sets
from app.queries.monitoring import newest_label_sets_reported
from app.queries.policies import current_policy
from app.queries.versions import find_active, list_activations
from app.services.batch_features import lacks_features
from app.services.monitoring_labels import matured_outcome, watched_outcome
from app.services.scoring_service import card_of


@dataclass(frozen=True, slots=True)
class Due:
    """Name one report that is due.

    Attributes
    ----------
    batch_id, version : str
        Of the report.
    cause : str
        ``scored``, ``activated`` or ``matured``.
    """

    batch_id: str
    version: str
    cause: str


def list_due(db: Session) -> tuple[Due, ...]:
    """List the reports that are due.

    A batch is due under the version that was active when it was scored; the batch scored last is
    due under a version that was activated since; and a batch is due under the active version when
    it has labels that no report knows, or could have more of them. A batch that was imported
    without a feature of the version is never due.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    tuple of Due
        In the order in which the batches were scored.
    """
    scored = list_scored(db)
    active = find_active(db)
    if not scored or active is None:
        return ()
    reported = newest_label_sets_reported(db)
    found = dict.fromkeys(_scored(db, scored, reported))
    for due in [*_activated(scored, active, reported), *_matured(db, scored, active, reported)]:
        if all((due.batch_id, due.version) != (one.batch_id, one.version) for one in found):
            found[due] = None
    return tuple(found)


_Scored = tuple[tuple[Batch, str, datetime], ...]
_Reported = dict[tuple[str, str], int | None]


def _scored(db: Session, scored: _Scored, reported: _Reported) -> Iterator[Due]:
    activations = list_activations(db)
    since = [activation.at for activation in activations]
    for batch, version, at in scored:
        place = bisect_right(since, at)
        was_active = place > 0 and activations[place - 1].version == version
        if was_active and (batch.batch_id, version) not in reported:
            yield Due(batch.batch_id, version, "scored")


def _activated(scored: _Scored, active: ScorecardVersion, reported: _Reported) -> Iterator[Due]:
    last = scored[-1][0]
    if (last.batch_id, active.version) not in reported and _fits(last, active):
        yield Due(last.batch_id, active.version, "activated")


def _matured(
    db: Session, scored: _Scored, active: ScorecardVersion, reported: _Reported
) -> Iterator[Due]:
    known = {batch_id: label_set for (batch_id, _), label_set in reported.items()}
    batches = {batch.batch_id: batch for batch, _, _ in scored if batch.batch_id in known}
    newest = newest_label_sets(db, list(batches))
    watched = watched_outcome(db, current_policy(db)[1], active)
    for batch_id, batch in batches.items():
        label_set = newest.get(batch_id)
        is_unreported = label_set is not None and label_set.id != known[batch_id]
        is_due = is_unreported or matured_outcome(db, batch, label_set, watched) is not None
        if is_due and _fits(batch, active):
            yield Due(batch_id, active.version, "matured")


def _fits(batch: Batch, version: ScorecardVersion) -> bool:
    return not lacks_features(batch, card_of(version))
