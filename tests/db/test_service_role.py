"""The service's role on PostgreSQL does the main job, and is refused everything else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.db import close_engine, open_session
from app.db.grants import ADDS, CHANGES, READS, grant_statements
from app.db.triggers import APPEND_ONLY, KEPT
from app.services.audit_service import AuditService
from app.services.batch_service import BatchService
from app.services.label_generation_service import LabelGenerationService
from app.services.model_training_service import ModelTrainingService
from app.services.outcome_service import OutcomeService
from app.services.scorecard_version_service import ScorecardVersionService
from tests.conftest import Store
from tests.support.default_portfolio import default_portfolio
from tests.support.filled import TABLES

ROLE = "chancellor_service"
on_postgres = pytest.mark.parametrize(
    "store_url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)


@pytest.fixture
def service_url(store: Store) -> Iterator[str]:
    """Make the role on a store that the owner initialised; give the URL it connects with."""
    owner = create_engine(store.database_url)
    with owner.begin() as connection:
        connection.exec_driver_sql(f"DROP ROLE IF EXISTS {ROLE}")
        connection.exec_driver_sql(f"CREATE ROLE {ROLE} LOGIN")
        for statement in grant_statements(ROLE):
            connection.exec_driver_sql(statement)
    url = store.database_url.replace("//postgres@", f"//{ROLE}@")
    yield url
    close_engine(url)
    with owner.begin() as connection:
        connection.exec_driver_sql(f"DROP OWNED BY {ROLE}")
        connection.exec_driver_sql(f"DROP ROLE {ROLE}")
    owner.dispose()


@on_postgres
@pytest.mark.slow
def test_the_role_does_the_main_job(service_url: str, tmp_path: Path) -> None:
    files = default_portfolio(tmp_path / "files")
    with open_session(service_url) as db:
        assert db.connection().exec_driver_sql("SELECT current_user").scalar_one() == ROLE
        BatchService(db).import_file(
            files.batch, batch_id="BATCH_001", party_id="party_id", scored_at="scored_at"
        )
        OutcomeService(db).import_events(
            files.outcomes, party_id="party_id", event_date="event_date",
            event_type="event_type", days_past_due="days_past_due", through=files.through,
        )  # fmt: skip
        LabelGenerationService(db, "ada").generate_labels(batch_id="BATCH_001")
        model = ModelTrainingService(db, "ada").train_model(batch_id="BATCH_001")
        versions = ScorecardVersionService(db, "grace")
        draft = ScorecardVersionService(db, "ada").refine_from_model(model["model_id"])["version"]
        versions.approve(draft, reason="read it")
        versions.withdraw_approval(draft, reason="too early")
        versions.approve(draft, reason="read it again")
        assert versions.activate_version(draft)["status"] == "active"
        assert versions.rollback("v1", reason="as before", emergency=True)["status"] == "active"
        assert AuditService(db).verify()["verified"]


@on_postgres
def test_the_role_is_refused_everything_else(service_url: str) -> None:
    engine = create_engine(service_url)
    refused = [
        *(f"DELETE FROM {table}" for table in TABLES),
        *(f"TRUNCATE {table} CASCADE" for table in TABLES),
        *(
            f'UPDATE {table.name} SET "{column.name}" = "{column.name}"'
            for table in TABLES.values()
            for column in table.columns
            if column.name not in CHANGES.get(table.name, ())
        ),
        *(f"DROP TABLE {table} CASCADE" for table in TABLES),
        *(f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in TABLES),
        *(f"DROP TRIGGER {table}_delete ON {table}" for table in {**APPEND_ONLY, **KEPT}),
        "INSERT INTO audit_head (id, seq, hash) VALUES (2, 0, '')",
        "UPDATE alembic_version SET version_num = '0001'",
        "CREATE TABLE mine (id int)",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION chancellor_refuse() RETURNS trigger LANGUAGE sql AS ''",
        "DROP FUNCTION chancellor_refuse() CASCADE",
        "SET session_replication_role = replica",
        "ALTER ROLE chancellor_service SUPERUSER",
    ]
    answers = {statement: _answer(engine, statement) for statement in refused}
    engine.dispose()
    is_no_right = ("permission denied", "must be owner", "must have the", "Only roles with")
    assert {k: v for k, v in answers.items() if not any(no in v for no in is_no_right)} == {}
    assert len(refused) > 200


def _answer(engine: Engine, statement: str) -> str:
    with Session(engine) as db, pytest.raises(DBAPIError) as caught:
        db.connection().exec_driver_sql(statement)
    return str(caught.value.orig)


def test_every_table_has_its_rights() -> None:
    assert {*ADDS, *READS} == {*TABLES, "alembic_version"}
    assert set(CHANGES) == {*KEPT, "pipeline_runs"}
