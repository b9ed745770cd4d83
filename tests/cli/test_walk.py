"""The way from a file to an activated version, through the shell, as a person and as a program."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from tests.cli.command_line import in_a_process
from tests.cli.conftest import import_batch, import_outcomes
from tests.support.small_portfolio import THROUGH


def test_from_init_to_rollback(chancellor, with_portfolio, tmp_path):
    files = with_portfolio()

    labels = chancellor("labels", "generate", "B1", "--actor", "ada").out
    assert labels.startswith("1,500 of 1,500 parties are labelled, 33.6 % of them bad")
    assert "✓ pass" in labels

    trained = chancellor("train", "B1", "--actor", "ada").out
    assert trained.startswith("Adopt: ")
    assert "out of time" in trained

    model_id = chancellor.json("models", "list")[0]["model_id"]
    assert model_id in chancellor("models", "list").out
    shown = chancellor("models", "show", model_id).out
    assert "Coefficients" in shown
    assert "content hash" in shown

    drafted = chancellor("refine", model_id, "--actor", "ada").out
    assert "ml_v2 refines v1" in drafted
    assert "chancellor versions compare v1 ml_v2" in drafted

    compared = chancellor("versions", "compare", "v1", "ml_v2", "--cut-off", 650).out
    for part in ("Weights", "Ranking on", "Band shares", "Band migration", "Swap set",
                 "Approving from a score of 650", "Gates: 9 pass"):  # fmt: skip
        assert part in compared

    version = chancellor.json("versions", "show", "ml_v2")
    assert version["review_hash"] in chancellor("versions", "show", "ml_v2").out
    stale = chancellor.json(
        "versions", "approve", "ml_v2", "--reason", "x", "--expected-hash", "0" * 64, code=6
    )
    assert stale["error"]["code"] == "stale_content"
    approved = chancellor(
        "versions", "approve", "ml_v2", "--reason", "gain holds", "--actor", "bob",
        "--expected-hash", version["review_hash"],
    ).out  # fmt: skip
    assert "ml_v2 is now approved" in approved
    activated = chancellor("versions", "activate", "ml_v2", "--actor", "bob").out
    assert "in place of v1" in activated
    assert chancellor.json("versions", "activate", "ml_v2", code=6)["error"]["code"] == "transition"

    now = datetime.now(UTC).isoformat()
    assert chancellor("versions", "at", now).out.startswith("ml_v2 was active at")
    out = tmp_path / "scored.parquet"
    scored = chancellor.json("score", files.batch, "--out", out)
    assert (scored["version"], scored["n_rows"]) == ("ml_v2", 1500)
    assert pq.read_table(out).num_rows == 1500
    by_v1 = chancellor("score", files.batch, "--out", tmp_path / "v1.csv", "--version", "v1").out
    assert by_v1.startswith("1,500 rows scored with v1")

    rolled = chancellor("versions", "rollback", "v1", "--reason", "bad rates rose").out
    assert rolled.startswith("v1 is active since")
    assert [one["status"] for one in chancellor.json("versions", "list")] == ["active", "inactive"]

    events = chancellor.json("audit", "list", "--subject", "version:ml_v2", "--by", "bob")
    assert {event["action"] for event in events} == {"version.approved", "version.activated"}
    assert "version.rolled_back" in chancellor("audit", "list").out
    assert chancellor.json("audit", "verify")["verified"]
    assert chancellor("audit", "verify").out.startswith("The audit chain holds")
    assert chancellor.json("doctor")["healthy"]
    assert "The store is healthy" in chancellor("doctor").out


def test_init_says_where_the_store_is_and_what_four_eyes_are_worth(chancellor, home):
    shown = chancellor("init").out
    assert str(home) in shown
    assert "allow_self_review: true" in shown
    assert "four eyes are only as strong as the accounts" in shown
    assert chancellor.json("init", code=6)["error"]["code"] == "conflict"


def test_importing_twice_changes_nothing_and_withdrawing_stays_on_record(
    chancellor, with_portfolio
):
    files = with_portfolio()
    assert "nothing changed" in chancellor(*import_batch(files)).out
    assert "nothing changed" in chancellor(*import_outcomes(files)).out
    assert f"write_off {THROUGH}" in chancellor("outcomes", "list").out
    assert "B1" in chancellor("batch", "list").out
    assert "Columns" in chancellor("batch", "show", "B1").out

    imported = chancellor.json("outcomes", "list")[0]["import_id"]
    chancellor("outcomes", "withdraw", imported, "--reason", "cut short")
    assert "withdrawn" in chancellor("outcomes", "list").out
    gone = chancellor("batch", "withdraw", "B1", "--reason", "wrong month").out
    assert "B1 is withdrawn: wrong month" in gone
    assert "Withdrawn: wrong month" in chancellor("batch", "show", "B1").out
    assert chancellor("labels", "generate", "B1", code=6).err


def test_exposures_and_final_flags_become_labels(chancellor, with_portfolio, tmp_path):
    files = with_portfolio(n=400)
    granted = chancellor("exposures", "import", files.batch, "--party-id", "party").out
    assert "400 parties were granted credit" in granted

    lines = files.batch.read_text(encoding="utf-8").splitlines()
    flags = tmp_path / "flags.csv"
    flagged = [line.split(",")[0] + ("," + "GB"[n % 3 == 0]) for n, line in enumerate(lines[1:])]
    flags.write_text("\n".join(["party,flag", *flagged]), encoding="utf-8")
    words = ("outcomes", "import-flags", flags, "--batch", "B1", "--party-id", "party",
             "--flag", "flag", "--bad", "B")  # fmt: skip
    assert "400 parties of B1 are flagged, 134 of them bad" in chancellor(*words).out
    labels = chancellor.json("labels", "generate", "B1", "--outcome", "final_flag")
    assert (labels["n_bad"], labels["n_good"]) == (134, 266)
    shown = chancellor("labels", "generate", "B1", "--outcome", "final_flag").out
    assert "not flagged yet" in shown
    assert "window" not in shown
    assert "34" in chancellor("batch", "show", "B1").out


def test_policies_and_definitions(chancellor, with_portfolio, tmp_path):
    with_portfolio(n=200)
    policy = tmp_path / "policy.yaml"
    policy.write_text("min_auc_roc: 0.65\nallow_self_review: false\n", encoding="utf-8")
    assert "allow_self_review: false" in chancellor("policy", "set", policy).out
    assert "nothing changed" in chancellor("policy", "set", policy).out
    assert chancellor.json("policy", "show")["content"]["min_auc_roc"] == 0.65
    policy.write_text("min_auc: 0.65\n", encoding="utf-8")
    assert "min_auc" in chancellor("policy", "set", policy, code=3).err
    policy.write_text("[1, 2]", encoding="utf-8")
    assert "mapping" in chancellor("policy", "set", policy, code=3).err
    policy.write_bytes(b"a: \xff")
    assert "UTF-8" in chancellor("policy", "set", policy, code=3).err

    definition = tmp_path / "write_off.yaml"
    definition.write_text("name: write_off\nbad: [{event_type: write_off}]\n", encoding="utf-8")
    assert "write_off version 1 is added" in chancellor("definitions", "add", definition).out
    assert "already there" in chancellor("definitions", "add", definition).out
    assert "write_off" in chancellor("definitions", "list").out
    chancellor("labels", "generate", "B1", "--outcome", "write_off")


def test_a_persons_version_is_compared_and_rejected(chancellor, with_portfolio, tmp_path):
    files = with_portfolio(n=400)
    chancellor("labels", "generate", "B1")
    card = tmp_path / "new.yaml"
    text = files.card.read_text(encoding="utf-8").replace("weight: 50", "weight: 45")
    card.write_text(text, encoding="utf-8")
    added = chancellor("versions", "add", card, "--note", "less a").out
    assert "v2 is filed as a draft" in added
    compared = chancellor("versions", "compare", "v1", "v2").out
    assert "Not available" in compared
    assert "In-sample" in compared
    rejected = chancellor("versions", "reject", "v2", "--reason", "not enough").out
    assert "v2 is now rejected" in rejected
    assert "rejected" in chancellor("versions", "show", "v2").out
    card.write_text(text.replace("weight: 45", "weight: -1"), encoding="utf-8")
    refused = chancellor.json("versions", "add", card, code=3)
    assert refused["error"]["facts"]["place"].startswith("features.a")


@pytest.mark.slow
def test_the_pipeline_prints_the_same_document_whether_a_gate_failed_or_not(
    chancellor, with_portfolio
):
    with_portfolio("does not rank")
    failed = chancellor.json("pipeline", "run", "B1", code=4)
    assert failed["gate_failed"]
    assert failed["advice"] == "keep"
    refused = chancellor.json("refine", failed["stages"]["model"]["model_id"], code=4)
    assert refused["error"]["code"] == "quality_gate"
    assert {gate["gate"] for gate in refused["error"]["facts"]["verdicts"]} >= {"auc_roc"}
    trained = chancellor.json("train", "B1", code=4)
    assert trained["gates"] == failed["stages"]["model"]["gates"]
    shown = chancellor("pipeline", "run", "B1", code=4).out
    assert shown.startswith("A gate failed, so there is no draft. Keep: ")
    assert "✗ fail" in shown


@pytest.mark.slow
def test_gates_that_stop_a_training_stand_one_on_a_line(chancellor, with_portfolio):
    with_portfolio(n=60)
    ran = chancellor("pipeline", "run", "B1", code=4).out
    assert ran.startswith("A gate failed on the labels, so no model was registered.\n")
    assert ran.count("60 parties are labelled; at least 100 are needed.") == 1
    chancellor("labels", "generate", "B1")
    refused = chancellor("train", "B1", code=4).err.splitlines()
    assert refused[0] == "Error: training stops, nothing was registered"
    assert refused[1] == "  sample_size failed: 60 parties are labelled; at least 100 are needed."


@pytest.mark.slow
def test_keep_is_no_error_and_despite_advice_is_on_the_record(chancellor, with_portfolio):
    with_portfolio("keeps")
    kept = chancellor("pipeline", "run", "B1", "--actor", "ada").out
    assert kept.startswith("There is no draft. Keep: ")
    model_id = chancellor.json("models", "list")[0]["model_id"]
    assert chancellor.json("refine", model_id)["status"] == "no_draft"
    assert "the weights stay as they are" in chancellor("refine", model_id).out
    trained = chancellor("train", "B1").out
    assert "--despite-advice" in trained
    chancellor("refine", model_id, "--despite-advice", "--actor", "carl", code=None)
    drafts = [one for one in chancellor.json("versions", "list") if one["model_id"] == model_id]
    assert all(one["despite_advice"] for one in drafts)


def test_a_run_that_failed_on_bad_input_has_its_exit_code(chancellor, with_portfolio):
    with_portfolio(n=400)
    assert chancellor.json("pipeline", "run", "B9", code=5)["error"]["code"] == "not_found"
    failed = chancellor.json("pipeline", "run", "B1", "--base", "v9", code=5)
    assert failed["status"] == "failed"
    assert "The run failed" in chancellor("pipeline", "run", "B1", "--outcome", "score", code=3).out


@pytest.mark.parametrize("when", ["yesterday", "2026-13-01"])
def test_a_time_that_is_none_is_bad_input(chancellor, with_portfolio, when):
    with_portfolio(n=200)
    assert "is not a time" in chancellor("versions", "at", when, code=3).err
    assert chancellor("versions", "at", "2001-01-01", code=5).err


def test_a_bare_date_is_the_end_of_that_day(chancellor):
    chancellor("init")
    today = datetime.now(UTC).date()
    words = f"v1 was active at the end of {today} ({today} 23:59:59 UTC), since "
    assert chancellor("versions", "at", today).out.startswith(words)
    found = chancellor.json("versions", "at", today)
    assert (found["at"], found["end_of_day"]) == (f"{today}T23:59:59.999999+00:00", True)
    assert chancellor.json("versions", "at", f"{today}T00:00", code=5)
    assert "last moment of that day" in " ".join(chancellor("versions", "at", "--help").out.split())


def test_an_empty_store_says_how_to_get_the_first_of_everything(chancellor):
    chancellor("init")
    for group, command in (("batch", "batch import"), ("outcomes", "outcomes import"),
                           ("models", "train")):  # fmt: skip
        assert f"chancellor {command}" in chancellor(group, "list").out
        assert chancellor.json(group, "list") == []


@pytest.mark.slow
def test_as_a_process_results_go_to_stdout_and_messages_to_stderr(with_portfolio):
    with_portfolio()
    ran = in_a_process("pipeline", "run", "B1", "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["version"] == "ml_v2"
    assert "\x1b" not in ran.out + ran.err
    assert "dagster" not in ran.err.lower()
    missing = in_a_process("versions", "show", "v9", "--json")
    assert missing.code == 5
    assert json.loads(missing.out)["error"]["facts"]["known"] == ["v1", "ml_v2"]
    assert missing.err == ""
