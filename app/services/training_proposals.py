"""Propose a training: after a month, when outcomes matured, or when a version became worse.

A proposal is a run on the record, which waits for its turn like any other and ends in a draft at
most. People review and activate; nothing here does (ADR 0057).
"""

from __future__ import annotations

import structlog
from sqlalchemy.orm import Session

from app.domain.canonical import content_hash
from app.domain.counted import counted
from app.domain.pipelines import TRAINING
from app.domain.types import Document
from app.lake.store import Lake, open_lake
from app.queries import new_outcomes as queries
from app.queries.policies import current_policy
from app.queries.runs import list_live_runs
from app.queries.versions import find_active
from app.services.new_outcomes import NewOutcomes, find_new_outcomes
from app.services.pipeline_service import PipelineService

NAME = "dagster:{}"
"""How the record calls who proposes; it is no person."""

_KEY_DIGITS = 16


class TrainingProposalService:
    """Propose trainings where there is something new to learn from.

    Parameters
    ----------
    db : Session
        A session on the initialised database.
    lake : Lake or None
        The data plane; None is the one of the settings.
    """

    def __init__(self, db: Session, lake: Lake | None = None) -> None:
        self.db = db
        self.lake = lake or open_lake()

    def after_a_month(self, month: str) -> Document:
        """Propose a training once a month, if anything matured since the newest model.

        Writes: at most one queued run, with its event ``run.queued``.

        Parameters
        ----------
        month : str
            Such as ``2026-03``; the same month gives the same run.

        Returns
        -------
        dict
            ``run_id`` and ``status`` (None where nothing is proposed), ``sentence``,
            n_new_labelled, n_new_bad, model_id, batch_ids and data_through.

        Raises
        ------
        FileHashError
            If a file is not what was stored.
        """
        found = find_new_outcomes(self.db, self.lake)
        if not found.labelled:
            return self._nothing(found, "nothing matured since")
        return self._propose("monthly_retraining", f"month {month}", found)

    def on_new_outcomes(self) -> Document:
        """Propose a training once as much has matured as the policy asks of any training.

        That is ``min_labelled`` parties, of which ``min_bad_parties`` bad, which the newest model
        could not know. Each further look at the same rows would cost certainty (ADR 0031).

        Writes: at most one queued run, with its event ``run.queued``.

        Returns
        -------
        dict
            As :meth:`after_a_month`.

        Raises
        ------
        FileHashError
            If a file is not what was stored.
        """
        found = find_new_outcomes(self.db, self.lake)
        policy = current_policy(self.db)[1]
        if len(found.labelled) < policy.min_labelled or len(found.bad) < policy.min_bad_parties:
            return self._nothing(
                found,
                f"asked for are {policy.min_labelled} and {policy.min_bad_parties} (policy "
                "min_labelled, min_bad_parties)",
            )
        return self._propose("new_outcomes", _state_of(found), found)

    def on_degradation(self) -> Document:
        """Propose a training when an alert says that the active version became worse.

        Alerts of the kinds ``auc_drop`` and ``calibration`` count until a person closes them.

        Writes: at most one queued run, with its event ``run.queued``.

        Returns
        -------
        dict
            As :meth:`after_a_month`, and ``alert_ids``.

        Raises
        ------
        FileHashError
            If a file is not what was stored.
        """
        active = find_active(self.db)
        alerts = () if active is None else queries.degradation_alerts(self.db, active.version)
        ids = [alert.id for alert in alerts]
        found = find_new_outcomes(self.db, self.lake) if ids else NewOutcomes(None, "", 0)
        if not ids:
            done = self._nothing(found, "")
            done["sentence"] = "No alert says that the active version became worse."
        elif not found.labelled:
            done = self._nothing(found, "a training would only look at the same rows again")
        else:
            done = self._propose("degradation", f"alert {ids[-1]}, {_state_of(found)}", found)
        return {**done, "alert_ids": ids}

    def _nothing(self, found: NewOutcomes, why: str) -> Document:
        return {
            "run_id": None,
            "status": None,
            "sentence": f"No training is proposed: {_counted(found)}; {why}.",
            **_facts(found),
        }

    def _propose(self, by: str, key: str, found: NewOutcomes) -> Document:
        waiting = [run for run in list_live_runs(self.db) if run.pipeline == TRAINING]
        self.db.rollback()
        if waiting:
            return self._nothing(found, f"training run {waiting[0].id} has not ended")
        windowed = {"observation_window_days": found.window_days}
        run = PipelineService(self.db, actor=NAME.format(by)).trigger(
            pipeline=TRAINING,
            batch_ids=found.batch_ids,
            config={"outcome_type": found.outcome_type, **windowed},
            idempotency_key=f"{by}: {key}",
        )
        sentence = (
            f"Training run {run['run_id']}, {run['status']}, was proposed by {by}: "
            f"{_counted(found)}. It ends in a draft at most."
        )
        if run["status"] == "queued":
            structlog.get_logger("chancellor.proposals").info(
                "training proposed", run_id=run["run_id"], by=by, reason=_counted(found)
            )
        return {
            "run_id": run["run_id"],
            "status": run["status"],
            "sentence": sentence,
            **_facts(found),
        }


def _state_of(found: NewOutcomes) -> str:
    """Name what is known, so that the same state proposes once."""
    state = [found.model_id, found.batch_ids, found.through, len(found.labelled)]
    return content_hash(state)[:_KEY_DIGITS]


def _counted(found: NewOutcomes) -> str:
    since = f" since {found.model_id}" if found.model_id else ", and no model was trained yet"
    n_labelled = len(found.labelled)
    return (
        f"{counted(n_labelled, 'party', 'parties')}, {len(found.bad):,} of them bad, "
        f"{'has' if n_labelled == 1 else 'have'} matured{since}"
    )


def _facts(found: NewOutcomes) -> Document:
    return {
        "model_id": found.model_id,
        "batch_ids": list(found.batch_ids),
        "data_through": found.through or None,
        "n_new_labelled": len(found.labelled),
        "n_new_bad": len(found.bad),
    }
