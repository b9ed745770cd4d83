"""The audit events of a run."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.domain.types import Document
from app.models import PipelineRun
from app.services.audit_service import record
from app.services.run_documents import execution_of


def record_run(db: Session, *, actor: str, action: str, run: PipelineRun, **payload: object) -> int:
    """Append an event of a run to the audit chain, with the request that asked for the run.

    Parameters
    ----------
    db : Session
        The store, inside ``transaction(db)``.
    actor : str
        The person on the record.
    action : str
        Such as ``run.started``.
    run : PipelineRun
        The run.
    **payload : object
        JSON-ready facts.

    Returns
    -------
    int
        The event's number.

    Notes
    -----
    Writes: one audit event.
    """
    request_id = execution_of(run).get("request_id")
    request: Document = {} if request_id is None else {"request_id": request_id}
    return record(
        db,
        actor=actor,
        action=action,
        subject=f"run:{run.id}",
        payload={"pipeline": run.pipeline, **request, **payload},
    )
