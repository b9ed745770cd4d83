"""A signed checkpoint shows a chain that was written anew, with a public key and nothing else."""

from __future__ import annotations

import hashlib
import io
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
)
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from app.db import open_session, transaction
from app.domain.audit_chain import GENESIS_HASH, ChainLink, event_text, hash_text
from app.errors import (
    AuditChainError,
    CheckpointError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    NotPermittedError,
)
from app.services.audit_service import AuditService, record
from app.services.checkpoint_service import (
    CheckpointService,
    signed_checkpoint,
    verify_exported,
)
from app.settings import get_settings
from tests.support.attack import without_triggers

N_EVENTS = 5


@pytest.fixture
def chain(store_url: str) -> Any:
    with open_session(store_url) as db:
        _record(db, N_EVENTS)
        yield db


def _record(db: Session, n: int) -> None:
    for number in range(n):
        with transaction(db):
            record(
                db, actor="ada", action="test.done", subject="s", payload={"n": number, "t": "é"}
            )


def _keep(folder: Path, signed: dict[str, Any]) -> tuple[Path, Path]:
    """Write what an auditor keeps: the checkpoint and the public key."""
    folder.mkdir(exist_ok=True)
    checkpoint, key = folder / "checkpoint.json", folder / "key.pub"
    checkpoint.write_text(json.dumps(signed))
    key.write_text(signed["public_key"])
    return checkpoint, key


def _exported(db: Session, file: Path) -> Path:
    with file.open("w", encoding="utf-8", newline="\n") as out:
        AuditService(db).export(out)
    return file


def _written_anew(db: Session, url: str) -> None:
    """Write the whole chain anew, head included, with one actor replaced: it is valid in itself."""
    db.rollback()
    engine = create_engine(url)
    with without_triggers(url), engine.begin() as connection:
        last = GENESIS_HASH
        rows = connection.execute(text("SELECT * FROM audit_events ORDER BY seq")).all()
        for row in rows:
            actor = "eve" if row.seq == 3 else row.actor
            link = ChainLink(row.seq, row.at, actor, row.action, row.subject, row.payload, last)
            told, before = event_text(link), last
            last = hash_text(told)
            connection.execute(
                text("UPDATE audit_events SET actor = :actor, previous_hash = :before, "
                     "hash = :hash, hashed_text = :told WHERE seq = :seq"),
                {"actor": actor, "before": before, "hash": last, "told": told, "seq": row.seq},
            )  # fmt: skip
        connection.execute(text("UPDATE audit_head SET hash = :hash"), {"hash": last})
    engine.dispose()


def test_a_checkpoint_holds_while_events_come_after_it(chain: Session, tmp_path: Path) -> None:
    signed = CheckpointService(chain, actor="ada").sign()
    _record(chain, 2)
    checkpoint = signed_checkpoint(*_keep(tmp_path / "kept", signed))
    result = AuditService(chain).verify(checkpoint=checkpoint)
    assert result["n_events"] == N_EVENTS + 4  # the key, the checkpoint, and two
    assert result["checkpoint"]["seq"] == N_EVENTS + 1
    assert result["checkpoint"]["n_events_since"] == 3
    assert result["checkpoint"]["head"] == signed["head"]


def test_a_checkpoint_is_on_record_with_its_key(chain: Session) -> None:
    signed = CheckpointService(chain, actor="ada").sign()
    newest, before = AuditService(chain).list_events(limit=2)
    assert (newest["action"], newest["actor"]) == ("audit.checkpoint_signed", "ada")
    assert newest["seq"] == signed["event_seq"]
    assert newest["payload"] == {name: signed[name] for name in ("signed_text", "signature")}
    assert (before["action"], before["seq"]) == ("audit.key_added", signed["seq"])
    assert before["payload"]["public_key"] == signed["public_key"]
    again = CheckpointService(chain).sign()
    assert (again["key"], again["created_key"]) == (signed["key"], False)
    assert len(AuditService(chain).list_events(action="audit.key_added")) == 1


