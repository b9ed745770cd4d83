"""What may be asked about versions of the scorecard; nothing here writes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from app.domain.types import Document, Progress
from app.queries.versions import (
    list_open_emergencies,
    list_versions,
    require_active,
    require_version,
)
from app.services.review_key import review_key
from app.services.version_activations import active_version_at
from app.services.version_comments import list_comments, read_conversation
from app.services.version_documents import time_line, version_document, version_summary
from app.services.version_emergencies import emergency_document
from app.settings import default_actor

if TYPE_CHECKING:
    from app.lake.store import Lake


class VersionReading:
    """Everything that may be asked about versions of the scorecard.

    Parameters
    ----------
    db : Session
        Any SQLAlchemy session on the initialised database.
    actor : str, optional
        Who asks; by default the OS user.
    lake : Lake, optional
        The data plane; by default the one of the settings.
    """

    def __init__(self, db: Session, actor: str | None = None, lake: Lake | None = None) -> None:
        self.db = db
        self.actor = actor or default_actor()
        self._lake = lake

    @property
    def lake(self) -> Lake:
        """Give the data plane, opened where it is first needed."""
        if self._lake is None:
            from app.lake.store import open_lake  # noqa: PLC0415 - loads pyarrow

            self._lake = open_lake()
        return self._lake

    def get_version(self, version: str) -> Document:
        """Describe one version: content, evidence, gates, reviews, and what may be done with it.

        Parameters
        ----------
        version : str
            Its name.

        Returns
        -------
        dict
            ``features`` by name, ``status``, ``review_hash`` (what an approval binds), ``gates``,
            ``reviews``, ``activations``, ``approvals`` and ``steps``.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        return version_document(self.db, require_version(self.db, version), self.actor)

    def list_versions(self) -> tuple[Document, ...]:
        """Give one short document per version, by running number."""
        return tuple(version_summary(row) for row in list_versions(self.db))

    def get_active(self) -> Document:
        """Describe the version that decides now, on one line and with its content.

        Returns
        -------
        dict
            As an entry of :meth:`list_versions`, and ``content``.

        Raises
        ------
        NotFoundError
            If none is active.
        """
        row = require_active(self.db)
        return version_summary(row) | {"content": row.content}

    def time_line(self, limit: int = 50) -> tuple[Document, ...]:
        """Say which version decided when.

        Parameters
        ----------
        limit : int
            At most so many spans, the newest ones.

        Returns
        -------
        tuple of dict
            Oldest first: version, kind, start, end (None while it decides), actor and reason.
        """
        return time_line(self.db, limit)

    def compare_versions(
        self, a: str, b: str, cut_off: int | None = None, progress: Progress | None = None
    ) -> Document:
        """Compare an old version with a new one.

        Parameters
        ----------
        a, b : str
            Names of the old and of the new version.
        cut_off : int, optional
            A score at which approval rate and bad rate are wanted too.
        progress : callable, optional
            Called as ``progress(stage, done, total)``.

        Returns
        -------
        dict
            See :func:`app.services.comparison.compare`.

        Raises
        ------
        NotFoundError
            If there is no such version.
        """
        from app.services.comparison import compare  # noqa: PLC0415 - loads the numerics

        return compare(self.db, self.lake, a, b, cut_off=cut_off, progress=progress)

    def list_comments(self, version: str) -> tuple[Document, ...]:
        """Give the comments on a version, oldest first.

        Parameters
        ----------
        version : str
            Its name.

        Returns
        -------
        tuple of dict
            version, actor, at, text, and the ``review_hash`` it was written against.

        Raises
        ------
        NotFoundError
            If there is no such version.
        """
        return list_comments(self.db, version)

    def conversation(self, version: str) -> tuple[Document, ...]:
        """Give what was said about a version and done with it, in time order.

        Parameters
        ----------
        version : str
            Its name.

        Returns
        -------
        tuple of dict
            See :func:`app.services.version_comments.read_conversation`.
        """
        return read_conversation(self.db, version)

    def review_evidence(
        self, version: str, against: str | None = None, progress: Progress | None = None
    ) -> Document:
        """Compute everything that a reviewer of a version looks at.

        Parameters
        ----------
        version : str
            The new version.
        against : str, optional
            The old version; by default the one that it was made against.
        progress : callable, optional
            Called as ``progress(stage, done, total)``.

        Returns
        -------
        dict
            See :func:`app.services.review_evidence.review_evidence`.

        Raises
        ------
        NotFoundError
            If there is no such version.
        InvalidInputError
            If there is nothing to compare it with.
        """
        from app.services.review_evidence import review_evidence  # noqa: PLC0415 - the numerics

        return review_evidence(self.db, self.lake, version, against=against, progress=progress)

    def review_key(self, version: str, against: str | None = None) -> tuple[str, ...]:
        """Name everything that :meth:`review_evidence` depends on; the same key, the same answer.

        Parameters
        ----------
        version : str
            The new version.
        against : str, optional
            The old version; by default the one that it was made against.

        Returns
        -------
        tuple of str
            See :func:`app.services.review_key.review_key`.

        Raises
        ------
        NotFoundError
            If there is no such version.
        InvalidInputError
            If there is nothing to compare it with.
        """
        return review_key(self.db, version, against)

    def list_emergencies(self) -> tuple[Document, ...]:
        """Give the emergency rollbacks that no approver has acknowledged, oldest first."""
        return tuple(emergency_document(row) for row in list_open_emergencies(self.db))

    def active_at(self, time: datetime) -> Document:
        """Say which version decided at a time.

        Parameters
        ----------
        time : datetime
            A moment; without a zone it is UTC.

        Returns
        -------
        dict
            version, and since when, by whom and why it was active.

        Raises
        ------
        InvalidInputError
            If the moment lies after today.
        NotFoundError
            If the moment lies before the store began.
        """
        return active_version_at(self.db, time)
