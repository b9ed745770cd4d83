"""Groups under two cards: what pandas, hand and other libraries find, and the gate on it."""

from __future__ import annotations

import csv
from math import comb
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from app.domain.fairness_gate import adverse_impact_gate
from app.domain.group_approval import compare_approval, compare_falls
from app.domain.policy import Policy, parse_policy
from app.domain.scorecard import load_scorecard
from app.domain.table_score import TableScorer
from app.errors import DocumentError, InvalidInputError, QualityGateError
from app.models import ModelRegistry, ScorecardVersion
from app.queries.evidence import list_evidence
from app.services.batch_service import BatchService
from app.services.fairness_service import FairnessService
from app.services.label_generation_service import LabelGenerationService
from app.services.model_training_service import ModelTrainingService
from app.services.outcome_service import OutcomeService
from app.services.policy_service import PolicyService
from app.services.replay_service import ReplayService
from app.services.scorecard_version_service import ScorecardVersionService
from tests.support.portfolio import store_with_card
from tests.support.small_portfolio import CARD, THROUGH, write_portfolio

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

CUT_OFF = 600


def fisher_by_hand(a: int, b: int, c: int, d: int) -> float:
    """Sum the tables with these margins that are no more likely than this one."""
    row, column, n = a + b, a + c, a + b + c + d
    ways = [
        comb(column, k) * comb(n - column, row - k)
        for k in range(max(0, row - (n - column)), min(row, column) + 1)
    ]
    seen = comb(column, a) * comb(n - column, row - a)
    return sum(way for way in ways if way <= seen * (1 + 1e-7)) / comb(n, row)


def approvals(*counts: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    code = np.repeat(np.arange(len(counts)), [n for _, n in counts])
    return code, np.concatenate([np.arange(n) < approved for approved, n in counts])


def test_the_four_fifths_rule_as_the_uniform_guidelines_show_it() -> None:
    # 44 FR 11996 (1979), question 12: 48 of 80 and 12 of 40, so 30 % against 60 %
    code, approved = approvals((48, 80), (12, 40), (3, 4), (5, 60))
    names = ["white", "black", "few", None]
    found = compare_approval(names, code, approved)
    white, black, few, missing = found["groups"]
    assert found["reference"] == "white"
    assert (black["approval_rate"], black["impact_ratio"]) == (0.3, 0.5)
    assert black["p_value"] == pytest.approx(fisher_by_hand(12, 28, 48, 32), rel=1e-9)
    assert (white["impact_ratio"], white["is_judged"]) == (None, False)
    assert (few["is_judged"], few["impact_ratio"]) == (False, 1.25)
    assert (missing["is_judged"], missing["group"]) == (False, None)
    named = compare_approval(names, code, approved, "black")
    assert named["groups"][0]["impact_ratio"] == 2.0
    # Katz's interval of 12/40 over 48/80 by its formula
    error = (28 / 40 / 12 + 32 / 80 / 48) ** 0.5
    ends = [0.5 * np.exp(sign * 1.959963984540054 * error) for sign in (-1, 1)]
    assert black["impact_interval"] == pytest.approx(ends, rel=1e-9)


def test_a_gate_of_adverse_impact_needs_its_cut_off() -> None:
    with pytest.raises(DocumentError, match="fairness_cutoff"):
        parse_policy({"fairness_gate": True})


def column(old: tuple[int, int], new: tuple[int, int], other: tuple[int, int] = (180, 200)) -> Any:
    line: dict[str, Any] = {"at": "cut-off"}
    masks = []
    for side, counts in (("old", old), ("new", new)):
        code, approved = approvals(counts, other)
        line[side] = compare_approval(["a", "b"], code, approved)
        masks.append(approved)
    line["falls"] = compare_falls(line, code, masks[0] & masks[1])
    return {"column": "region", "cut_offs": [line]}


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ((170, 200), (170, 200), "pass"),
        ((170, 200), (120, 200), "fail"),  # 0.67 and clear, lower than before
        ((120, 200), (120, 200), "insufficient evidence"),  # clear, but the old card was no better
        ((120, 200), (130, 200), "insufficient evidence"),  # better than before, still below
        ((121, 200), (120, 200), "insufficient evidence"),  # one party less: no clear fall
        ((20, 25), (8, 25), "insufficient evidence"),  # fewer than 30 are not judged
    ],
)
def test_the_gate_fails_what_is_low_and_clearly_worse_than_before(
    old: Any, new: Any, verdict: str
) -> None:
    policy = Policy(fairness_gate=True, fairness_cutoff=CUT_OFF)
    found = adverse_impact_gate(policy, [column(old, new)])
    assert found is not None
    assert found.verdict == verdict, found.sentence


