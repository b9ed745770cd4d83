"""The review dossier: everything on record about a version, in the order in which it is asked."""

from __future__ import annotations

from app.domain.types import Document
from app.paper.parts import Paper
from app.paper.sections.affected import affected
from app.paper.sections.card import card
from app.paper.sections.data import data
from app.paper.sections.fairness import fairness
from app.paper.sections.method import method
from app.paper.sections.opening import brief, purpose
from app.paper.sections.record import approvals, gates, limits
from app.paper.sections.sources import sources
from app.paper.sections.stability import stability
from app.paper.sections.validation import validation


def dossier(found: Document, command: str) -> Paper:
    """Write the dossier of a version.

    Parameters
    ----------
    found : dict
        From :meth:`app.services.dossier_service.DossierService.dossier`.
    command : str
        What to type to write the same bytes again.

    Returns
    -------
    Paper
        Neutral: no renderer's markup in it.
    """
    version = found["version"]
    return Paper(
        kind="Review dossier",
        version=version["version"],
        card_name=version["name"],
        status=version["status"],
        content_hash=version["content_hash"],
        as_of=found["as_of"],
        command=command,
        brief=brief(found),
        sections=(
            purpose(found),
            data(found),
            method(found),
            card(found),
            validation(found),
            stability(found),
            affected(found),
            fairness(found),
            gates(found),
            approvals(found),
            limits(found),
            sources(found, command),
        ),
    )
