"""What one person sees first: what decides, what waits for them, what ran, how scores moved."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.domain.review import Approval, Case, VerdictFacts
from app.domain.rights import may_acknowledge_emergency
from app.domain.types import Document
from app.lake.store import Lake
from app.models import ScorecardVersion
from app.queries import overview as queries
from app.queries.alerts import count_alerts, read_alerts
from app.queries.policies import current_policy
from app.queries.runs import list_runs
from app.queries.versions import find_active, list_open_emergencies
from app.queries.withdrawn_sources import withdrawn_sources
from app.services.checkpoint_service import SIGNED
from app.services.run_documents import run_document
from app.services.score_distributions import last_distribution
from app.services.version_cases import facts_of, stored_approval
from app.services.version_documents import steps_document, version_summary
from app.services.version_emergencies import emergency_document
from app.services.version_hashes import review_hash

MOST_ALERTS = 5
MOST_DRAFTS = 10
MOST_RUNS = 8
_ONES_TURN = ("approve", "activate")
_ON_THE_FORM = "not_acknowledged"


class OverviewService:
    """Collect the overview for one person.

    Parameters
    ----------
    db : Session
        The store.
    actor : str
        Who looks.
    lake : Lake
        The data plane.
    """

    def __init__(self, db: Session, actor: str, lake: Lake) -> None:
        self.db = db
        self.actor = actor
        self.lake = lake

    def get_overview(self) -> Document:
        """Give everything, in a number of queries that does not grow with the store.

        Returns
        -------
        dict
            ``alerts`` (the newest open ones, as ``AlertService`` lists them), ``n_alerts``,
            ``active`` (a summary with ``by``, ``reason`` and ``kind`` of its activation, or
            None), ``drafts`` (see :meth:`list_drafts`), ``n_drafts``, ``emergencies`` (each with
            ``may_acknowledge``), ``runs``, ``failed_runs`` (those after which none of the same
            pipeline succeeded), ``distribution`` (see ``last_distribution``) and ``checkpoint``
            (seq, at and actor of the last one signed, or None).
        """
        runs = tuple(run_document(run) for run in list_runs(self.db, limit=MOST_RUNS))
        signed = queries.find_last_checkpoint(self.db, SIGNED)
        return {
            "alerts": read_alerts(self.db, status="open", limit=MOST_ALERTS)["items"],
            "n_alerts": count_alerts(self.db)["open"],
            "active": self._active(),
            "drafts": self.list_drafts(),
            "n_drafts": queries.count_open_versions(self.db),
            "emergencies": self._emergencies(),
            "runs": runs,
            "failed_runs": failed_for_good(runs),
            "distribution": last_distribution(self.db, self.lake),
            "checkpoint": signed and {"seq": signed.seq, "at": signed.at, "actor": signed.actor},
        }

    def list_drafts(self) -> tuple[Document, ...]:
        """List the newest versions that people can still decide about.

        Returns
        -------
        tuple of dict
            A summary each, with ``advice`` of the model behind it or None, ``verdicts`` (number
            by word), ``steps`` by the rules that the services obey, and ``is_mine``: whether this
            person can approve or activate it now. Content and evidence are not hashed anew; the
            page of the version does that.
        """
        rows = queries.list_open_versions(self.db, limit=MOST_DRAFTS)
        if not rows:
            return ()
        cases = self._cases(rows)
        active = find_active(self.db)
        models = queries.models_behind(self.db, rows)
        return tuple(
            self._draft(row, cases[row.version], None if active is None else active.version)
            | {"advice": models[row.model_id].advice if row.model_id else None}
            for row in rows
        )

    def _active(self) -> Document | None:
        row, activation = find_active(self.db), queries.find_last_activation(self.db)
        if row is None or activation is None:
            return None
        return {
            **version_summary(row),
            "by": activation.actor,
            "reason": activation.reason,
            "kind": activation.kind,
        }

    def _emergencies(self) -> tuple[Document, ...]:
        policy = current_policy(self.db)[1]
        return tuple(
            emergency_document(row)
            | {"may_acknowledge": may_acknowledge_emergency(policy, row.actor, self.actor).allowed}
            for row in list_open_emergencies(self.db)
        )

    def _cases(self, rows: Sequence[ScorecardVersion]) -> dict[str, Case]:
        policy = current_policy(self.db)[1]
        models = queries.models_behind(self.db, rows)
        verdicts = queries.verdicts_on(self.db, rows)
        approvals = queries.approvals_of(self.db, rows)
        withdrawn = withdrawn_sources(self.db, models)
        return {
            row.version: Case(
                policy=policy,
                facts=facts_of(
                    row,
                    review_hash(row.content_hash, row.evidence_hash),
                    models[row.model_id].created_by if row.model_id else None,
                ),
                verdicts=tuple(
                    VerdictFacts(one["gate"], one["verdict"], one["sentence"])
                    for one in verdicts[row.version]
                ),
                approvals=tuple(map(stored_approval, approvals.get(row.version, ()))),
                withdrawn=withdrawn.get(row.model_id or "", ()),
            )
            for row in rows
        }

    def _draft(self, row: ScorecardVersion, case: Case, active: str | None) -> Document:
        own = Approval(self.actor, case.facts.review_hash)
        steps = steps_document(row.status, case, own, active)
        words = [one.verdict for one in case.verdicts]
        return {
            **version_summary(row),
            "verdicts": {word: words.count(word) for word in dict.fromkeys(words)},
            "steps": steps,
            "is_mine": any(
                step["step"] in _ONES_TURN and (step["allowed"] or step["reason"] == _ON_THE_FORM)
                for step in steps
            ),
        }


def failed_for_good(runs: Sequence[Document]) -> tuple[Document, ...]:
    """Select the failed runs after which none of the same pipeline succeeded.

    Parameters
    ----------
    runs : sequence of dict
        Newest first.

    Returns
    -------
    tuple of dict
        Newest first.

    Examples
    --------
    >>> runs = [{"pipeline": "a", "status": "failed"}, {"pipeline": "b", "status": "succeeded"},
    ...         {"pipeline": "b", "status": "failed"}]
    >>> [run["pipeline"] for run in failed_for_good(runs)]
    ['a']
    """
    settled: set[str] = set()
    failed = []
    for run in runs:
        if run["status"] == "succeeded":
            settled.add(run["pipeline"])
        elif run["status"] == "failed" and run["pipeline"] not in settled:
            failed.append(run)
    return tuple(failed)
