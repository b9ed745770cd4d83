"""What people did to a version, in words."""

from __future__ import annotations

from collections.abc import Mapping

DECISIONS: Mapping[str, str] = {
    "version.approved": "approved",
    "version.rejected": "rejected",
    "version.approval_withdrawn": "withdrew an approval of",
    "version.activated": "activated",
    "version.rolled_back": "rolled back to",
    "version.emergency_rollback": "rolled back in an emergency to",
    "draft.created": "proposed",
}
"""Action of an audit event to what was done to a version, as a sentence continues it."""

_OTHERS = {
    "version.commented": "commented on",
    "version.emergency_acknowledged": "acknowledged the emergency rollback to",
    "challenger.started": "started the challenger",
    "challenger.stopped": "stopped the challenger",
}


def action_words(action: str) -> str:
    """Say what was done, as a sentence continues after the actor's name.

    Parameters
    ----------
    action : str
        Of an audit event.

    Returns
    -------
    str
        Such as ``approved``.

    Examples
    --------
    >>> action_words("version.approved"), action_words("version.commented")
    ('approved', 'commented on')
    """
    return DECISIONS.get(action) or _OTHERS.get(action) or action
