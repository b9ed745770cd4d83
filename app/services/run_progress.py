"""How far a run has come, noted on its row for other processes to read.

Notes are no audit events: they say where the work is, and decide nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from app.db import transaction, utc_now
from app.domain.types import Document
from app.errors import ConflictError
from app.queries.runs import LIVE, find_run
from app.services.run_documents import STAGES, STEPS, steps_of


def take_up(db: Session, run_id: str, dagster_run_id: str, asset: str) -> None:
    """Note that an asset begins, in the Dagster run that has the run on the record.

    The first Dagster run that asks has it, for good: whatever submitted a second one, it ends here.

    Parameters
    ----------
    db : Session
        The store.
    run_id : str
        The run; of one that is not on the record nothing is noted.
    dagster_run_id : str
        The Dagster run that is about to work on the asset.
    asset : str
        Name of the asset.

    Raises
    ------
    ConflictError
        If the run has ended, or another Dagster run has it.

    Notes
    -----
    Writes: the row's Dagster run, and its notes.
    """
    with transaction(db):
        run = find_run(db, run_id, lock=True)
        if run is None:
            return
        if run.status not in LIVE or run.dagster_run_id not in (None, dagster_run_id):
            raise ConflictError(
                f"Run {run_id} is {run.status} and belongs to Dagster's run {run.dagster_run_id}: "
                f"{dagster_run_id} stops here.",
                run_id=run_id,
                status=run.status,
            )
        run.dagster_run_id = dagster_run_id
        note_step(db, run_id, asset, status="running", started_at=utc_now().isoformat())


def note_step(
    db: Session, run_id: str, asset: str, *, stage: Document | None = None, **changes: Any
) -> None:
    """Note the state of an asset of a live run.

    Parameters
    ----------
    db : Session
        The store.
    run_id : str
        The run; of one that has ended, or is not on the record, nothing is noted.
    asset : str
        Name of the asset.
    stage : dict or None
        The document that the asset handed on, once it has.
    **changes : Any
        Fields of the step, as :func:`app.services.run_documents.run_document` gives them.

    Notes
    -----
    Writes: the row's notes.
    """

    def change(step: Document) -> None:
        step.update(changes)

    _change_step(db, run_id, asset, change, stage)


def note_checks(db: Session, run_id: str, asset: str, found: dict[str, tuple[str, str]]) -> None:
    """Note the checks of an asset of a live run.

    Parameters
    ----------
    db : Session
        The store.
    run_id : str
        The run; of one that has ended, or is not on the record, nothing is noted.
    asset : str
        The asset that was checked.
    found : dict of (status, sentence) by check
        Status is ``passed``, ``warned`` or ``failed``.

    Notes
    -----
    Writes: the row's notes.
    """
    now = utc_now().isoformat()

    def change(step: Document) -> None:
        for check in step["checks"]:
            if check["check"] in found:
                status, sentence = found[check["check"]]
                check.update(status=status, sentence=sentence, at=now)

    _change_step(db, run_id, asset, change, None)


def _change_step(
    db: Session,
    run_id: str,
    asset: str,
    change: Callable[[Document], None],
    stage: Document | None,
) -> None:
    with transaction(db):
        run = find_run(db, run_id, lock=True)
        if run is None or run.status not in LIVE:
            return
        steps = steps_of(run)
        for step in steps:
            if step["asset"] == asset:
                change(step)
        known = run.result or {}
        stages = {**known.get(STAGES, {}), **({} if stage is None else {asset: stage})}
        run.result = {**known, STEPS: steps, STAGES: stages}
