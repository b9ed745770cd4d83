"""Training and drafting through the services, on both databases."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, text

from app.db import open_session, transaction
from app.db.triggers import trigger_definitions
from app.domain.scorecard import load_scorecard
from app.errors import (
    BaselineError,
    ConflictError,
    FileHashError,
    NotFoundError,
    OpenTransactionError,
    QualityGateError,
    TamperingError,
)
from app.models import Batch, ModelRegistry, ScorecardVersion, Verdict
from app.services.audit_service import AuditService
from app.services.batch_service import BatchService
from app.services.doctor import DoctorService
from app.services.label_generation_service import LabelGenerationService
from app.services.model_training_service import ModelTrainingService
from app.services.outcome_service import OutcomeService
from app.services.policy_service import PolicyService
from app.services.scorecard_version_service import ScorecardVersionService
from app.services.store import initialise_store
from app.settings import get_settings

CARD = """\
name: Four features
range: {min: 300, max: 900}
bands: {poor: 300, fair: 600, good: 700}
features:
  a: {weight: 40, transform: {kind: linear, worst: 0, best: 1}, missing: 0.5}
  b: {weight: 30, transform: {kind: linear, worst: 0, best: 1}, missing: 0.5}
  c: {weight: 20, transform: {kind: linear, worst: 0, best: 1}, missing: 0.5}
  d: {weight: 10, transform: {kind: linear, worst: 0, best: 1}, missing: 0.5}
