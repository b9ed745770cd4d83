"""The form that asks for a run, with what was typed where it was refused."""

from __future__ import annotations

import secrets

from app.domain.types import Document
from app.web.routing import Desk

_FIELDS = {
    "observation_window_days": "180",
    "outcome_type": "default",
    "validation": "auto",
    "base_version": "",
    "other_batches": "",
}


def run_form(desk: Desk) -> Document:
    """Give the values of the form.

    Parameters
    ----------
    desk : Desk
        With the form that was refused, or none.

    Returns
    -------
    dict
        Text by field, and a ``nonce`` that no other form has.
    """
    typed = {
        name: desk.text(name) if desk.request.method == "POST" and name in desk.form else usual
        for name, usual in _FIELDS.items()
    }
    return {**typed, "nonce": secrets.token_hex(16)}
