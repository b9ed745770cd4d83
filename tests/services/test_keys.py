"""API keys: shown once, known by a hash, refused when their time is over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db import utc_now
from app.errors import ConflictError, InvalidInputError, KeyRefusedError, NotFoundError
from app.services.audit_service import AuditService
from app.services.doctor import DoctorService
from app.services.key_service import KeyService


def test_a_key_is_stored_as_a_hash_and_known_again(db: Session) -> None:
    service = KeyService(db, actor="root")
    made = service.create(owner=" ada ", role="analyst", name="laptop", days=30)
    assert service.check(made["key"]) == {
        "key_id": made["key_id"],
        "owner": "ada",
        "role": "analyst",
    }
    secret = made["key"].split("_", 2)[2]
    for table in ("api_keys", "audit_events"):
        rows = db.execute(text(f"SELECT * FROM {table}")).all()
        assert secret not in str(rows)
    (listed,) = service.list_keys()
    assert listed == {name: value for name, value in made.items() if name != "key"}
    (event,) = AuditService(db).list_events(action="key.created")
    assert (event["actor"], event["payload"]["owner"]) == ("root", "ada")


def test_two_keys_are_never_alike(sqlite_db: Session) -> None:
    service = KeyService(sqlite_db)
    keys = {service.create(owner="ada", role="viewer")["key"] for _ in range(20)}
    assert len(keys) == 20
    assert {len(key) for key in keys} == {len("chancellor__") + 12 + 43}


def test_a_revoked_key_is_refused_for_good(db: Session) -> None:
    service = KeyService(db, actor="root")
    made = service.create(owner="ada", role="viewer")
    service.revoke(made["key_id"], reason="lost")
    with pytest.raises(KeyRefusedError, match="revoked"):
        service.check(made["key"])
    with pytest.raises(ConflictError, match="revoked already"):
        service.revoke(made["key_id"], reason="again")
    with pytest.raises(NotFoundError):
        service.revoke("0" * 12, reason="none")
    for change in ("UPDATE api_keys SET role = 'admin'", "DELETE FROM api_key_revocations"):
        with pytest.raises(IntegrityError, match="append-only"):
            db.execute(text(change))
        db.rollback()


def test_a_key_is_refused_from_the_moment_it_expires(
    sqlite_db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = KeyService(sqlite_db)
    made = service.create(owner="ada", role="viewer", days=1)
    made_at = utc_now()
    almost, over = made_at + timedelta(hours=23, minutes=59), made_at + timedelta(days=1)
    monkeypatch.setattr("app.services.key_service.utc_now", lambda: almost)
    assert service.check(made["key"])["owner"] == "ada"
    monkeypatch.setattr("app.services.key_service.utc_now", lambda: over)
    with pytest.raises(KeyRefusedError, match="expired"):
        service.check(made["key"])


def test_who_has_not_the_secret_learns_nothing_of_the_key(sqlite_db: Session) -> None:
    """Revoked or not, with another secret it is unknown."""
    service = KeyService(sqlite_db)
    made = service.create(owner="ada", role="viewer")
    service.revoke(made["key_id"], reason="lost")
    guess = f"chancellor_{made['key_id']}_{'A' * 43}"
    unknown = f"chancellor_{'0' * 12}_{'A' * 43}"
    messages = []
    for key in (guess, unknown):
        with pytest.raises(KeyRefusedError) as refused:
            service.check(key)
        messages.append((refused.value.message, refused.value.facts))
    assert messages[0] == messages[1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "root"},
        {"owner": " "},
        {"owner": "model:m-1"},
        {"days": 0},
        {"days": 4_000},
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(
    sqlite_db: Session, wrong: dict[str, object]
) -> None:
    with pytest.raises(InvalidInputError):
        KeyService(sqlite_db).create(**({"owner": "ada", "role": "viewer"} | wrong))  # type: ignore[arg-type]  # wrong on purpose
    assert KeyService(sqlite_db).list_keys() == ()


def test_a_role_that_somebody_changed_behind_the_triggers_shows(sqlite_db: Session) -> None:
    KeyService(sqlite_db, actor="root").create(owner="eve", role="viewer")
    sqlite_db.execute(text("DROP TRIGGER api_keys_update"))
    sqlite_db.execute(text("UPDATE api_keys SET role = 'admin'"))
    sqlite_db.connection().connection.commit()
    report = str(DoctorService(sqlite_db).examine())
    assert "role differs from event" in report
