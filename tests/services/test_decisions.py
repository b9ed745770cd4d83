"""Decisions are made by the active card, recorded as they were, and sealed by the audit chain."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.db import open_session, transaction
from app.domain.merkle import merkle_root, proves_inclusion
from app.domain.scorecard import Scorecard, default_card, score_party
from app.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    OpenTransactionError,
    TamperingError,
)
from app.models import Decision, DecisionSeal
from app.queries.versions import require_active
from app.services import decision_seals
from app.services.audit_service import AuditService
from app.services.decision_rows import deciding_card
from app.services.decision_service import DecisionService
from app.services.doctor import DoctorService
from app.services.scorecard_version_service import ScorecardVersionService
from tests.support.rows import decision_row, seal_row

ACME: dict[str, Any] = {"kyc_verified": True, "company_age_years": 4.5, "has_tax_id": 1}


def _party(party_id: Any = "ACME", **features: Any) -> dict[str, Any]:
    return {"party_id": party_id, "features": {**ACME, **features}}


def _decide(db: Session, n: int = 1, actor: str = "key:shop") -> list[str]:
    parties = [_party(f"P{number}", company_age_years=number % 11) for number in range(n)]
    return [made["id"] for made in DecisionService(db, actor=actor).decide(parties)]


def _activate_other(db: Session, version: str = "v2", **weights: float) -> str:
    """Bring a person's card into force: one writes it, another activates it."""
    card = Scorecard.from_document(require_active(db).content)
    ScorecardVersionService(db, actor="ada").add_version(
        card.with_weights(weights or {"kyc_verified": 14.0}), note="test"
    )
    ScorecardVersionService(db, actor="grace").activate_version(version, reason="test")
    return require_active(db).content_hash


def test_a_decision_is_the_score_of_the_active_card_and_is_kept_whole(db: Session) -> None:
    (made,) = DecisionService(db, actor="key:shop").decide(
        [_party(7.0, supplier_count=None, note="from the shop")]
    )
    expected = score_party(default_card(), {**ACME, "supplier_count": None})
    assert (made["score"], made["band"]) == (expected.score, expected.band)
    assert made["contributions"] == expected.contributions
    assert (made["version"], made["party_id"], made["recorded"]) == ("v1", "7", True)
    assert made["unknown_features"] == ["note"]
    kept = DecisionService(db).get_decision(made["id"])
    given = {"kyc_verified": True, "company_age_years": 4.5, "has_tax_id": 1,
             "supplier_count": None, "note": "from the shop"}  # fmt: skip
    assert kept["features"] == given
    assert kept["seal"] is None
    assert kept["actor"] == "key:shop"
    same = set(made) - {"unknown_features", "recorded"}
    assert {name: kept[name] for name in same} == {name: made[name] for name in same}


