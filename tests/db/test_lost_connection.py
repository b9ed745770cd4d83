"""A server that goes away is named, nothing half is stored, and the same session goes on after."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from app.db import bulk_insert, open_session, transaction, upgrade, utc_now
from app.db.session import close_engine
from app.errors import UnavailableError
from app.models import PipelineRun, Policy
from app.services.audit_service import AuditService
from app.services.policy_service import PolicyService
from app.services.store import initialise_store
from tests.support.postgres import Server, running_server

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """Start a server that only these tests stop."""
    with running_server() as server:
        yield server


@pytest.fixture
def url(own_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    url = own_server.url(own_server.create_database())
    monkeypatch.setenv("CHANCELLOR_DATABASE_URL", url)
    upgrade(url)
    initialise_store(actor="ada")
    yield url
    close_engine(url)


def test_a_session_goes_on_after_the_server_came_back(own_server: Server, url: str) -> None:
    with open_session() as db:
        before = AuditService(db).verify()["n_events"]
        own_server.stop()
        with pytest.raises(UnavailableError, match="repeat the command"):
            PolicyService(db, "ada").set_policy({"min_auc_roc": 0.65})
        with pytest.raises(UnavailableError, match="does not answer"):
            open_session()
        own_server.start()
        assert AuditService(db).verify()["n_events"] == before
        assert PolicyService(db, "ada").set_policy({"min_auc_roc": 0.65})["changed"]
        assert AuditService(db).verify()["n_events"] == before + 1


def test_what_a_lost_transaction_had_written_is_gone(own_server: Server, url: str) -> None:
    def rows() -> Iterator[tuple[object, ...]]:
        for number in range(25_000):
            if number == 15_000:
                own_server.stop()
            yield (f"r{number}", "p", "[]", "{}", "failed", "ada", utc_now())

    columns = ("id", "pipeline", "batch_ids", "config", "status", "requested_by", "created_at")
    with open_session() as db:
        with pytest.raises(UnavailableError), transaction(db):
            bulk_insert(db, PipelineRun.__table__, rows(), columns)
        own_server.start()
        assert db.scalars(select(PipelineRun.id)).all() == []
        with transaction(db):
            assert len(db.scalars(select(Policy)).all()) == 1
