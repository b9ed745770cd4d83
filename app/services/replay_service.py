"""Compute again what was decided: a version from its recorded inputs, or one recorded score."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from app.db import require_no_transaction
from app.domain.party_score import score_party
from app.domain.replay import Part, changed_libraries, judge_replay, weights_agree
from app.domain.types import Document, Progress
from app.errors import TamperingError
from app.lake.store import Lake, open_lake
from app.models import ScorecardVersion
from app.queries.decisions import find_seal_of, require_decision
from app.queries.models import require_model
from app.queries.versions import require_version
from app.services.decision_seals import prove_decision, require_unaltered_decision
from app.services.library_versions import library_versions
from app.services.scoring_service import card_of
from app.services.version_hashes import verified_review_hash

if TYPE_CHECKING:
    from app.services.replay_version import ReplayedVersion


class ReplayService:
    """Compute again what is on the record, and compare; nothing is written.

    Parameters
    ----------
    db : Session
        The store.
    actor : str, optional
        Not used: a replay leaves no event.
    lake : Lake, optional
        The data plane; by default the one of the settings.
    """

    def __init__(self, db: Session, actor: str | None = None, lake: Lake | None = None) -> None:
        del actor
        self.db = db
        self._lake = lake

    @property
    def lake(self) -> Lake:
        """Give the data plane, opened where it is first needed."""
        if self._lake is None:
            self._lake = open_lake()
        return self._lake

    def replay_version(self, version: str, progress: Progress | None = None) -> Document:
        """Compute a version again from its recorded inputs.

        Labels are generated anew from batch and outcome files, the model is fitted, validated and
        judged, and the baseline refined by it. What was withdrawn since still counts. Of a
        version that a person wrote, content and evidence are held against their hashes.

        Parameters
        ----------
        version : str
            Such as ``ml_v2``.
        progress : callable, optional
            Called as ``progress(stage, done, total)``.

        Returns
        -------
        dict
            version, origin, outcome (``equal``, ``equal_weights``: at two decimals, ``different``
            or ``nothing_computed``), sentence, parts (what was compared, with the first
            differences of each), weights (recorded and computed, by feature),
            weights_equal_at_two_decimals, and libraries (changed since).

        Raises
        ------
        NotFoundError
            If there is no such version, or a file is gone.
        TamperingError
            If a recorded input, the model or the version is not what was written.
        OpenTransactionError
            If called inside an open transaction.
        """
        require_no_transaction(self.db)
        row = require_version(self.db, version)
        verified_review_hash(self.db, row)
        if row.model_id is None:
            return _written_by_a_person(row)
        from app.services.replay_version import replay_version  # noqa: PLC0415 - loads numerics

        recorded = require_model(self.db, row.model_id).library_versions
        found = replay_version(self.db, self.lake, row, progress)
        return _describe(version, found, changed_libraries(recorded, library_versions()))

    def replay_decision(self, decision_id: str) -> Document:
        """Compute a recorded decision again: its score and all that explains it.

        Parameters
        ----------
        decision_id : str
            As ``DecisionService.decide`` gave it.

        Returns
        -------
        dict
            decision_id, version, outcome (``equal`` or ``different``), sentence, parts, and
            sealed: whether a root of the audit chain proves the record.

        Raises
        ------
        NotFoundError
            If there is no such decision.
        TamperingError
            If the decision, its seal or its card is not what was written.
        """
        row = require_decision(self.db, decision_id)
        require_unaltered_decision(row)
        is_sealed = find_seal_of(self.db, row.seq) is not None
        if is_sealed:
            prove_decision(self.db, row)
        card = card_of(require_version(self.db, row.version))
        if card.content_hash != row.content_hash:
            raise TamperingError(
                f"decision {row.id} names another content of {row.version} than is stored",
                decision_id=row.id,
                recorded=row.content_hash,
                found=card.content_hash,
            )
        computed = score_party(card, json.loads(row.features)).as_dict()
        recorded = {
            "score": row.score,
            "unrounded_score": row.unrounded_score,
            "band": row.band,
            "contributions": json.loads(row.contributions),
            "missing_features": json.loads(row.missing_features),
            "reason_codes": json.loads(row.reason_codes),
        }
        subject = f"decision:{row.id}"
        parts = [Part(name, subject, recorded[name], computed[name]) for name in recorded]
        differing = [part.name for part in parts if not part.is_equal]
        said = (
            f"Computed again, {', '.join(differing)} differ: the program computes otherwise now."
            if differing
            else f"Scored again by {row.version} from what was given, equal bit by bit."
        )
        proof = "" if is_sealed else " It is not sealed yet, so only its own hash vouches for it."
        return {
            "decision_id": row.id,
            "version": row.version,
            "outcome": "different" if differing else "equal",
            "sentence": said + proof,
            "sealed": is_sealed,
            "parts": [part.as_dict() for part in parts],
        }


def _written_by_a_person(row: ScorecardVersion) -> Document:
    return {
        "version": row.version,
        "origin": row.origin,
        "model_id": None,
        "outcome": "nothing_computed",
        "sentence": f"{row.created_by} wrote {row.version}: nothing was computed. Its content and "
        "evidence have the hashes that were recorded.",
        "parts": [],
        "weights": {},
        "weights_equal_at_two_decimals": True,
        "libraries": [],
    }


def _describe(version: str, found: ReplayedVersion, libraries: tuple[Document, ...]) -> Document:
    weights = (found.recorded_weights, found.computed_weights)
    outcome, sentence = judge_replay(found.parts, libraries, weights=weights)
    return {
        "version": version,
        "origin": "model",
        "model_id": found.model_id,
        "outcome": outcome,
        "sentence": sentence,
        "parts": [part.as_dict() for part in found.parts],
        "weights": {
            name: {"recorded": weight, "computed": found.computed_weights.get(name)}
            for name, weight in found.recorded_weights.items()
        },
        "weights_equal_at_two_decimals": weights_agree(*weights),
        "libraries": list(libraries),
    }
