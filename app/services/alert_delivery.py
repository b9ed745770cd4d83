"""Deliver each open alert to the log and to the webhook, each once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from app.db import require_no_transaction, transaction, utc_now
from app.db.turns import DELIVERING, turn
from app.domain.types import Document
from app.domain.webhooks import next_attempt_at
from app.models import AlertAttempt
from app.queries.alerts import Undelivered, list_undelivered
from app.services.webhook_receiver import Answer, Receiver

LOG = "log"
"""The log as the record names it among the receivers."""


class AlertDelivery:
    """Deliver alerts, one process of the store at a time.

    An attempt is on the record as soon as the receiver has answered. A process that is killed
    between answer and record delivers again, with the same delivery id.

    Parameters
    ----------
    db : Session
        A session on the initialised database, outside any transaction.
    receiver : Receiver or None
        Who is sent alerts; None is nobody beside the log.
    clock : callable
        Gives the time, UTC.
    """

    def __init__(
        self, db: Session, receiver: Receiver | None, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.db = db
        self.receiver = receiver
        self.clock = clock

    def deliver(self, *, is_ending: Callable[[], bool] = lambda: False) -> Document:
        """Deliver what is due now.

        A receiver that does not answer ends the round: the others would wait as long. What it
        refused is tried again after 10 seconds, then after twice as long each time, an hour at
        most, until it takes the alert or somebody closes it.

        Writes: one row of ``alert_attempts`` per attempt.

        Parameters
        ----------
        is_ending : callable
            Asked between two alerts whether to begin no more.

        Returns
        -------
        dict
            n_logged, n_delivered, n_failed, n_waiting (not taken yet, those that failed included),
            ``receiver`` (None where none is set), ``fault`` of the last failure, and
            ``is_busy``: whether another process is delivering, and nothing was done.

        Raises
        ------
        OpenTransactionError
            If a transaction is open.
        """
        require_no_transaction(self.db)
        done = {"n_logged": 0, "n_delivered": 0, "n_failed": 0, "n_waiting": 0}
        found: Document = {**done, "receiver": None, "fault": None, "is_busy": False}
        if self.receiver is not None:
            found["receiver"] = self.receiver.name
        if not any(self._undelivered(name) for name in self._names()):
            return found
        with turn(self.db, DELIVERING) as is_ours:
            if not is_ours:
                return {**found, "is_busy": True}
            self._write_to_log(found)
            if self.receiver is not None:
                self._send(self.receiver, found, is_ending)
        return found

    def _names(self) -> tuple[str, ...]:
        return (LOG,) if self.receiver is None else (LOG, self.receiver.name)

    def _undelivered(self, receiver: str) -> tuple[Undelivered, ...]:
        found = list_undelivered(self.db, receiver)
        self.db.rollback()  # no transaction stays open while a receiver thinks
        return found

    def _write_to_log(self, found: Document) -> None:
        log = structlog.get_logger("chancellor.alerts")
        for waiting in self._undelivered(LOG):
            log.warning("alert", **waiting.alert)
            self._record(waiting.alert, LOG, Answer(None, None))
            found["n_logged"] += 1

    def _send(
        self, receiver: Receiver, found: Document, is_ending: Callable[[], bool]
    ) -> None:  # fmt: skip
        waiting = self._undelivered(receiver.name)
        found["n_waiting"] = len(waiting)
        for one in waiting:
            if is_ending():
                return
            if not self._is_due(one):
                continue
            answer = receiver.send(one.alert, self.clock())
            self._record(one.alert, receiver.name, answer)
            if answer.is_delivered:
                found["n_delivered"] += 1
                found["n_waiting"] -= 1
                continue
            found["n_failed"] += 1
            found["fault"] = answer.fault
            structlog.get_logger("chancellor.alerts").warning(
                "alert not delivered", alert_id=one.alert["alert_id"], fault=answer.fault
            )
            if answer.status_code is None:
                return

    def _is_due(self, one: Undelivered) -> bool:
        if one.last_at is None:
            return True
        return next_attempt_at(one.n_failed, one.last_at) <= self.clock()

    def _record(self, alert: Document, receiver: str, answer: Answer) -> None:
        with transaction(self.db):
            self.db.add(
                AlertAttempt(
                    alert_id=alert["alert_id"],
                    receiver=receiver,
                    at=self.clock(),
                    status_code=answer.status_code,
                    fault=answer.fault,
                    is_delivered=answer.is_delivered,
                )
            )