def test_what_chance_may_explain_is_acknowledged_and_not_failed() -> None:
    policy = Policy(fairness_gate=True, fairness_cutoff=CUT_OFF)
    found = adverse_impact_gate(policy, [column((27, 30), (21, 30), (27, 30))])
    assert found is not None
    # 0.78 of the reference's rate, but Fisher's p is 0.10
    assert (found.verdict, round(found.value or 0, 2)) == ("insufficient evidence", 0.78)
    assert fisher_by_hand(21, 9, 27, 3) > 0.05


def test_the_fall_of_a_ratio_has_the_spread_that_a_bootstrap_finds() -> None:
    rng = np.random.default_rng(0)
    code = np.repeat([0, 1], [300, 500])
    old = rng.random(800) < np.where(code == 0, 0.6, 0.8)
    new = np.where(rng.random(800) < 0.8, old, rng.random(800) < np.where(code == 0, 0.5, 0.8))
    line = {side: compare_approval(["a", "b"], code, mask)
            for side, mask in (("old", old), ("new", new))}  # fmt: skip
    p_value = compare_falls(line, code, old & new)[0]["p_value"]

    def change(rows: np.ndarray) -> float:
        of_a, of_b = (rows[code[rows] == group] for group in (0, 1))
        rates = [mask[of].mean() for mask in (new, old) for of in (of_a, of_b)]
        return float(np.log(rates[0] / rates[1] / (rates[2] / rates[3])))

    drawn = [
        change(np.concatenate([rng.choice(np.flatnonzero(code == group), n) for group, n in
                               ((0, 300), (1, 500))]))
        for _ in range(2000)
    ]  # fmt: skip
    z = change(np.arange(800)) / np.std(drawn)
    assert norm.ppf(p_value) == pytest.approx(z, rel=0.06)


def grouped(folder: Path, n: int) -> tuple[Any, Path]:
    """Write a portfolio whose group "low" has small values of the feature a."""
    files = write_portfolio(folder, n=n)
    rows = list(csv.DictReader(files.batch.read_text(encoding="utf-8").splitlines()))
    path = files.batch.with_name("grouped.csv")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "region"])
        writer.writeheader()
        for row in rows:
            low = float(row["c"]) < 0.4
            region = "" if row["party"].endswith("7") else ("low" if low else "high")
            writer.writerow({**row, "region": region})
    return files, path


def drafted(db: Session, folder: Path, n: int = 900, **policy: Any) -> tuple[str, Path, Path]:
    """Import a batch with groups, train and draft."""
    if policy:
        PolicyService(db, actor="ann").set_policy(policy)
    files, path = grouped(folder, n)
    BatchService(db).import_file(
        path, batch_id="B", party_id="party", scored_at="scored", groups=["region"]
    )
    OutcomeService(db).import_events(
        files.outcomes, party_id="party", event_date="written_off", event_type="write_off",
        through=THROUGH,
    )  # fmt: skip
    LabelGenerationService(db).generate_labels("B")
    found = ModelTrainingService(db, actor="ann").train_model("B")
    draft = ScorecardVersionService(db, actor="ann").refine_from_model(model_id=found["model_id"])
    return draft["version"], path, files.outcomes


