"""Bad rate and AUC by scoring month, as the shell shows them."""

from __future__ import annotations

from rich.console import Console

from app.cli.render.over_time import over_time

PERIOD = {
    "period": "2026-03", "n": 1200, "n_bad": 240, "bad_rate": 0.2, "auc_baseline": 0.71,
    "auc_baseline_interval": [0.68, 0.74], "n_unseen": 0, "auc_refined": None,
    "auc_refined_interval": None,
}  # fmt: skip


def printed(drift):
    console = Console(width=100, record=True)
    with console.capture() as capture:
        for part in over_time({"drift": drift}):
            console.print(part)
    return capture.get()


def test_months_are_laid_out_with_bad_rate_and_auc():
    later = {**PERIOD, "period": "2026-04", "bad_rate": 0.35}
    shown = printed({"was_compared": False, "differs": [], "periods": [PERIOD, later]})
    assert "2026-03" in shown
    assert "35.0" in shown
    assert "0.680" in shown


def test_agreement_is_said_and_one_month_makes_no_table():
    drift = {"was_compared": True, "differs": [], "sentence": "They agree.", "periods": [PERIOD]}
    assert printed(drift).strip() == "They agree."


def test_a_model_of_an_earlier_version_shows_nothing():
    assert list(over_time({})) == []
