"""Score batches, files and single parties: decisions come from here, and only from a card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.db import is_in_transaction, transaction, utc_now
from app.domain.groups import refuse_group_features
from app.domain.scorecard import Scorecard, score_party
from app.domain.types import Document, Progress
from app.errors import ConflictError, TamperingError
from app.lake.engine import find_spark
from app.lake.parts import StoredFile
from app.lake.store import Lake, open_lake
from app.models import ScorecardVersion, ScoreSet
from app.queries.batches import require_batch
from app.queries.scores import find_score_set, score_set_document
from app.queries.versions import require_active, require_version
from app.services.audit_service import record
from app.settings import default_actor

_REMEMBERED_CARDS = 16


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What one score set is made of."""

    batch_id: str
    snapshot: tuple[str, str]
    version: str
    card: Scorecard


class ScoringService:
    """Score with the active version, or with one that is named.

    Parameters
    ----------
    db : Session
        The store.
    actor : str or None
        The person on the record; by default the OS user.
    lake : Lake or None
        Where snapshots and scores are; by default the one of the settings.
    """

    def __init__(self, db: Session, actor: str | None = None, lake: Lake | None = None) -> None:
        self.db = db
        self.actor = actor or default_actor()
        self._lake = lake

    @property
    def lake(self) -> Lake:
        """Give the lake; a single decision never opens it."""
        if self._lake is None:
            self._lake = open_lake()
        return self._lake

    def score_batch(
        self, batch_id: str, version: str | None = None, progress: Progress | None = None
    ) -> Document:
        """Score every party of a batch, once per version, a piece at a time.

        Writes: a Parquet file of scores, one score set, one audit event ``scores.written``;
        nothing if the batch was scored with this version before.

        Parameters
        ----------
        batch_id : str
            The batch.
        version : str or None
            By default the active one.
        progress : callable or None
            Called as ``progress(stage, done, total)``.

        Returns
        -------
        dict
            batch_id, version, n_rows, mean_score (points), band_shares (fractions), path and
            file_hash of the scores, created_at, created_by.

        Raises
        ------
        NotFoundError
            If there is no such batch or version.
        ConflictError
            If the batch was withdrawn, or was imported without a feature of the version.
        FileHashError
            If the snapshot, or the scores made before, are not what was stored.
        IntakeError
            If the snapshot holds values that the version's transforms cannot take.
        """
        row = self._version(version)
        found = find_score_set(self.db, batch_id, row.version)
        if found is not None:
            require_batch(self.db, batch_id)
            self.lake.verify(found.file_path, found.file_hash)
            return score_set_document(found)
        inputs = self._gather(batch_id, row)
        if not is_in_transaction(self.db):
            self.db.rollback()  # no transaction stays open through the computation
        stored, summary = _score_batch(self.lake, inputs, progress or _silent)
        with transaction(self.db):
            require_batch(self.db, batch_id)
            found = find_score_set(self.db, batch_id, inputs.version)
            if found is None:
                found = self._add(inputs, summary, stored)
            return score_set_document(found)

    def _version(self, version: str | None) -> ScorecardVersion:
        return require_active(self.db) if version is None else require_version(self.db, version)

    def _gather(self, batch_id: str, row: ScorecardVersion) -> _Inputs:
        batch = require_batch(self.db, batch_id)
        card = card_of(row)
        refuse_group_features(batch.group_columns, card.features, batch_id)
        columns = {str(column["name"]) for column in batch.columns}
        lacking = [name for name in card.features if name not in columns]
        if lacking:
            message = f"batch {batch_id} was imported without {', '.join(lacking)}"
            raise ConflictError(
                f"{message}, which {row.version} needs: import the file again under a new id",
                batch_id=batch_id,
                version=row.version,
                missing_features=lacking,
            )
        return _Inputs(batch_id, (batch.file_path, batch.file_hash), row.version, card)

    def _add(self, inputs: _Inputs, summary: Document, stored: StoredFile) -> ScoreSet:
        row = ScoreSet(
            batch_id=inputs.batch_id,
            version=inputs.version,
            file_path=stored.path,
            file_hash=stored.sha256,
            n_rows=stored.n_rows,
            mean_score=summary["mean_score"],
            band_shares=summary["band_shares"],
            created_at=utc_now(),
            created_by=self.actor,
        )
        self.db.add(row)
        record(
            self.db,
            actor=self.actor,
            action="scores.written",
            subject=f"batch:{inputs.batch_id}",
            payload={
                "version": inputs.version,
                "card_hash": inputs.card.content_hash,
                "batch_hash": inputs.snapshot[1],
                "file_hash": stored.sha256,
                "n_rows": stored.n_rows,
            },
        )
        return row

    def score_file(
        self,
        path: str | Path,
        out: str | Path,
        version: str | None = None,
        progress: Progress | None = None,
        *,
        allow_missing_features: bool = False,
        reasons: bool = True,
        contributions: bool = True,
    ) -> Document:
        """Score a file of any size, a piece at a time; nothing of it is kept in the store.

        Writes: the file `out`, only if every row is sound.

        Parameters
        ----------
        path : str or Path
            CSV, CSV.gz or Parquet, with a column for each feature of the card; a column may be
            blank throughout.
        out : str or Path
            Ends in ``.csv``, ``.csv.gz`` or ``.parquet``; replaced if it is there. It holds the
            columns of the file, then those of `app.domain.score_outputs.score_outputs`.
        version : str or None
            By default the active one.
        progress : callable or None
            Called as ``progress(stage, done, total)`` with bytes (CSV) or rows (Parquet).
        allow_missing_features : bool, default False
            Whether the file may lack features to which the card gives a ``missing`` goodness.
        reasons, contributions : bool, default True
            Whether `out` gets the reason columns and the points of each feature; it is smaller
            and sooner there without.

        Returns
        -------
        dict
            source, path, version, content_hash (of the card), n_rows, mean_score (points),
            band_shares (fractions), missing_features (those that the file lacks),
            missing_values (number of nulls by feature).

        Raises
        ------
        NotFoundError
            If there is no such file or version.
        InvalidInputError
            If `out` cannot be written or says no format.
        IntakeError
            If the file lacks a feature or holds values that are no numbers: the first 20 faults
            and their count.
        """
        from app.services.file_scoring import score_stream  # noqa: PLC0415 - loads pyarrow

        row = self._version(version)
        name, card = row.version, card_of(row)
        if not is_in_transaction(self.db):
            self.db.rollback()  # no transaction stays open through the computation
        summary = score_stream(
            card,
            Path(path),
            Path(out),
            progress or _silent,
            allow_missing_features=allow_missing_features,
            reasons=reasons,
            contributions=contributions,
        )
        return {
            "source": str(path),
            "path": str(out),
            "version": name,
            "content_hash": card.content_hash,
            **summary,
        }

    def score_party(self, features: Mapping[str, Any], version: str | None = None) -> Document:
        """Score one party; nothing is stored.

        Parameters
        ----------
        features : mapping of str to Any
            Raw values by name; see `app.domain.party_score.score_party`.
        version : str or None
            By default the active one.

        Returns
        -------
        dict
            version, content_hash (of the card), score (points), unrounded_score, band,
            contributions, missing_features, reason_codes, and unknown_features: names that the
            card does not know.

        Raises
        ------
        NotFoundError
            If there is no such version.
        InvalidInputError
            Names every feature whose value is infinite or no number.
        """
        row = self._version(version)
        card = card_of(row)
        return {
            "version": row.version,
            "content_hash": card.content_hash,
            **score_party(card, features).as_dict(),
            "unknown_features": [name for name in features if name not in card.features],
        }


