"""Approvals taken back, emergencies and the rights of the service's role, from the shell."""

from __future__ import annotations

from pathlib import Path

import yaml

from app.domain.scorecard import default_card
from tests.cli.command_line import CommandLine


def _draft(chancellor: CommandLine, tmp_path: Path) -> None:
    card = default_card().with_weights({"kyc_verified": 13.0, "has_tax_id": 12.0})
    file = tmp_path / "card.yaml"
    file.write_text(yaml.safe_dump(card.to_document(), sort_keys=False), encoding="utf-8")
    chancellor("init")
    chancellor("versions", "add", file, "--actor", "ada")


def test_an_approval_is_taken_back(chancellor: CommandLine, tmp_path: Path) -> None:
    _draft(chancellor, tmp_path)
    by = ("--actor", "grace", "--reason")
    chancellor("versions", "approve", "v2", *by, "fine")
    back = chancellor("versions", "withdraw-approval", "v2", *by, "not so fine").out
    assert "it is now draft, with 0 of 1 approval" in back
    assert "approve, withdrawn" in chancellor("versions", "show", "v2").out
    chancellor("versions", "withdraw-approval", "v2", *by, "again", code=6)


def test_an_emergency_is_shown_until_it_is_acknowledged(
    chancellor: CommandLine, tmp_path: Path
) -> None:
    _draft(chancellor, tmp_path)
    chancellor("versions", "activate", "v2", "--actor", "grace")
    done = chancellor(
        "versions", "rollback", "v1", "--emergency", "--actor", "ops", "--reason", "at night"
    )
    assert "without an approver" in done.out
    warning = "ops rolled back to v1 in an emergency"
    today = chancellor.json("versions", "list")[0]["activated_at"][:10]
    for words in (("versions", "list"), ("versions", "at", today), ("doctor",)):
        assert warning in " ".join(chancellor(*words).out.split())
    acknowledge = ("versions", "acknowledge-emergency", "--reason", "it was right", "--actor")
    chancellor(*acknowledge, "ops", code=6)
    assert (
        "grace acknowledged the emergency rollback to v1" in chancellor(*acknowledge, "grace").out
    )
    for words in (("versions", "list"), ("versions", "at", today), ("doctor",)):
        assert warning not in " ".join(chancellor(*words).out.split())


def test_rights_are_printed_as_sql(chancellor: CommandLine) -> None:
    lines = chancellor("store", "grants", "--role", "service").out.splitlines()
    assert 'GRANT SELECT, INSERT ON "public".audit_events TO "service";' in lines
    assert all(line.endswith(";") for line in lines)
    assert not [line for line in lines if "DELETE" in line or "TRUNCATE" in line]


def test_what_is_logged_beside_a_result_leaves_stdout_to_the_result(
    chancellor: CommandLine, tmp_path: Path
) -> None:
    _draft(chancellor, tmp_path)
    chancellor("versions", "activate", "v2", "--actor", "grace")
    done = chancellor("versions", "rollback", "v1", "--emergency", "--reason", "at night", "--json")
    assert done.document["kind"] == "emergency_rollback"
    assert "emergency rollback" in done.err
