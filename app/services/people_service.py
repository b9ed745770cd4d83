"""Who may do what: keys and their owners, and the people whom the policy names."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.domain.access import ROLES
from app.domain.policy import Policy
from app.domain.types import Document
from app.queries.access import list_last_sign_ins
from app.queries.policies import current_policy
from app.services.key_service import KeyService


class PeopleService:
    """Show people and their keys.

    Parameters
    ----------
    db : Session
        The store; nothing is written.
    """

    def __init__(self, db: Session) -> None:
        self.db = db

    def get_people(self) -> Document:
        """Collect everybody who has a key or whom the policy names.

        Returns
        -------
        dict
            ``keys``, as ``list_keys`` gives them, with ``last_sign_in_at`` (to the desk, or None:
            the use of a key by a program is not recorded), newest first; ``people`` by name:
            ``name``, ``roles`` of their valid keys, ``expires_at`` of the last of them (or None)
            and ``policy`` (what the policy names them as); and of the policy ``approvers`` and
            ``admins`` (None: everybody) and ``approvals_required``.
        """
        policy = current_policy(self.db)[1]
        seen = list_last_sign_ins(self.db)
        keys = [
            {**key, "last_sign_in_at": seen.get(key["key_id"])}
            for key in reversed(KeyService(self.db).list_keys())
        ]
        return {
            "keys": keys,
            "people": _people(keys, policy),
            "approvers": policy.approvers,
            "admins": policy.admins,
            "approvals_required": policy.approvals_required,
        }


def _people(keys: list[Document], policy: Policy) -> list[Document]:
    named = named_in(policy)
    valid = [key for key in keys if key["state"] == "valid"]
    return [
        {
            "name": name,
            "roles": [role for role in ROLES if (name, role) in _held(valid)],
            "expires_at": max((k["expires_at"] for k in valid if k["owner"] == name), default=None),
            "policy": named.get(name, []),
        }
        for name in sorted({key["owner"] for key in keys} | set(named), key=str.casefold)
    ]


def _held(keys: list[Document]) -> set[tuple[str, str]]:
    return {(key["owner"], key["role"]) for key in keys}


def named_in(policy: Policy) -> dict[str, list[str]]:
    """Say what a policy names each person as.

    Parameters
    ----------
    policy : Policy
        The policy.

    Returns
    -------
    dict of str to list of str
        By name: ``approver``, ``admin`` and names of roles.

    Examples
    --------
    >>> named_in(Policy(approvers=("vera",), roles={"validator": ("vera",)}))
    {'vera': ['approver', 'validator']}
    """
    lists = {"approver": policy.approvers or (), "admin": policy.admins or (), **policy.roles}
    names = dict.fromkeys(name for people in lists.values() for name in people)
    return {name: [what for what, people in lists.items() if name in people] for name in names}