def _silent(stage: str, done: int, total: int) -> None:
    del stage, done, total


def _score_batch(lake: Lake, inputs: _Inputs, report: Progress) -> tuple[StoredFile, Document]:
    spark = find_spark()
    if spark is not None:
        from app.services.spark_scoring import score_on_spark  # noqa: PLC0415 - only where asked

        return score_on_spark(spark, lake, inputs.snapshot, inputs.card, report)
    from app.domain.table_score import TableScorer  # noqa: PLC0415 - loads pyarrow
    from app.services.batch_scoring import score_snapshot  # noqa: PLC0415 - the same

    source = f"batch {inputs.batch_id}"
    return score_snapshot(lake, inputs.snapshot, TableScorer(inputs.card), source, report)


def card_of(row: ScorecardVersion) -> Scorecard:
    """Give the card of a version, after checking that it is what was stored.

    Parameters
    ----------
    row : ScorecardVersion
        The version.

    Returns
    -------
    Scorecard
        The same object for the same content.

    Raises
    ------
    TamperingError
        If the content does not have the hash that was recorded with it.
    """
    card = _parsed(json.dumps(row.content))
    if card.content_hash != row.content_hash:
        message = f"the content of version {row.version} is not what was stored: its hash is"
        raise TamperingError(
            f"{message} {card.content_hash}, recorded is {row.content_hash}",
            version=row.version,
            recorded=row.content_hash,
            found=card.content_hash,
        )
    return card


@lru_cache(maxsize=_REMEMBERED_CARDS)
def _parsed(text: str) -> Scorecard:
    return Scorecard.from_document(json.loads(text))