def test_the_key_is_its_owners_file(chain: Session) -> None:
    CheckpointService(chain).sign()
    place = get_settings().audit_key
    assert place == get_settings().home / "audit_key.pem"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    place.chmod(0o640)
    with pytest.raises(NotPermittedError, match="chmod 600"):
        CheckpointService(chain).sign()


def test_others_check_a_checkpoint_and_an_export_without_this_program(
    chain: Session, tmp_path: Path
) -> None:
    """The recipe of docs/store.md, with SHA-256, JSON and Ed25519 only."""
    signed = CheckpointService(chain).sign()
    key: Any = load_pem_public_key(signed["public_key"].encode())
    key.verify(bytes.fromhex(signed["signature"]), signed["signed_text"].encode())
    told = json.loads(signed["signed_text"])
    previous, hashes = "0" * 64, []
    lines = _exported(chain, tmp_path / "e.jsonl").read_text("utf-8").split("\n")
    for seq, line in enumerate(lines[:-1], start=1):
        event = json.loads(line)
        assert hashlib.sha256(event["hashed_text"].encode()).hexdigest() == event["hash"]
        content = json.loads(event["hashed_text"])
        assert (content["seq"], content["previous_hash"]) == (seq, previous)
        previous = event["hash"]
        hashes.append(previous)
    assert hashes[told["seq"] - 1] == told["head"]
    assert told["store"] == hashes[0]


def test_a_chain_written_anew_verifies_in_itself_but_not_against_a_checkpoint(
    chain: Session, store_url: str, tmp_path: Path
) -> None:
    signed = CheckpointService(chain).sign()
    checkpoint = signed_checkpoint(*_keep(tmp_path / "kept", signed))
    _written_anew(chain, store_url)
    assert AuditService(chain).verify()["verified"]
    with pytest.raises(AuditChainError, match="not the one that was signed") as caught:
        AuditService(chain).verify(checkpoint=checkpoint)
    assert caught.value.facts["seq"] == signed["seq"]
    forged = _exported(chain, tmp_path / "e.jsonl")
    assert verify_exported(forged)["verified"]
    with pytest.raises(AuditChainError, match="not the one that was signed"):
        verify_exported(forged, checkpoint)


def test_a_tail_that_was_cut_with_its_head_shows_against_a_checkpoint(
    chain: Session, store_url: str, tmp_path: Path
) -> None:
    signed = CheckpointService(chain).sign()
    checkpoint = signed_checkpoint(*_keep(tmp_path / "kept", signed))
    chain.rollback()
    engine = create_engine(store_url)
    with without_triggers(store_url), engine.begin() as connection:
        connection.execute(text("DELETE FROM audit_events WHERE seq > 4"))
        connection.execute(
            text("UPDATE audit_head SET seq = 4, "
                 "hash = (SELECT hash FROM audit_events WHERE seq = 4)")
        )  # fmt: skip
    engine.dispose()
    assert AuditService(chain).verify()["n_events"] == 4
    for check in (
        lambda: AuditService(chain).verify(checkpoint=checkpoint),
        lambda: verify_exported(_exported(chain, tmp_path / "e.jsonl"), checkpoint),
    ):
        with pytest.raises(AuditChainError, match="event 5 is gone: 6 events were signed"):
            check()


