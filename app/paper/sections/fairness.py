"""How the card treats groups, where somebody measured it."""

from __future__ import annotations

from app.domain.types import Document
from app.paper.parts import Section, said, section


def fairness(found: Document) -> Section:
    """Show the fairness evidence that is stored with the version.

    Parameters
    ----------
    found : dict
        The record.

    Returns
    -------
    Section
        Says so where none is stored.
    """
    del found
    return section(
        "Fairness",
        said(
            "No evidence on groups of parties is stored with this version. Nothing in this paper "
            "shows whether it treats any group of people worse than another."
        ),
    )
