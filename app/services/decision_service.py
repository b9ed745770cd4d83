"""Decisions of scoring: made by the active card, recorded with what was given, sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db import insert_at_once, utc_now
from app.db.rules import ONLY_THE_ACTIVE
from app.domain.decisions import read_parties
from app.domain.types import Document
from app.errors import ConflictError, InvalidInputError
from app.models import Decision
from app.queries import decisions as queries
from app.services import decision_seals
from app.services.decision_rows import COLUMNS, DecidingCard, decide_parties, deciding_card
from app.services.decision_statistics import describe_decisions
from app.settings import default_actor

_ATTEMPTS = 5


class DecisionService:
    """Decide about parties, and give an account of it later.

    Parameters
    ----------
    db : Session
        The store; a call persists by itself.
    actor : str, optional
        The person or key on the record; by default the OS user.
    lake : object, optional
        Not used; every service takes it.
    """

    def __init__(self, db: Session, actor: str | None = None, lake: object = None) -> None:
        del lake
        self.db = db
        self.actor = actor or default_actor()

    def decide(
        self,
        parties: Sequence[Mapping[str, Any]],
        *,
        version: str | None = None,
        record: bool = True,
    ) -> tuple[Document, ...]:
        """Score parties; all of them, or where one cannot be scored none.

        Writes: one ``decisions`` row per party, in one transaction; no audit event, since
        ``seal`` writes one for all decisions of an interval. Nothing without `record`.

        Parameters
        ----------
        parties : sequence of mapping
            1 to 10,000, each with ``party_id`` and ``features`` (raw values by name).
        version : str or None
            By default the active one. Only the active version decides: another may be named only
            without `record`.
        record : bool, default True
            Keep the decisions with their features.

        Returns
        -------
        tuple of dict
            In the order given: id (None without `record`), at, party_id, version, content_hash,
            score (points), unrounded_score, band, contributions, missing_features,
            reason_codes, unknown_features (names that the card does not know) and recorded.

        Raises
        ------
        InvalidInputError
            Names the first 20 faults by party and feature.
        NotFoundError
            If there is no such version.
        ConflictError
            If the decisions are to be recorded and the version is not active.
        TamperingError
            If the content of the card is not what was stored.
        UnavailableError
            If the database does not answer.
        """
        asked = read_parties(parties)
        for attempt in range(_ATTEMPTS):
            card = deciding_card(self.db, version, may_remember=record and not attempt)
            if record and not card.is_active:
                _refuse_inactive(card.version)
            try:
                decided = decide_parties(card, asked, at=utc_now(), actor=self.actor, record=record)
            except InvalidInputError:
                if record and self._is_no_longer(card):
                    continue
                raise
            if not record or self._record(decided.rows, card):
                return decided.documents
        raise ConflictError("another version is activated again and again: try again later")

    def _is_no_longer(self, card: DecidingCard) -> bool:
        """Say whether another version became active since the card was found."""
        return queries.find_active_key(self.db) != (card.version, card.content_hash)

    def _record(self, rows: Sequence[tuple[Any, ...]], card: DecidingCard) -> bool:
        """Store the decisions; False where another version became active in between."""
        table: Any = Decision.__table__
        try:
            insert_at_once(self.db, table, rows, COLUMNS)
        except IntegrityError as error:
            if ONLY_THE_ACTIVE in str(error.orig) and self._is_no_longer(card):
                return False
            raise
        return True

    def get_decision(self, decision_id: str) -> Document:
        """Give a recorded decision after checking that it is what was recorded.

        Parameters
        ----------
        decision_id : str
            As ``decide`` gave it.

        Returns
        -------
        dict
            What was given and what came of it, ``row_hash``, and ``seal``: id and root of the
            seal that covers it, None where it is not sealed yet.

        Raises
        ------
        NotFoundError
            If there is none.
        TamperingError
            If somebody changed it since.
        """
        row = queries.require_decision(self.db, decision_id)
        decision_seals.require_unaltered_decision(row)
        seal = queries.find_seal_of(self.db, row.seq)
        shown = None if seal is None else {"seal_id": seal.id, "root": seal.root}
        return queries.decision_document(row) | {"seal": shown}

    def statistics(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        version: str | None = None,
    ) -> Document:
        """Count decisions and describe their scores, by version and band.

        Parameters
        ----------
        since, until : datetime or None
            From the first, before the second; a time without a zone is UTC; None is open.
        version : str or None
            Only this version.

        Returns
        -------
        dict
            since, until, n_decisions and versions: for each version, content_hash, n, mean_score,
            lowest_score, highest_score (points), bands (count by name) and bins (from, to and n).
        """
        period = {"since": _in_utc(since), "until": _in_utc(until)}
        rows = queries.count_by_bin(self.db, version=version, **period)
        shown = {name: None if at is None else at.isoformat() for name, at in period.items()}
        return {**shown, **describe_decisions(rows)}

    def seal(self) -> Document:
        """Bind every decision recorded so far to the audit chain.

        Writes: a row of ``decision_seals`` and the event ``decisions.sealed`` with its Merkle
        root; more than one above 250,000 decisions, nothing where all are sealed.

        Returns
        -------
        dict
            n_sealed, and seals: seal_id, event_seq, first_seq, last_seq, first_id, last_id,
            n_decisions and root of each.

        Raises
        ------
        OpenTransactionError
            If called inside an open transaction.
        """
        seals = decision_seals.seal_decisions(self.db, actor=self.actor)
        return {"n_sealed": sum(seal["n_decisions"] for seal in seals), "seals": list(seals)}

    def prove(self, decision_id: str) -> Document:
        """Prove to an outsider that a decision is one of those under a sealed root.

        Parameters
        ----------
        decision_id : str
            As ``decide`` gave it.

        Returns
        -------
        dict
            The decision, ``text`` and ``row_hash`` (what was hashed and its SHA-256), seal_id,
            event_seq and event_hash, index (from 0), n_decisions, path (hexadecimal) and root,
            from which :func:`app.domain.merkle.proves_inclusion` proves it.

        Raises
        ------
        NotFoundError
            If there is no such decision.
        ConflictError
            If it is not sealed yet.
        TamperingError
            If decision, seal or event are not what was recorded.
        """
        row = queries.require_decision(self.db, decision_id)
        return decision_seals.prove_decision(self.db, row)


def _refuse_inactive(version: str) -> None:
    raise ConflictError(
        f"{version} is not active, and only the active version decides: leave the version out, or "
        "score without recording",
        version=version,
    )


def _in_utc(moment: datetime | None) -> datetime | None:
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=UTC)
