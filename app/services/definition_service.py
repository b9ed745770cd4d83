"""Keep outcome definitions: each name has versions, and nothing is overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.db import transaction, utc_now
from app.domain.outcomes import OutcomeDefinition, load_definition
from app.domain.types import Document
from app.models import OutcomeDefinition as DefinitionRow
from app.queries import definitions as definition_queries
from app.services.audit_service import record
from app.services.conflicts import conflicts_named
from app.settings import default_actor


class DefinitionService:
    """List and add outcome definitions.

    Parameters
    ----------
    db : Session
        Any SQLAlchemy session on the initialised database.
    actor : str, optional
        The person on the record; by default the OS user.
    """

    def __init__(self, db: Session, actor: str | None = None) -> None:
        self.db = db
        self.actor = actor or default_actor()

    def list_definitions(self) -> tuple[Document, ...]:
        """Give every version of every definition, by name and version."""
        return tuple(
            definition_queries.definition_document(row)
            for row in definition_queries.list_definitions(self.db)
        )

    def get_definition(self, name: str = "default") -> Document:
        """Give the newest version of a definition, which labels are made by.

        Parameters
        ----------
        name : str
            Its name.

        Returns
        -------
        dict
            name, version, content, content_hash, created_at and created_by.

        Raises
        ------
        NotFoundError
            If there is none of this name.
        """
        row = definition_queries.require_definition(self.db, name)
        return definition_queries.definition_document(row)

    def add_definition(self, document: Mapping[str, Any] | str | OutcomeDefinition) -> Document:
        """Add a definition, or the next version of one.

        Writes: one row in ``outcome_definitions`` and the event ``definition.added``; nothing
        where the newest version of this name says the same.

        Parameters
        ----------
        document : mapping, str or OutcomeDefinition
            The definition: parsed, as YAML or JSON text, or as a value.

        Returns
        -------
        dict
            As :meth:`get_definition`, and ``changed``: whether anything was added.

        Raises
        ------
        DocumentError
            Naming every place in the document that is wrong.
        ConflictError
            If somebody else added a version of this name at the same moment.
        """
        definition = _definition(document)
        taken = f"Somebody else added a version of {definition.name} at the same moment. Try again."
        with conflicts_named(taken), transaction(self.db):
            newest = definition_queries.find_definition(self.db, definition.name)
            if newest is not None and newest.content_hash == definition.content_hash:
                return {**definition_queries.definition_document(newest), "changed": False}
            row = add_definition_row(
                self.db,
                definition,
                version=1 if newest is None else newest.version + 1,
                actor=self.actor,
            )
            return {**definition_queries.definition_document(row), "changed": True}


def add_definition_row(
    db: Session, definition: OutcomeDefinition, *, version: int, actor: str
) -> DefinitionRow:
    """Add the row of a definition, inside the caller's transaction.

    Writes: one row in ``outcome_definitions`` and the event ``definition.added``.

    Parameters
    ----------
    db : Session
        The store.
    definition : OutcomeDefinition
        The value.
    version : int
        Number of the version of this name, from 1.
    actor : str
        Who adds it.

    Returns
    -------
    DefinitionRow
        The row.
    """
    row = DefinitionRow(
        name=definition.name,
        version=version,
        content=definition.to_document(),
        content_hash=definition.content_hash,
        created_at=utc_now(),
        created_by=actor,
    )
    db.add(row)
    db.flush()
    record(
        db,
        actor=actor,
        action="definition.added",
        subject=f"definition:{row.name}",
        payload={
            "version": row.version,
            "content": row.content,
            "content_hash": row.content_hash,
        },
    )
    return row


def _definition(document: Mapping[str, Any] | str | OutcomeDefinition) -> OutcomeDefinition:
    if isinstance(document, OutcomeDefinition):
        return document
    if isinstance(document, str):
        return load_definition(document)
    return OutcomeDefinition.from_document(document)
