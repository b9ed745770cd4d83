"""Numbers are written as the desk asks, and never cut; progress stays off stdout."""

from __future__ import annotations

import io
import time
from contextlib import contextmanager

import pytest
from rich.console import Console

from app.cli.output import Output
from app.cli.progress import FIRST_LINE_AFTER, progress_on
from app.cli.render.gates import gate_table
from app.cli.render.movement import band_table
from app.cli.render.tables import pairs, table


def _printed(part: object, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(part, crop=False)
    return console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above


@pytest.mark.parametrize("width", [20, 60, 200])
def test_no_number_is_cut_however_narrow_the_terminal(width):
    figure = table(
        "Weights",
        ("a feature with a long header", "old weight>", "95 % interval>", "why"),
        [("transaction_regularity_score", "1,234.56", "-14.45 to 78.27", "because of many words")],
        source="where it comes from",
    )
    shown = _printed(figure, width)
    assert "1,234.56" in shown
    assert "-14.45 to 78.27" in shown


def test_names_with_brackets_are_shown_as_they_are():
    assert "[bold]x[/bold]" in _printed(table("[red]t", ("[b]",), [("[bold]x[/bold]",)]), 80)
    assert "[i]v" in _printed(pairs("[x]", {"[k]": "[i]v"}), 80)


def test_a_value_just_inside_its_threshold_does_not_read_like_the_threshold():
    gate = {
        "gate": "band_stability", "verdict": "pass", "value": 0.09975, "threshold": 0.1,
        "interval": None, "rule": "shift < 0.10", "judged_on": "the batches", "sentence": "",
    }  # fmt: skip
    shown = _printed(gate_table([gate]), 140)
    assert "9.98 %" in shown
    assert "shift < 10.0 %" in shown


def test_percentage_points_carry_no_percent_sign():
    movement = {
        "band_shares": {"old": {"poor": 0.4, "good": 0.6}, "new": {"poor": 0.376, "good": 0.624}},
        "source": {"cards": "final cards", "rows": "all rows"},
    }
    poor, good = _printed(band_table(movement), 140).splitlines()[-3:-1]
    assert poor.split() == ["poor", "40.0", "%", "37.6", "%", "-2.4"]
    assert good.split() == ["good", "60.0", "%", "62.4", "%", "+2.4"]


def test_json_keeps_letters_and_refuses_what_is_no_number(capsys):
    Output(as_json=True).show({"name": "Zoë"}, lambda _document: ())
    assert "Zoë" in capsys.readouterr().out
    with pytest.raises(ValueError, match="not JSON compliant"):
        Output(as_json=True).show({"x": float("nan")}, lambda _document: ())


def test_progress_draws_bars_only_on_a_terminal():
    terminal = Console(file=io.StringIO(), force_terminal=True, width=100)
    with progress_on(terminal) as report:
        report("fit", 1, 2)
        report("fit", 2, 2)
    assert "fit" in terminal.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above


def test_progress_elsewhere_is_silent_for_a_second_then_a_quiet_line(monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    console = Console(file=io.StringIO(), width=100)
    with progress_on(console) as report:
        report("fit", 0, 2000)
        report("fit", 10, 2000)
        assert console.file.getvalue() == ""  # type: ignore[attr-defined]  # the StringIO above
        now += FIRST_LINE_AFTER
        report("fit", 1000, 2000)
        report("fit", 1001, 2000)
        now += 10
        report("count", 5, 0)
        now += 10
        report("count", 7, 0)
    assert console.file.getvalue() == "fit: 1,000 of 2,000\ncount: 7\n"  # type: ignore[attr-defined]  # the StringIO above


@pytest.fixture
def stages(monkeypatch):
    """Collect what commands report of their progress, as (stage, done, total)."""
    reported = []

    @contextmanager
    def collect(_console):
        yield lambda *step: reported.append(step)

    monkeypatch.setattr("app.cli.output.progress_on", collect)
    return reported


def test_work_that_grows_with_the_data_shows_how_far_it_is(chancellor, with_portfolio, stages):
    files = with_portfolio(n=200)
    flags = ("--party-id", "party", "--flag", "party", "--bad", "P00001")
    text = files.card.read_text(encoding="utf-8")
    files.card.write_text(text.replace("weight: 50", "weight: 45"), encoding="utf-8")
    for words in (
        ("versions", "add", files.card),
        ("labels", "generate", "B1"),
        ("exposures", "import", files.batch, "--party-id", "party"),
        ("outcomes", "import-flags", files.batch, "--batch", "B1", *flags),
        ("versions", "compare", "v1", "v2"),
    ):
        stages.clear()
        chancellor(*words)
        assert len(stages) > 2, words
        assert stages[-1][1] == stages[-1][2] > 0, words
