"""Checkpoints, exports and their proof, as an auditor types them; offline means without a store."""

from __future__ import annotations

import json
import sqlite3

import pytest

from tests.cli.command_line import in_a_process


@pytest.fixture
def kept(chancellor, tmp_path):
    """Initialise a store and hand an auditor a checkpoint, the public key and an export."""
    chancellor("init", "--actor", "ada")
    checkpoint, key = tmp_path / "march.json", tmp_path / "audit_key.pub"
    signed = chancellor("audit", "checkpoint", "--out", checkpoint, "--actor", "ada")
    assert "Keep" in signed.out
    assert "was created for it" in signed.out
    assert "Wrote the public key" in chancellor("audit", "public-key", "--out", key).out
    return checkpoint, key


def _edit(home, statement):
    """Edit the chain past its triggers."""
    connection = sqlite3.connect(home / "chancellor.db")
    for (name,) in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit%'"
    ).fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_an_auditor_proves_the_store_and_an_export(chancellor, kept, tmp_path):
    checkpoint, key = kept
    words = ("audit", "verify", "--checkpoint", checkpoint, "--public-key", key)
    assert "It is the one that was signed" in chancellor(*words).out
    events = tmp_path / "events.jsonl"
    exported = chancellor.json("audit", "export", "--out", events)
    lines = events.read_text(encoding="utf-8").split("\n")[:-1]
    assert exported["n_events"] == len(lines)
    assert json.loads(lines[-1])["hash"] == exported["head"]
    assert chancellor("audit", "export").out.split("\n")[:-1] == lines
    offline = in_a_process(
        *words, "--events", events, "--json", CHANCELLOR_HOME=str(tmp_path / "nowhere")
    )
    assert offline.code == 0
    assert offline.document["checkpoint"]["n_events_since"] == 1
    assert not (tmp_path / "nowhere").exists()


def test_a_changed_export_is_named_offline(chancellor, kept, tmp_path, monkeypatch):
    checkpoint, key = kept
    events = tmp_path / "events.jsonl"
    chancellor("audit", "export", "--out", events)
    monkeypatch.setenv("CHANCELLOR_HOME", str(tmp_path / "nowhere"))
    lines = events.read_text(encoding="utf-8").split("\n")
    words = ("audit", "verify", "--events", events)
    for changed, seq in (
        ([*lines[:2], lines[2].replace("ada", "eve"), *lines[3:]], 3),
        ([*lines[:1], *lines[2:]], 2),
        (lines[1:], 1),
        ([lines[0], "{}", *lines[2:]], 2),
    ):
        events.write_text("\n".join(changed), encoding="utf-8")
        assert chancellor.json(*words, code=7)["error"]["facts"]["seq"] == seq
    events.write_text("\n".join([*lines[:2], ""]), encoding="utf-8")
    assert chancellor.json(*words)["n_events"] == 2  # whole in itself: only a checkpoint tells
    cut = chancellor.json(*words, "--checkpoint", checkpoint, "--public-key", key, code=7)
    assert cut["error"]["facts"]["seq"] == 3


def test_a_checkpoint_of_another_key_or_with_another_text_is_refused(chancellor, kept, tmp_path):
    checkpoint, key = kept
    words = ("audit", "verify", "--checkpoint", checkpoint, "--public-key", key)
    document = json.loads(checkpoint.read_text())
    document["signed_text"] = document["signed_text"].replace('"seq":', '"seq":1')
    checkpoint.write_text(json.dumps(document))
    assert chancellor.json(*words, code=7)["error"]["code"] == "checkpoint"
    checkpoint.write_text("nonsense")
    assert chancellor.json(*words, code=3)["error"]["code"] == "invalid_input"
    key.write_text("nonsense")
    chancellor(*words, code=3)
    checkpoint.unlink()
    key.unlink()
    chancellor(*words, code=5)


def test_half_of_a_proof_is_a_usage_error(chancellor, kept):
    checkpoint, key = kept
    chancellor("audit", "verify", "--checkpoint", checkpoint, code=2)
    chancellor("audit", "verify", "--public-key", key, code=2)
    chancellor("audit", "export", "--json", code=2)


def test_no_file_is_left_of_an_export_that_does_not_hold(chancellor, kept, home, tmp_path):
    _edit(home, "UPDATE audit_events SET actor = 'eve' WHERE seq = 2")
    error = chancellor.json("audit", "export", "--out", tmp_path / "e.jsonl", code=7)["error"]
    assert error["facts"]["seq"] == 2
    assert [path.name for path in tmp_path.glob("*e.jsonl*")] == []
    assert chancellor.json("audit", "checkpoint", code=7)["error"]["code"] == "audit_chain"


def test_events_are_listed_by_time(chancellor, kept):
    listed = chancellor.json("audit", "list")
    first, last = listed[-1]["at"], listed[0]["at"]
    assert chancellor.json("audit", "list", "--since", first, "--until", last) == listed
    assert chancellor.json("audit", "list", "--since", last) == listed[:1]
    assert chancellor.json("audit", "list", "--until", first) == listed[-1:]
    assert chancellor.json("audit", "list", "--until", first[:10], "--since", first[:10]) == [
        event for event in listed if event["at"][:10] == first[:10]
    ]
    assert chancellor.json("audit", "list", "--since", "2999-01-01") == []
    assert chancellor.json("audit", "list", "--since", "soon", code=3)["error"]["facts"] == {
        "value": "soon"
    }


def test_a_payload_that_is_no_json_is_named_where_it_is_listed(chancellor, kept, home):
    _edit(home, "UPDATE audit_events SET payload = 'nonsense' WHERE seq = 2")
    assert chancellor.json("audit", "list", code=7)["error"]["facts"] == {"seq": 2}


@pytest.mark.parametrize("command", [("audit", "verify"), ("audit", "list"), ("doctor",)])
def test_a_damaged_database_is_said_to_be_damaged(chancellor, kept, home, command):
    file = home / "chancellor.db"
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (root,) = connection.execute(
        "SELECT rootpage FROM sqlite_master WHERE name = 'audit_events'"
    ).fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    content = bytearray(file.read_bytes())
    content[(root - 1) * size : (root - 1) * size + 12] = b"\xff" * 12  # the page's header
    file.write_bytes(content)
    ran = in_a_process(*command, CHANCELLOR_HOME=str(home))
    assert ran.code == 7, ran
    assert "Traceback" not in ran.err
    assert "malformed" in ran.out + ran.err