def test_another_stores_checkpoint_is_told_apart(
    chain: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.db import upgrade  # noqa: PLC0415 - a second store is rare

    other_url = f"sqlite:///{tmp_path / 'other.db'}"
    upgrade(other_url)
    with open_session(other_url) as other:
        _record(other, N_EVENTS)
        signed = CheckpointService(other).sign()
    _record(chain, 5)
    checkpoint = signed_checkpoint(*_keep(tmp_path / "kept", signed))
    with pytest.raises(AuditChainError, match="another store's") as caught:
        AuditService(chain).verify(checkpoint=checkpoint)
    assert caught.value.facts["seq"] == 1


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_every_changed_byte_of_a_checkpoint_is_found(chain: Session, tmp_path: Path) -> None:
    signed = CheckpointService(chain).sign()
    file, key = _keep(tmp_path / "kept", {**signed, "public_key": signed["public_key"]})
    parts = {name: signed[name] for name in ("signed_text", "signature")}
    whole = json.dumps(parts).encode()
    for place in range(len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises((CheckpointError, InvalidInputError)):
            signed_checkpoint(file, key)
    file.write_bytes(whole)
    assert signed_checkpoint(file, key).seq == signed["seq"]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_another_key_proves_nothing(chain: Session, tmp_path: Path) -> None:
    first = CheckpointService(chain).sign()
    second = CheckpointService(chain, key_file=tmp_path / "other.pem").sign(new_key=True)
    assert len(AuditService(chain).list_events(action="audit.key_added")) == 2
    file, _ = _keep(tmp_path / "kept", first)
    _, key = _keep(tmp_path / "other", second)
    with pytest.raises(CheckpointError, match="was signed with the key") as caught:
        signed_checkpoint(file, key)
    assert first["key"] in caught.value.message
    assert second["key"] in caught.value.message


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_signature_of_the_key_on_something_else_is_no_checkpoint(tmp_path: Path, chain) -> None:
    signed = CheckpointService(chain).sign()
    pem = get_settings().audit_key.read_bytes()
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - one test
        load_pem_private_key,
    )

    private: Any = load_pem_private_key(pem, None)
    told = json.dumps({**json.loads(signed["signed_text"]), "kind": "something else"})
    other = {"signed_text": told, "signature": private.sign(told.encode()).hex()}
    with pytest.raises(CheckpointError, match="no checkpoint"):
        signed_checkpoint(*_keep(tmp_path / "kept", {**signed, **other}))


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_key_that_is_gone_is_not_replaced_in_silence(chain: Session) -> None:
    first = CheckpointService(chain).sign()
    with pytest.raises(ConflictError, match="never overwritten"):
        CheckpointService(chain).sign(new_key=True)
    get_settings().audit_key.unlink()
    n_events = AuditService(chain).verify()["n_events"]
    with pytest.raises(NotFoundError, match=first["key"]):
        CheckpointService(chain).sign()
    assert not get_settings().audit_key.exists()
    assert AuditService(chain).verify()["n_events"] == n_events
    second = CheckpointService(chain).sign(new_key=True)
    assert second["created_key"]
    assert second["key"] != first["key"]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_chain_that_does_not_hold_is_not_signed(chain: Session, store_url: str) -> None:
    chain.rollback()
    engine = create_engine(store_url)
    with without_triggers(store_url), engine.begin() as connection:
        connection.execute(text("UPDATE audit_events SET actor = 'eve' WHERE seq = 2"))
    engine.dispose()
    with pytest.raises(AuditChainError, match="event 2"):
        CheckpointService(chain).sign()
    with pytest.raises(AuditChainError, match="event 2"):
        AuditService(chain).export(io.StringIO())
    assert not get_settings().audit_key.exists()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("content", ["nonsense", "rsa", "password"])
def test_a_file_that_is_no_signing_key_is_refused(chain: Session, tmp_path: Path, content) -> None:
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - one test
        BestAvailableEncryption,
    )

    key: Any = (
        generate_private_key(65537, 2048) if content == "rsa" else Ed25519PrivateKey.generate()
    )
    lock = BestAvailableEncryption(b"x") if content == "password" else NoEncryption()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    file = tmp_path / "key.pem"
    file.write_bytes(b"nonsense" if content == "nonsense" else pem)
    file.chmod(0o600)
    with pytest.raises(InvalidInputError):
        CheckpointService(chain, key_file=file).sign()
