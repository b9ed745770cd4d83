"""Read outcome definitions: named, versioned; the newest version of a name is in use."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.types import Document
from app.errors import NotFoundError
from app.models import OutcomeDefinition


def list_definitions(db: Session) -> tuple[OutcomeDefinition, ...]:
    """List every version of every definition.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    tuple of OutcomeDefinition
        By name, then version.
    """
    return tuple(
        db.scalars(
            select(OutcomeDefinition).order_by(OutcomeDefinition.name, OutcomeDefinition.version)
        )
    )


def find_definition(db: Session, name: str) -> OutcomeDefinition | None:
    """Find the newest version of a definition.

    Parameters
    ----------
    db : Session
        The store.
    name : str
        Such as ``default``.

    Returns
    -------
    OutcomeDefinition or None
        The row; None if there is none of this name.
    """
    return db.scalars(
        select(OutcomeDefinition)
        .where(OutcomeDefinition.name == name)
        .order_by(OutcomeDefinition.version.desc())
        .limit(1)
    ).first()


def require_definition(db: Session, name: str) -> OutcomeDefinition:
    """Find the newest version of a definition, which must exist.

    Parameters
    ----------
    db : Session
        The store.
    name : str
        Such as ``default``.

    Returns
    -------
    OutcomeDefinition
        The row.

    Raises
    ------
    NotFoundError
        If there is none of this name; the message lists the names there are.
    """
    row = find_definition(db, name)
    if row is None:
        names = sorted({definition.name for definition in list_definitions(db)})
        raise NotFoundError(
            f"There is no outcome definition {name!r}. There is: {', '.join(names)}.",
            name=name,
            known=names,
        )
    return row


def list_definition_names(db: Session) -> tuple[str, ...]:
    """List the names of the definitions.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    tuple of str
        Each once, in alphabetical order.
    """
    names = select(OutcomeDefinition.name).distinct().order_by(OutcomeDefinition.name)
    return tuple(db.scalars(names))


def definition_document(row: OutcomeDefinition) -> Document:
    """Describe a stored definition.

    Parameters
    ----------
    row : OutcomeDefinition
        The row.

    Returns
    -------
    dict
        name, version, content, content_hash, created_at and created_by.
    """
    return {
        "name": row.name,
        "version": row.version,
        "content": row.content,
        "content_hash": row.content_hash,
        "created_at": row.created_at.isoformat(),
        "created_by": row.created_by,
    }
