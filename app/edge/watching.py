"""Monitor what is due and deliver alerts while a service runs."""

from __future__ import annotations

import threading

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.db import SessionSource
from app.errors import ChancellorError
from app.services.alert_delivery import AlertDelivery
from app.services.webhook_receiver import Receiver

SECONDS_BETWEEN_ROUNDS = 5.0

log = structlog.get_logger("chancellor.watching")


class Watcher:
    """Deliver alerts every few seconds, in a thread of its own.

    Any number of services may watch one store: one of them delivers at a time. Ending it lets the
    attempt at hand end and puts it on the record, so that a service that is asked to end delivers
    nothing twice.

    Parameters
    ----------
    sessions : SessionSource
        The store.
    receiver : Receiver or None
        Who is sent alerts beside the log.
    """

    def __init__(self, sessions: SessionSource, receiver: Receiver | None) -> None:
        self._sessions = sessions
        self._receiver = receiver
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Let what is being delivered end, and begin nothing more."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._deliver()
            if self._ending.wait(SECONDS_BETWEEN_ROUNDS):
                return

    def _deliver(self) -> None:
        """Deliver what is due; what fails is tried again in the next round."""
        try:
            with self._sessions.open() as db:
                AlertDelivery(db, self._receiver).deliver(is_ending=self._ending.is_set)
        except (ChancellorError, SQLAlchemyError, OSError) as error:
            log.warning("alerts not delivered", error=type(error).__name__)