def test_the_row_hash_is_the_sha_256_of_the_canonical_columns(db: Session) -> None:
    (decision_id,) = _decide(db)
    columns = dict(db.execute(text("SELECT * FROM decisions")).mappings().one())
    number, row_hash = columns.pop("seq"), columns.pop("row_hash")
    written = json.dumps(columns, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(written.encode()).hexdigest() == row_hash
    assert (number, columns["id"]) == (1, decision_id)


def test_without_record_nothing_is_kept_and_any_version_may_be_asked(db: Session) -> None:
    service = DecisionService(db)
    (plain,) = service.decide([_party()], record=False)
    assert (plain["id"], plain["recorded"]) == (None, False)
    _activate_other(db)
    (old,) = service.decide([_party()], version="v1", record=False)
    (new,) = service.decide([_party()])
    assert (old["version"], new["version"]) == ("v1", "v2")
    assert old["score"] == plain["score"]
    assert db.query(Decision).count() == 1
    with pytest.raises(NotFoundError, match="v9"):
        service.decide([_party()], version="v9", record=False)


def test_only_the_active_version_decides(db: Session) -> None:
    _activate_other(db)
    with pytest.raises(ConflictError, match="v1 is not active"):
        DecisionService(db).decide([_party()], version="v1")
    (made,) = DecisionService(db).decide([_party()], version="v2")
    assert made["version"] == "v2"


def test_which_version_is_active_is_remembered_but_never_believed(db: Session, store: Any) -> None:
    """Another process activates: what this one remembers is refused by the database."""
    service = DecisionService(db, actor="key:shop")
    (made,) = service.decide([_party()])
    assert made["version"] == "v1"
    with open_session(store.database_url) as other:
        _activate_other(other)
    with pytest.raises(ConflictError, match="v1 is not active"):
        service.decide([_party()], version="v1")
    deciding_card(db, None)
    with open_session(store.database_url) as other:
        _activate_other(other, "v3", kyc_verified=13.0)
    with pytest.raises(InvalidInputError, match="kyc_verified"):
        service.decide([_party(kyc_verified="yes")])
    db.rollback()  # as another request
    assert service.decide([_party()], version="v3")[0]["version"] == "v3"
    assert [row.version for row in db.query(Decision)] == ["v1", "v3"]


def test_a_card_that_becomes_active_in_between_decides(
    db: Session, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database refuses the row of the retired card; the request is scored anew."""
    service = DecisionService(db)
    record, seen = service._record, []

    def record_late(rows: Any, card: Any) -> bool:
        if not seen:
            db.rollback()
            with open_session(store.database_url) as other:
                _activate_other(other)
        seen.append(card.version)
        return record(rows, card)

    monkeypatch.setattr(service, "_record", record_late)
    (made,) = service.decide([_party()])
    assert seen == ["v1", "v2"]
    assert made["version"] == "v2"
    assert [row.version for row in db.query(Decision)] == ["v2"]


def test_one_bad_value_refuses_the_whole_request_and_names_it(db: Session) -> None:
    parties = [_party("A"), _party("B", company_age_years="old"), {"party_id": " ", "features": 3}]
    with pytest.raises(InvalidInputError) as refused:
        DecisionService(db).decide(parties)
    assert [fault["place"] for fault in refused.value.facts["faults"]] == [
        "parties[2].party_id", "parties[2].features",
    ]  # fmt: skip
    with pytest.raises(InvalidInputError, match=r"parties\[1\].features: company_age_years: 'old'"):
        DecisionService(db).decide(parties[:2])
    assert db.query(Decision).count() == 0


@pytest.mark.parametrize(
    ("features", "why"),
    [
        ({"note": float("inf")}, "inf"),
        ({"note": "half \ud800 a character"}, "surrogate"),
        ({"note": {"a": 1}}, "no value of a feature"),
        ({1: 2}, "not text"),
    ],
)
def test_what_cannot_be_kept_is_refused(sqlite_db: Session, features: Any, why: str) -> None:
    with pytest.raises(InvalidInputError, match=why):
        DecisionService(sqlite_db).decide([{"party_id": "A", "features": features}])


@pytest.mark.parametrize("party_id", [None, "", "a\x00b", "x" * 501, "\ud800"])
def test_an_id_is_a_printable_text(sqlite_db: Session, party_id: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"parties\[0\].party_id"):
        DecisionService(sqlite_db).decide([{"party_id": party_id, "features": {}}])


def test_text_that_a_database_dislikes_is_kept(db: Session) -> None:
    given = {"a": "\x00", "b": "\\N\t\n\"'", "c": "Zürich 東京 \U0001f600", "d": "\\."}
    (made,) = DecisionService(db).decide([{"party_id": "A\\tB \\N 東京", "features": given}])
    kept = DecisionService(db).get_decision(made["id"])
    assert (kept["features"], kept["party_id"]) == (given, "A\\tB \\N 東京")


@pytest.mark.parametrize("n", [0, 10_001])
def test_a_request_holds_one_to_ten_thousand_parties(sqlite_db: Session, n: int) -> None:
    with pytest.raises(InvalidInputError, match="1 to 10,000"):
        DecisionService(sqlite_db).decide([_party()] * n)


def test_many_parties_are_one_transaction(db: Session) -> None:
    ids = _decide(db, 3_000)
    assert len(set(ids)) == db.query(Decision).count() == 3_000
    assert sorted(ids, key=lambda one: one[:14]) == ids
    assert DecisionService(db).seal()["n_sealed"] == 3_000
    assert AuditService(db).verify()["decisions"] == {"n_decisions": 3_000, "n_sealed": 3_000}


def test_inside_a_transaction_they_go_with_it(db: Session) -> None:
    def fail() -> None:
        with transaction(db):
            _decide(db)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert db.query(Decision).count() == 0
    with pytest.raises(OpenTransactionError), transaction(db):
        DecisionService(db).seal()


def test_statistics_count_by_version_band_and_bin(db: Session) -> None:
    nothing, everything = {"party_id": "N", "features": {}}, {"party_id": "E", "features": {
        name: feature.transform.best
        for name, feature in default_card().features.items()
    }}  # fmt: skip
    service = DecisionService(db)
    service.decide([nothing, nothing, everything])
    between = datetime.now(UTC)
    _activate_other(db)
    service.decide([everything])
    found = service.statistics()
    assert found["n_decisions"] == 4
    first, second = found["versions"]
    assert (first["version"], first["n"], second["version"], second["n"]) == ("v1", 3, "v2", 1)
    assert (first["lowest_score"], first["highest_score"], first["mean_score"]) == (300, 900, 500)
    assert first["bands"] == {"very_poor": 2, "excellent": 1}
    assert first["bins"] == [
        {"from": 300, "to": 349, "n": 2},
        {"from": 900, "to": 949, "n": 1},
    ]
    assert service.statistics(until=between)["n_decisions"] == 3
    assert service.statistics(since=between)["n_decisions"] == 1
    assert service.statistics(since=between.replace(tzinfo=None))["n_decisions"] == 1
    assert service.statistics(version="v2")["n_decisions"] == 1
    assert service.statistics(since=between + timedelta(days=1))["versions"] == []


def test_a_seal_carries_the_root_over_all_that_was_not_sealed(db: Session) -> None:
    service = DecisionService(db, actor="grace")
    assert service.seal() == {"n_sealed": 0, "seals": []}
    ids = _decide(db, 5)
    (seal,) = service.seal()["seals"]
    hashes = [row.row_hash for row in db.query(Decision).order_by(Decision.seq)]
    assert seal["root"] == merkle_root(bytes.fromhex(one) for one in hashes).hex()
    assert (seal["first_id"], seal["last_id"], seal["n_decisions"]) == (ids[0], ids[-1], 5)
    (event,) = AuditService(db).list_events(action="decisions.sealed")
    assert (event["seq"], event["actor"], event["subject"]) == (
        seal["event_seq"], "grace", f"seal:{seal['seal_id']}",
    )  # fmt: skip
    assert event["payload"]["root"] == seal["root"]
    assert service.seal()["n_sealed"] == 0
    more = _decide(db, 2)
    (second,) = service.seal()["seals"]
    assert (second["first_id"], second["last_id"]) == (more[0], more[1])
    assert service.get_decision(ids[2])["seal"] == {
        "seal_id": seal["seal_id"], "root": seal["root"],
    }  # fmt: skip
    assert DoctorService(db).examine()["findings"] == []


def test_very_many_decisions_take_several_seals(
    db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decision_seals, "MOST_PER_SEAL", 4)
    _decide(db, 10)
    sealed = DecisionService(db).seal()
    assert [seal["n_decisions"] for seal in sealed["seals"]] == [4, 4, 2]
    assert AuditService(db).verify()["decisions"] == {"n_decisions": 10, "n_sealed": 10}


def test_an_outsider_can_prove_one_decision_with_the_root_alone(db: Session) -> None:
    service = DecisionService(db)
    decision_id = _decide(db, 11)[6]
    with pytest.raises(ConflictError, match="not sealed yet"):
        service.prove(decision_id)
    service.seal()
    proof = service.prove(decision_id)
    entry = hashlib.sha256(proof["text"].encode()).digest()
    path = [bytes.fromhex(part) for part in proof["path"]]
    root = bytes.fromhex(proof["root"])
    assert proves_inclusion(entry, proof["index"], proof["n_decisions"], path, root)
    assert (proof["index"], proof["n_decisions"], len(path)) == (6, 11, 4)
    other = hashlib.sha256(proof["text"].replace("key:shop", "eve").encode()).digest()
    assert not proves_inclusion(other, proof["index"], proof["n_decisions"], path, root)


def test_sealing_while_many_record_misses_none(db: Session, store: Any) -> None:
    """Whatever the order of numbers and commits, each decision is in exactly one seal."""
    n_writers, n_each, n_parties = 4, 12, 3
    start = Barrier(n_writers + 2)

    def write(_: int) -> None:
        with open_session(store.database_url) as own:
            start.wait()
            for _ in range(n_each):
                _decide(own, n_parties)

    def seal(_: int) -> None:
        with open_session(store.database_url) as own:
            start.wait()
            for _ in range(8):
                DecisionService(own).seal()

    with ThreadPoolExecutor(n_writers + 2) as pool:
        jobs = [*(pool.submit(write, one) for one in range(n_writers)),
                *(pool.submit(seal, one) for one in range(2))]  # fmt: skip
        for job in jobs:
            job.result()
    DecisionService(db).seal()
    total = n_writers * n_each * n_parties
    assert AuditService(db).verify()["decisions"] == {"n_decisions": total, "n_sealed": total}
    assert sum(seal.n_decisions for seal in db.query(DecisionSeal)) == total


@pytest.mark.postgres
@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
def test_a_seal_waits_for_those_who_record_and_leaves_out_what_comes_later(
    db: Session, store: Any
) -> None:
    """On PostgreSQL a number is taken before the commit: the seal must not pass it by."""
    _decide(db)
    slow = open_session(store.database_url)
    with ThreadPoolExecutor(1) as pool, open_session(store.database_url) as other:
        with transaction(slow):
            _decide(slow)  # holds number 2, uncommitted
            sealing = pool.submit(DecisionService(db).seal)
            while not other.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                other.rollback()
        assert sealing.result()["n_sealed"] == 2
    slow.close()


@pytest.mark.postgres
@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
def test_an_activation_comes_after_the_decisions_that_the_version_before_it_makes(
    db: Session, store: Any
) -> None:
    """Or the record would say that another version was active when they were made."""
    card = Scorecard.from_document(require_active(db).content)
    ScorecardVersionService(db, actor="ada").add_version(card.with_weights({"kyc_verified": 14.0}))
    slow = open_session(store.database_url)
    with ThreadPoolExecutor(1) as pool, open_session(store.database_url) as other:
        with transaction(slow):
            (decision_id,) = _decide(slow)
            activating = pool.submit(
                ScorecardVersionService(db, actor="grace").activate_version, "v2"
            )
            while not activating.done():
                if other.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                    break
                other.rollback()
            assert not activating.done()
        activated = activating.result()
    slow.close()
    made = DecisionService(db).get_decision(decision_id)
    assert made["version"] == "v1"
    moments = [datetime.fromisoformat(at) for at in (made["at"], activated["activated_at"])]
    assert moments == sorted(moments)


# What direct SQL cannot do


@pytest.mark.parametrize(
    "change", [{"version": "v2", "content_hash": "f" * 64}, {"content_hash": "f" * 64}]
)
def test_a_row_by_another_card_is_refused(db: Session, change: dict[str, str]) -> None:
    with pytest.raises(DBAPIError, match="only the active version decides"), transaction(db):
        db.add(decision_row(db, **change))


def test_a_row_is_not_slipped_into_what_is_sealed(db: Session) -> None:
    _decide(db, 2)
    DecisionService(db).seal()
    with pytest.raises(DBAPIError, match="sealed"), transaction(db):
        db.add(decision_row(db, seq=1, id="d-new"))
    with pytest.raises(DBAPIError), transaction(db):
        db.add(decision_row(db, seq=-5, id="d-new"))
    seal = seal_row(id=9, first_seq=2, last_seq=3)
    with pytest.raises(DBAPIError, match="begins after the last one"), transaction(db):
        db.add(seal)


# What verification finds after somebody took the triggers away


@pytest.fixture
def attack(db: Session, store: Any) -> Iterator[Any]:
    """Give a way to run statements past the triggers, which are back afterwards."""

    def run(*statements: str, **values: Any) -> None:
        db.rollback()
        engine = create_engine(store.database_url)
        dialect = engine.dialect.name
        with engine.begin() as connection:
            if dialect == "postgresql":
                connection.execute(text("SET LOCAL session_replication_role = replica"))
                for statement in statements:
                    connection.execute(text(statement), values)
            else:
                kept = connection.execute(
                    text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
                ).all()
                for name, _ in kept:
                    connection.execute(text(f"DROP TRIGGER {name}"))
                for statement in statements:
                    connection.execute(text(statement), values)
                for _, sql in kept:
                    connection.exec_driver_sql(sql)
        engine.dispose()

    return run


@pytest.fixture
def sealed_ids(db: Session) -> list[str]:
    """Record ten decisions: four and three are sealed, three are not."""
    ids = _decide(db, 4)
    DecisionService(db).seal()
    ids += _decide(db, 3)
    DecisionService(db).seal()
    return ids + _decide(db, 3)


def _found(db: Session) -> list[tuple[str, str]]:
    findings = DoctorService(db).examine()["findings"]
    return [(finding["subject"], finding["problem"]) for finding in findings]


def _columns() -> list[str]:
    return [c.name for c in Decision.__table__.columns if c.name not in {"seq", "id", "row_hash"}]


@pytest.mark.slow
@pytest.mark.parametrize("place", [2, 9], ids=["sealed", "not sealed yet"])
def test_an_edit_of_any_column_is_named(
    db: Session, sealed_ids: list[str], attack: Any, place: int
) -> None:
    for column in _columns():
        old = db.scalar(text(f"SELECT {column} FROM decisions WHERE id = :id"),
                        {"id": sealed_ids[place]})  # fmt: skip
        other = old + 1 if isinstance(old, int | float) else "v1 " + old
        if column == "version":
            continue  # a foreign key; the next test changes the hash with it
        attack(f"UPDATE decisions SET {column} = :new WHERE id = :id",
               new=other, id=sealed_ids[place])  # fmt: skip
        with pytest.raises(TamperingError, match=f"decision:{sealed_ids[place]}: it was edited"):
            AuditService(db).verify()
        assert [subject for subject, _ in _found(db)] == [f"decision:{sealed_ids[place]}"]
        with pytest.raises(TamperingError, match="was edited"):
            DecisionService(db).get_decision(sealed_ids[place])
        attack(f"UPDATE decisions SET {column} = :new WHERE id = :id",
               new=old, id=sealed_ids[place])  # fmt: skip
    assert _found(db) == []


def _forge(db: Session, decision_id: str) -> dict[str, Any]:
    """Give a decision with another score, hashed anew as somebody who knows the rules would."""
    query = text("SELECT * FROM decisions WHERE id = :id")
    row = dict(db.execute(query, {"id": decision_id}).mappings().one())
    row.pop("seq"), row.pop("row_hash")
    row["score"] += 100
    written = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {"score": row["score"], "hash": hashlib.sha256(written.encode()).hexdigest(),
            "id": decision_id}  # fmt: skip


FORGE = "UPDATE decisions SET score = :score, row_hash = :hash WHERE id = :id"


def test_an_edit_that_is_hashed_anew_is_named_once_it_was_sealed(
    db: Session, sealed_ids: list[str], attack: Any
) -> None:
    attack(FORGE, **_forge(db, sealed_ids[5]))
    ((subject, problem),) = _found(db)
    assert subject == f"decision:{sealed_ids[5]}"
    assert "its hash is not the one in seal:2" in problem
    with pytest.raises(TamperingError, match="not the one that was sealed"):
        DecisionService(db).prove(sealed_ids[5])


def test_an_edit_of_decision_and_seal_is_found_by_the_root(
    db: Session, sealed_ids: list[str], attack: Any
) -> None:
    forged = _forge(db, sealed_ids[5])
    seal = db.query(DecisionSeal).order_by(DecisionSeal.id).all()[1]
    hashes = bytearray(seal.row_hashes)
    hashes[32:64] = bytes.fromhex(forged["hash"])
    attack(FORGE, **forged)
    attack("UPDATE decision_seals SET row_hashes = :hashes WHERE id = 2", hashes=bytes(hashes))
    assert [subject for subject, _ in _found(db)] == ["seal:2", "seal:2"]
    root = merkle_root(bytes(hashes)[at : at + 32] for at in (0, 32, 64)).hex()
    attack("UPDATE decision_seals SET root = :root WHERE id = 2", root=root)
    assert "root differs from event" in dict(reversed(_found(db)))["seal:2"]
    with pytest.raises(TamperingError, match="seal:2"):
        AuditService(db).verify()
    with pytest.raises(TamperingError, match="root of the event"):
        DecisionService(db).prove(sealed_ids[5])


@pytest.mark.parametrize("number", [1, 3, 4, 6])
def test_a_deleted_decision_is_named_by_its_number(
    db: Session, sealed_ids: list[str], attack: Any, number: int
) -> None:
    attack("DELETE FROM decisions WHERE seq = :number", number=number)
    assert [subject for subject, _ in _found(db)] == [f"decision number {number}"]
    with pytest.raises(TamperingError, match=f"number {number}: it is gone"):
        AuditService(db).verify()


def test_a_deleted_seal_is_named_and_the_event_still_holds_the_decisions(
    db: Session, sealed_ids: list[str], attack: Any
) -> None:
    attack("DELETE FROM decision_seals WHERE id = 1")
    assert {subject for subject, _ in _found(db)} == {"seal:1"}
    attack("DELETE FROM decisions WHERE seq = 2")
    assert "decision number 2" in dict(_found(db))


def test_a_decision_that_is_slipped_in_is_named(
    db: Session, sealed_ids: list[str], attack: Any
) -> None:
    """In the place of a deleted one, and under a number that no commit used."""
    row = decision_row(db, seq=3, id="d-slipped")
    values = {c.name: getattr(row, c.name) for c in Decision.__table__.columns}
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    attack("DELETE FROM decisions WHERE seq = 3",
           f"INSERT INTO decisions ({names}) VALUES ({marks})", **values)  # fmt: skip
    assert [subject for subject, _ in _found(db)] == ["decision:d-slipped"]
