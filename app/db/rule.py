"""What a rule of the database is, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """Refuse a change of a row when a condition over OLD and NEW holds.

    Attributes
    ----------
    table, name, event : str
        Where; the name of the trigger is ``<table>_<name>``; INSERT or UPDATE.
    why : str
        What the database answers.
    condition : str
        SQL of both databases, with words of ``app/db/words.py`` in braces.
    only : str or None
        The one database that can check it.
    """

    table: str
    name: str
    event: str
    why: str
    condition: str
    only: str | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """Change other rows after one was added, in the same statement.

    Attributes
    ----------
    table, name, event : str
        Where, as in ``Rule``.
    statements : str
        SQL of both databases, each ended by a semicolon.
    """

    table: str
    name: str
    event: str
    statements: str