"""
ADOPTS = (1.0, 4.0, 1.0, 3.0)
RIGHT = (2.4, 1.8, 1.2, 0.6)
BACKWARDS = (-4.0, -3.0, -2.0, -1.0)


@pytest.fixture
def db(store_url):
    """Initialise a store with the small card, on each database, and open a session."""
    initialise_store(card=load_scorecard(CARD), actor="analyst")
    with open_session(store_url) as session:
        yield session


def rows_of(n=1200, truth=ADOPTS, seed=3, shift=0.0, first=0, days=1):
    """Give rows (party, date, a, b, c, d, flag) with the truth in log-odds of being good."""
    generator = np.random.default_rng(seed)
    values = generator.uniform(size=(n, 4)).round(4)
    log_odds = -1.1 + shift - (values - 0.5) @ np.array(truth)
    bad = generator.uniform(size=n) < 1 / (1 + np.exp(-log_odds))
    start = date(2024, 1, 1)
    return [
        [
            f"P{first + i:05d}",
            str(start + timedelta(days=int(i * days / n))),
            *values[i],
            int(bad[i]),
        ]
        for i in range(n)
    ]


def write(path: Path, rows) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["party", "on", "a", "b", "c", "d", "flag"])
        writer.writerows(rows)
    return path


def load(db, tmp_path, rows, batch_id="B1"):
    """Import rows as a batch with final flags, and label it."""
    file = write(tmp_path / f"{batch_id}.csv", rows)
    BatchService(db, actor="analyst").import_file(
        file, batch_id=batch_id, party_id="party", scored_at="on"
    )
    OutcomeService(db, actor="analyst").import_flags(
        file, batch_id=batch_id, party_id="party", flag="flag", bad="1"
    )
    return LabelGenerationService(db, actor="analyst").generate_labels(
        batch_id, outcome_type="final_flag"
    )


def exactly(rows, n_bad):
    """Set n_bad flags: the parties of lowest expert score, and the two of the highest."""
    order = np.argsort([np.dot(row[2:6], (40, 30, 20, 10)) for row in rows])
    for place, index in enumerate(order):
        rows[index][6] = int(place < n_bad - 2 or place >= len(rows) - 2)
    return rows


def train(db, batch_id="B1", **options):
    return ModelTrainingService(db, actor="analyst").train_model(batch_id=batch_id, **options)


def refine(db, model_id, **options):
    return ScorecardVersionService(db, actor="analyst").refine_from_model(
        model_id=model_id, **options
    )


def failed_gates(error) -> list[str]:
    return [verdict["gate"] for verdict in error.verdicts if verdict["verdict"] == "fail"]


@pytest.mark.parametrize(
    ("n", "n_bad", "failed"),
    [(99, 20, "sample_size"), (1000, 30, "default_rate"), (1000, 600, "default_rate")],
)
def test_a_failed_data_gate_registers_nothing_and_keeps_the_verdicts(
    db, tmp_path, n, n_bad, failed
):
    load(db, tmp_path, exactly(rows_of(n), n_bad))
    with pytest.raises(QualityGateError, match=failed) as refusal:
        train(db)
    assert failed_gates(refusal.value) == [failed]
    assert db.query(ModelRegistry).count() == 0
    stored = db.scalars(select(Verdict).where(Verdict.verdict == "fail")).all()
    assert failed in {verdict.gate for verdict in stored}
    assert AuditService(db).list_events(action="verdicts.stored")


def test_bad_only_is_refused(db, tmp_path):
    rows = rows_of(300)
    for row in rows:
        row[6] = 1
    load(db, tmp_path, rows)
    with pytest.raises(QualityGateError, match="default_rate"):
        train(db)


def test_good_only_is_refused(db, tmp_path):
    file = write(tmp_path / "b.csv", rows_of(300))
    nothing = tmp_path / "events.csv"
    nothing.write_text("party,day\nSOMEBODY ELSE,2024-03-01\n")
    BatchService(db, actor="analyst").import_file(
        file, batch_id="B1", party_id="party", scored_at="on"
    )
    OutcomeService(db, actor="analyst").import_events(
        nothing, party_id="party", event_date="day", event_type="write_off", through="2025-01-01"
    )
    labels = LabelGenerationService(db, actor="analyst").generate_labels("B1")
    assert (labels["n_good"], labels["n_bad"]) == (300, 0)
    with pytest.raises(QualityGateError, match="default_rate"):
        train(db)


def test_an_expert_who_ranks_backwards_stops_the_training(db, tmp_path):
    load(db, tmp_path, rows_of(1200, BACKWARDS))
    with pytest.raises(QualityGateError, match="expert_ranks failed"):
        train(db)


def test_a_hundred_labels_with_five_bads_train_and_ask_for_acknowledgement(db, tmp_path):
    load(db, tmp_path, exactly(rows_of(100), 5))
    found = train(db)
    verdicts = {gate["gate"]: gate["verdict"] for gate in found["gates"]}
    assert verdicts["auc_roc"] in {"insufficient evidence", "fail"}
    assert found["n_bad"] == 5
    assert found["advice"] in {"keep", "wait"}


@pytest.mark.slow
def test_parties_repeated_over_pooled_batches_count_once(db, tmp_path):
    once = rows_of(600)
    load(db, tmp_path, once, "B1")
    load(db, tmp_path, [[row[0], "2024-02-01", *row[2:]] for row in once], "B2")
    found = train(db, ["B1", "B2"])
    alone = train(db, "B1")
    assert found["n_labelled"] == alone["n_labelled"] == 600
    assert found["n_bad"] == alone["n_bad"]
    assert found["label_set_ids"] != alone["label_set_ids"]
    pooled, single = (m["metrics"]["auc_roc_se"] for m in (found, alone))
    assert pooled > 0.85 * single  # the same evidence twice is not twice the evidence


@pytest.mark.parametrize("kind", ["constant", "collinear", "missing"])
def test_what_the_data_cannot_tell_is_warned_of_and_held(db, tmp_path, kind):
    rows = rows_of(1500)
    for row in rows:
        if kind == "constant":
            row[4] = 0.25
        elif kind == "collinear":
            row[4] = row[5]
        else:
            row[4] = ""
    load(db, tmp_path, rows)
    found = train(db)
    held = {"c", "d"} if kind == "collinear" else {"c"}
    for name in held:
        assert any(warning.startswith(f"{name} ") for warning in found["warnings"])
    draft = refine(db, found["model_id"], despite_advice=True)
    assert draft["status"] == "draft"
    card = ScorecardVersionService(db).get_version(draft["version"])["features"]
    expert = {"a": 40, "b": 30, "c": 20, "d": 10}
    for name, weight in expert.items():
        if name in held:
            assert card[name]["weight"] == weight
        else:
            assert card[name]["weight"] != weight
    assert sum(feature["weight"] for feature in card.values()) == pytest.approx(100)


@pytest.mark.slow
def test_the_same_inputs_give_the_same_model_weights_and_hashes_twice(db, tmp_path):
    load(db, tmp_path, rows_of())
    one, two = train(db, seed=7), train(db, seed=7)
    assert one["content_hash"] == two["content_hash"]
    assert one["validation_hash"] == two["validation_hash"]
    assert one["model_id"] != two["model_id"]
    assert one["validation"]["advice"]["n_looks"] == two["validation"]["advice"]["n_looks"] == 0
    other = train(db, seed=8)
    assert other["content_hash"] != one["content_hash"]
    assert other["validation"]["advice"]["n_looks"] == 1


def _as_owner_of_the_schema(db, statement):
    """Take the triggers away, and change what they protect."""
    sqlite = db.get_bind().dialect.name == "sqlite"
    tables = ("ground_truth_labels", "verdicts", "model_registry", "scorecard_versions")
    for trigger in trigger_definitions(db.get_bind().dialect.name):
        for table in tables:
            if trigger.startswith(f"{table}_"):
                db.execute(text(f"DROP TRIGGER {trigger}" + ("" if sqlite else f" ON {table}")))
    db.execute(text(statement))
    db.commit()


def _altered(db):
    findings = DoctorService(db).examine()["findings"]
    return {found["subject"] for found in findings if found["kind"] == "altered_row"}


def test_an_edited_label_is_noticed_by_training_and_doctor(db, tmp_path):
    load(db, tmp_path, rows_of())
    train(db)
    assert DoctorService(db).examine()["healthy"]
    _as_owner_of_the_schema(
        db,
        "UPDATE ground_truth_labels SET label_value = 0, status = 'good' WHERE id = "
        "(SELECT min(id) FROM ground_truth_labels WHERE status = 'bad')",
    )
    with pytest.raises(TamperingError, match=r"labels of label set 1 \(B1\) are not those"):
        train(db)
    assert _altered(db) == {"label_set:1"}


@pytest.mark.parametrize(
    ("statement", "row"),
    [
        ("UPDATE verdicts SET verdict = 'pass', value = 0.9 WHERE subject_kind = 'model'", "model"),
        ("UPDATE verdicts SET verdict = 'fail' WHERE subject_kind = 'label_set'", "label_set:1"),
        ("UPDATE model_registry SET advice = 'wait'", "model"),
        ("UPDATE model_registry SET parameters = '{}'", "model"),
    ],
)
def test_an_edited_model_is_noticed_by_refining_and_doctor(db, tmp_path, statement, row):
    load(db, tmp_path, rows_of())
    model_id = train(db)["model_id"]
    _as_owner_of_the_schema(db, statement)
    assert _altered(db) == {f"model:{model_id}" if row == "model" else row}
    if row == "model":
        with pytest.raises(TamperingError, match="not what was registered"):
            refine(db, model_id)


def test_an_edited_baseline_is_not_trained_against(db, tmp_path):
    load(db, tmp_path, rows_of())
    content = db.query(ScorecardVersion).one().content
    content["features"]["a"]["weight"] = 41.0
    _as_owner_of_the_schema(
        db, f"UPDATE scorecard_versions SET content = '{json.dumps(content)}'".replace(":", "\\:")
    )
    with pytest.raises(TamperingError, match="version v1 is not what was stored"):
        train(db)


def test_an_edited_snapshot_is_named_and_nothing_is_computed(db, tmp_path):
    load(db, tmp_path, rows_of())
    batch = db.query(Batch).one()
    place = Path(get_settings().lake_url) / batch.file_path
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 1
    place.write_bytes(bytes(content))
    with pytest.raises(FileHashError, match=batch.file_hash):
        train(db)


def test_training_and_refinement_refuse_to_run_inside_a_transaction(db, tmp_path):
    load(db, tmp_path, rows_of())
    model_id = train(db)["model_id"]
    with transaction(db), pytest.raises(OpenTransactionError):
        train(db)
    with transaction(db), pytest.raises(OpenTransactionError):
        refine(db, model_id)


def test_a_draft_keeps_every_guard_rail_and_its_whole_path(db, tmp_path):
    load(db, tmp_path, rows_of())
    found = train(db)
    assert found["advice"] == "adopt"
    draft = refine(db, found["model_id"], base_version="v1")
    assert draft["version"] == "ml_v2"
    assert not [gate for gate in draft["gates"] if gate["verdict"] == "fail"]
    assert {gate["gate"] for gate in draft["gates"]} >= {
        "auc_roc", "improves_on_baseline", "weight_change", "score_correlation",
        "band_stability", "cumulative_change",
    }  # fmt: skip
    row = db.query(ScorecardVersion).filter_by(version="ml_v2").one()
    assert row.status == "draft"
    assert row.requested_by == "analyst"
    assert row.model_id == found["model_id"]


def test_refining_the_same_model_again_gives_the_same_draft(db, tmp_path):
    load(db, tmp_path, rows_of())
    model_id = train(db)["model_id"]
    one, two = refine(db, model_id), refine(db, model_id)
    assert (one["version"], one["evidence_hash"]) == (two["version"], two["evidence_hash"])
    assert two["existing"]
    assert db.query(ScorecardVersion).count() == 2


def test_a_rejected_proposal_does_not_come_back_by_itself(db, tmp_path):
    load(db, tmp_path, rows_of())
    model_id = train(db)["model_id"]
    draft = refine(db, model_id)
    ScorecardVersionService(db, actor="boss").reject(draft["version"], reason="not now")
    with pytest.raises(ConflictError, match="was rejected"):
        refine(db, model_id)


def test_another_baseline_is_a_conflict(db, tmp_path):
    load(db, tmp_path, rows_of())
    model_id = train(db)["model_id"]
    with pytest.raises(BaselineError, match="trained against v1"):
        refine(db, model_id, base_version="v9")


def test_keep_makes_no_draft_unless_a_person_asks_and_the_record_says_who(db, tmp_path):
    load(db, tmp_path, rows_of(3000, RIGHT, days=360))
    found = train(db)
    assert found["advice"] == "keep"
    answer = refine(db, found["model_id"])
    assert (answer["status"], answer["version"], answer["advice"]) == ("no_draft", None, "keep")
    asked = ScorecardVersionService(db, actor="ana").refine_from_model(
        model_id=found["model_id"], despite_advice=True
    )
    assert asked["status"] == "draft"
    row = db.query(ScorecardVersion).filter_by(version=asked["version"]).one()
    assert row.despite_advice
    assert row.created_by == "ana"


def test_label_sets_of_different_windows_do_not_train_together(db, tmp_path):
    rows = rows_of(400)
    for batch_id in ("B1", "B2"):
        load(db, tmp_path, [[f"{batch_id}{row[0]}", *row[1:]] for row in rows], batch_id)
    events = tmp_path / "events.csv"
    events.write_text("party,day\n" + "".join(f"B2{row[0]},2024-03-01\n" for row in rows if row[6]))
    OutcomeService(db, actor="analyst").import_events(
        events, party_id="party", event_date="day", event_type="write_off", through="2025-01-01"
    )
    LabelGenerationService(db, actor="analyst").generate_labels("B2")
    with pytest.raises(ConflictError, match="do not share"):
        train(db, ["B1", "B2"])


def test_what_is_missing_is_named_with_the_command_that_makes_it(db, tmp_path):
    with pytest.raises(NotFoundError):
        train(db, "NOWHERE")
    file = write(tmp_path / "b.csv", rows_of(200))
    BatchService(db, actor="analyst").import_file(
        file, batch_id="B1", party_id="party", scored_at="on"
    )
    with pytest.raises(NotFoundError, match="labels generate B1"):
        train(db)


@pytest.mark.slow
def test_a_step_that_improves_nothing_counts_later_looks(db, tmp_path):
    rows = rows_of(900)
    load(db, tmp_path, rows, "B1")
    load(db, tmp_path, rows_of(900, seed=9, first=5000), "B2")
    train(db, "B1")
    apart = train(db, "B2")
    together = train(db, ["B1", "B2"])
    assert apart["validation"]["advice"]["n_looks"] == 0
    assert together["validation"]["advice"]["n_looks"] == 2
    said = "2 earlier models were judged against this baseline on overlapping rows"
    # all were scored on one day: no word of shuffling across dates
    (limit,) = together["validation"]["limits"]
    assert limit.startswith(said)


@pytest.mark.slow
def test_a_model_of_the_second_generation_is_bound_to_the_expert_not_to_its_baseline(db, tmp_path):
    extreme = (0.1, 9.0, 0.1, 0.1)  # the model wants ever more of b
    load(db, tmp_path, rows_of(2000, extreme), "B1")
    first = refine(db, train(db)["model_id"], despite_advice=True)
    ScorecardVersionService(db, actor="boss").activate_version(first["version"])
    load(db, tmp_path, rows_of(2000, extreme, seed=4, first=10_000), "B2")
    second = refine(db, train(db, "B2")["model_id"], despite_advice=True)
    assert (second["version"], second["base_version"]) == ("ml_v3", "ml_v2")
    gates = {gate["gate"]: gate for gate in second["gates"]}
    weights = {name: part["new_weight"] for name, part in second["features"].items()}
    # CARD: the weights of v1, which sum to 100
    expert = {"a": 40.0, "b": 30.0, "c": 20.0, "d": 10.0}
    measured_from = {name: part["expert_weight"] for name, part in second["features"].items()}
    assert measured_from == pytest.approx(expert)
    furthest = max(abs(weights[name] / expert[name] - 1) for name in expert)
    assert gates["cumulative_change"]["value"] == pytest.approx(furthest, abs=1e-9)
    assert gates["weight_change"]["value"] < furthest < 1.0
    assert weights["b"] > 1.5 * expert["b"]  # further than one step from the expert may go


@pytest.mark.slow
def test_a_comparison_names_the_models_that_advised_otherwise(db, tmp_path):
    rows = rows_of(1200, ADOPTS, days=360)
    late = rows[800:]  # in the last months risk no longer follows the features that gain
    for row, other in zip(late, [[*row] for row in reversed(late)], strict=True):
        row[3], row[5] = other[3], other[5]
    load(db, tmp_path, rows)
    dated = train(db)
    shuffled = train(db, validation="cross_validation", seed=1)
    assert dated["advice"] != shuffled["advice"]
    draft = refine(db, shuffled["model_id"], despite_advice=True)
    found = ScorecardVersionService(db).compare_versions("v1", draft["version"])
    assert any(
        limit.startswith(f"{dated['model_id']} advises otherwise ({dated['advice']})")
        for limit in found["limits"]
    )
    assert any("judged out of time: its" in limit for limit in found["limits"])
    assert any("Rows were shuffled across scoring dates" in limit for limit in found["limits"])


def once(at, change):
    """Give a progress callback that changes the store, as somebody else would, at one stage."""
    pending = [change]

    def progress(stage, _done, _total):
        if stage == at and pending:
            with open_session() as other:
                pending.pop()(other)

    return progress


def withdraw_batch(other):
    BatchService(other, actor="colleague").withdraw("B1", reason="wrong file")


def set_another_policy(other):
    PolicyService(other, actor="colleague").set_policy({"min_labelled": 101})


def label_anew(other):
    OutcomeService(other, actor="colleague").withdraw(1, reason="wrong flags")
    file = get_settings().home / "other.csv"
    write(file, rows_of(400, seed=4))
    OutcomeService(other, actor="colleague").import_flags(
        file, batch_id="B1", party_id="party", flag="flag", bad="1"
    )
    LabelGenerationService(other, actor="colleague").generate_labels(
        "B1", outcome_type="final_flag"
    )


@pytest.mark.parametrize("change", [withdraw_batch, set_another_policy, label_anew])
def test_what_changed_during_the_fit_registers_nothing(db, tmp_path, change):
    load(db, tmp_path, rows_of(400))
    with pytest.raises(ConflictError):
        train(db, progress=once("validate", change))
    assert db.query(ModelRegistry).count() == 0


def test_of_two_people_who_refine_at_once_the_second_gets_the_draft_of_the_first(db, tmp_path):
    load(db, tmp_path, rows_of())
    model_id = train(db)["model_id"]
    drafts = []

    def refine_too(other):
        drafts.append(refine(other, model_id))

    second = refine(db, model_id, progress=once("refine", refine_too))
    assert drafts[0]["version"] == second["version"] == "ml_v2"
    assert second["existing"]
    assert db.query(ScorecardVersion).count() == 2