@pytest.mark.slow
def test_a_draft_keeps_what_pandas_and_scikit_learn_find_and_replays(
    home: Path, sqlite_template: Path, tmp_path: Path
) -> None:
    with store_with_card(load_scorecard(CARD), home, sqlite_template) as db:
        version, path, _ = drafted(db, tmp_path / "p", fairness_cutoff=CUT_OFF)
        kept = {piece.kind: piece for piece in list_evidence(db, "version", version)}
        assert set(kept) == {"refinement", "fairness"}
        found = FairnessService(db).compare_groups(version)
        assert found["is_stored"]
        (region,) = found["columns"]
        assert [one["group"] for one in region["groups"]] == ["high", "low", None]
        frame = pd.read_csv(path, dtype={"region": "string"}).set_index("party")
        frame["region"] = frame["region"].fillna("missing")
        batch = BatchService(db).get_batch("B")
        snapshot = BatchService(db).lake.read_table(batch["file_path"], batch["file_hash"])
        for side, name in (("old", "v1"), ("new", version)):
            row = db.query(ScorecardVersion).filter_by(version=name).one()
            card = load_scorecard(CARD).with_weights(
                {key: part["weight"] for key, part in row.features.items()}
            )
            score = TableScorer(card).run(snapshot)["score"].to_numpy()
            frame[side] = pd.Series(score, index=snapshot["party_id"].to_pylist())
            rates = (frame[side] >= CUT_OFF).groupby(frame["region"]).agg(["size", "sum", "mean"])
            (at,) = (one for one in region["cut_offs"] if one["at"] == "cut-off")
            for line in at[side]["groups"]:
                mine = rates.loc[line["group"] or "missing"]
                assert (line["n"], line["n_approved"]) == (mine["size"], mine["sum"])
            low = next(one for one in at[side]["groups"] if one["group"] == "low")
            ratio = rates.loc["low", "mean"] / rates.loc["high", "mean"]
            assert low["impact_ratio"] == pytest.approx(ratio, rel=1e-12)
        # ranking and calibration on the rows that the model's validation kept unseen
        model = db.query(ModelRegistry).one()
        judged = BatchService(db).lake.read_table(model.validation_path, model.validation_hash)
        rows = pd.DataFrame(judged.to_pydict())
        rows = rows[rows["repeat"] == 0].merge(frame, left_on="party_id", right_index=True)
        for group in region["groups"]:
            mine = rows[rows["region"] == (group["group"] or "missing")]
            assert (group["n_labelled"], group["n_bad"]) == (len(mine), mine["bad"].sum())
            if group["new"]["auc_roc"] is not None:
                auc = roc_auc_score(mine["bad"], -mine["score_refined"])
                assert group["new"]["auc_roc"] == pytest.approx(auc, abs=1e-12)
            ratio = mine["p_refined"].mean() / mine["bad"].mean()
            assert group["new"]["expected_to_observed"] == pytest.approx(ratio, rel=1e-12)
        asked = FairnessService(db).compare_groups(version, cut_off=700)
        assert (asked["is_stored"], asked["columns"][0]["cut_offs"][0]["new"]["score"]) == (
            False, 700,
        )  # fmt: skip
        again = ReplayService(db).replay_version(version)
        assert again["outcome"] == "equal", again["sentence"]


@pytest.mark.slow
def test_the_gate_blocks_a_draft_and_a_persons_version_alike(
    home: Path, sqlite_template: Path, tmp_path: Path
) -> None:
    with store_with_card(load_scorecard(CARD), home, sqlite_template) as db:
        version, _, _ = drafted(
            db, tmp_path / "p", fairness_gate=True, fairness_cutoff=CUT_OFF, min_impact_ratio=0.9
        )
        versions = ScorecardVersionService(db, actor="bob")
        (gate,) = (one for one in versions.get_version(version)["gates"]
                   if one["gate"] == "adverse_impact")  # fmt: skip
        # the group has small values of c, and the draft gives c more weight
        assert gate["verdict"] == "fail", gate
        assert gate["value"] < 0.9
        with pytest.raises(QualityGateError, match="adverse_impact"):
            versions.activate_version(version, reason="try")
        card = load_scorecard(CARD).with_weights({"a": 30.0, "c": 40.0})
        own = versions.add_version(card)
        assert {one["gate"]: one["verdict"] for one in own["gates"]}["adverse_impact"] == "fail"
        with pytest.raises(QualityGateError, match="adverse_impact"):
            ScorecardVersionService(db, actor="cyd").activate_version(own["version"], reason="try")


def test_a_version_without_groups_says_how_to_declare_them(
    home: Path, sqlite_template: Path, tmp_path: Path
) -> None:
    with store_with_card(load_scorecard(CARD), home, sqlite_template) as db:
        files = write_portfolio(tmp_path / "p", n=60)
        BatchService(db).import_file(
            files.batch, batch_id="B", party_id="party", scored_at="scored"
        )
        versions = ScorecardVersionService(db, actor="ann")
        own = versions.add_version(load_scorecard(CARD).with_weights({"a": 51.0}))["version"]
        assert {piece.kind for piece in list_evidence(db, "version", own)} == {"person_draft"}
        found = FairnessService(db).compare_groups(own)
        assert (found["columns"], found["is_stored"]) == ([], False)
        assert "--group" in found["why_not"]
        with pytest.raises(InvalidInputError):
            FairnessService(db).compare_groups("v1")
