"""Read what was judged and shown: verdicts and frozen evidence."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.gates import Verdict as VerdictValue
from app.domain.gates import VerdictName
from app.domain.types import Document
from app.models import Evidence, ScorecardVersion, Verdict


def verdict_document(row: Verdict) -> Document:
    """Describe a stored verdict as :meth:`app.domain.gates.Verdict.as_dict` does.

    Parameters
    ----------
    row : Verdict
        The row.

    Returns
    -------
    dict
        gate, verdict, value, threshold, interval, n, rule, judged_on and sentence.
    """
    has_interval = row.interval_low is not None and row.interval_high is not None
    return {
        "gate": row.gate,
        "verdict": row.verdict,
        "value": row.value,
        "threshold": row.threshold,
        "interval": [row.interval_low, row.interval_high] if has_interval else None,
        "n": row.n,
        "rule": row.rule,
        "judged_on": row.judged_on,
        "sentence": row.sentence,
    }


def list_verdicts(db: Session, subject_kind: str, subject_id: str) -> tuple[Document, ...]:
    """List the newest verdict of each gate on one subject.

    Parameters
    ----------
    db : Session
        The store.
    subject_kind : {'label_set', 'model', 'version'}
        What was judged.
    subject_id : str
        Which one.

    Returns
    -------
    tuple of dict
        In the order in which the gates were first judged.
    """
    rows = db.scalars(
        select(Verdict)
        .where(Verdict.subject_kind == subject_kind, Verdict.subject_id == subject_id)
        .order_by(Verdict.id)
    )
    return newest_per_gate(verdict_document(row) for row in rows)


def verdicts_by_subject(
    db: Session, subject_kind: str, subject_ids: Iterable[str]
) -> dict[str, tuple[Document, ...]]:
    """List the newest verdict of each gate on several subjects, in one question.

    Parameters
    ----------
    db : Session
        The store.
    subject_kind : {'label_set', 'model', 'version'}
        What was judged.
    subject_ids : iterable of str
        Which ones.

    Returns
    -------
    dict of str to tuple of dict
        As :func:`list_verdicts`, for each subject; empty where nothing was judged.
    """
    found: dict[str, list[Document]] = {subject_id: [] for subject_id in subject_ids}
    rows = db.scalars(
        select(Verdict)
        .where(Verdict.subject_kind == subject_kind, Verdict.subject_id.in_(found))
        .order_by(Verdict.id)
    )
    for row in rows:
        found[row.subject_id].append(verdict_document(row))
    return {subject_id: newest_per_gate(verdicts) for subject_id, verdicts in found.items()}


def verdict_value(document: Document) -> VerdictValue:
    """Rebuild a verdict from its document.

    Parameters
    ----------
    document : dict
        As :func:`verdict_document` gives it.

    Returns
    -------
    Verdict
        The value; its ``as_dict`` is the document again.
    """
    name: VerdictName = document["verdict"]
    interval = document["interval"]
    return VerdictValue(
        gate=document["gate"],
        verdict=name,
        value=document["value"],
        threshold=document["threshold"],
        rule=document["rule"],
        judged_on=document["judged_on"],
        sentence=document["sentence"],
        interval=None if interval is None else (interval[0], interval[1]),
        n=document["n"],
    )


def newest_per_gate(verdicts: Iterable[Document]) -> tuple[Document, ...]:
    """Keep the last verdict of each gate.

    Parameters
    ----------
    verdicts : iterable of dict
        Oldest first.

    Returns
    -------
    tuple of dict
        In the order in which the gates first appear.

    Examples
    --------
    >>> newest_per_gate([{"gate": "a", "value": 1}, {"gate": "b"}, {"gate": "a", "value": 2}])
    ({'gate': 'a', 'value': 2}, {'gate': 'b'})
    """
    found: dict[str, Document] = {}
    for verdict in verdicts:
        found[verdict["gate"]] = verdict
    return tuple(found.values())


def version_verdicts(db: Session, version: ScorecardVersion) -> tuple[Document, ...]:
    """List every verdict that bears on a version: on its data, its model and its weights.

    Parameters
    ----------
    db : Session
        The store.
    version : ScorecardVersion
        The version.

    Returns
    -------
    tuple of dict
        One per gate: the model's verdicts as they were registered, then the version's own, which
        replace the model's on the same gate.
    """
    of_model: tuple[Document, ...] = ()
    if version.model_id is not None:
        of_model = list_verdicts(db, "model", version.model_id)
    return newest_per_gate((*of_model, *list_verdicts(db, "version", version.version)))


def list_evidence(db: Session, subject_kind: str, subject_id: str) -> tuple[Evidence, ...]:
    """List the evidence kept for one subject.

    Parameters
    ----------
    db : Session
        The store.
    subject_kind : {'model', 'version'}
        What it is about.
    subject_id : str
        Which one.

    Returns
    -------
    tuple of Evidence
        By kind.
    """
    return tuple(
        db.scalars(
            select(Evidence)
            .where(Evidence.subject_kind == subject_kind, Evidence.subject_id == subject_id)
            .order_by(Evidence.kind)
        )
    )
