"""Write docs/evidence.md and its tables and plots from the records of the studies."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from shutil import copyfile
from typing import Any

from benchmarks.evidence import tables as table_functions
from benchmarks.evidence.aims import judge
from benchmarks.evidence.looks import PER_MONTH
from benchmarks.evidence.records import Record, read_records

TEMPLATE = Path(__file__).with_name("evidence.md")
SOURCES = {
    "harm": "harm", "advice": "harm", "intervals": "harm", "looks": "looks", "pooled": "pooled",
    "recovery": "recovery", "rounds": "recovery", "curves": "real", "vintages": "real",
    "leaks": "leaks", "real_leaks": "leaks", "drift": "drift", "periods": "drift",
}  # fmt: skip
"""Each table and the study that it is of."""
PLOTS = ("harm", "advice", "recovery", "rounds", "curves", "periods")
SHARES = ("adopt", "wait", "keep", "stopped", "share", "limit", "rate", "found", "said", "of the",
          "covers", "AUC of model", "AUC of refined", "AUC of baseline", "paired gain", "misplaced",
          "named", "error", "at t = 1")  # fmt: skip


def write_report(runs: Path, docs: Path) -> Path:
    """Write the tables as CSV, the plots as SVG, and the document that shows them.

    Parameters
    ----------
    runs : Path
        Folder with the records of the studies.
    docs : Path
        The project's ``docs`` folder.

    Returns
    -------
    Path
        ``evidence.md``.
    """
    folder = docs / "evidence"
    folder.mkdir(parents=True, exist_ok=True)
    tables = make_tables(runs)
    tables["aims"] = [aim.as_row() for aim in judge(tables)]
    for name, rows in tables.items():
        _write_csv(folder / f"{name}.csv", rows)
    studies = sorted(set(SOURCES.values()))
    for study in studies:
        if (runs / f"{study}.json").exists():
            copyfile(runs / f"{study}.json", folder / f"{study}.json")
    _draw(folder, tables)
    path = docs / "evidence.md"
    path.write_text(_fill(TEMPLATE.read_text(encoding="utf-8"), tables, runs), encoding="utf-8")
    return path


def make_tables(runs: Path) -> dict[str, list[Record]]:
    """Make every table from the records; a study that was not run gives empty ones."""
    records = {study: read_records(runs, study) for study in set(SOURCES.values())}
    return {
        name: list(getattr(table_functions, name)(records[study]))
        for name, study in SOURCES.items()
    }


def _draw(folder: Path, tables: dict[str, list[Record]]) -> None:
    from benchmarks.evidence import charts  # noqa: PLC0415 - only where plots are drawn

    for name in PLOTS:
        if tables[name]:
            charts.save(getattr(charts, name)(tables[name]), folder / f"{name}.svg")


def _write_csv(path: Path, rows: list[Record]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        if rows:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows({key: _plain(value) for key, value in row.items()} for row in rows)


def _plain(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value


def _fill(template: str, tables: dict[str, list[Record]], runs: Path) -> str:
    parts: dict[str, Callable[[str], str]] = {
        "table": lambda name: markdown(tables[name]),
        "count": lambda _: _count(runs),
        "complete": lambda _: _complete(runs),
        "per_month": lambda _: str(PER_MONTH),
        "seconds": lambda _: _seconds(runs),
        "libraries": lambda _: _libraries(runs),
    }

    def part(found: re.Match[str]) -> str:
        return parts[found[1]](found[2] or "")

    return re.sub(r"\{\{(\w+)(?::(\w+))?\}\}", part, template)


def markdown(rows: list[Record]) -> str:
    """Write rows as a table; numbers by what their column holds."""
    if not rows:
        return "*Not run.*"
    columns = list(rows[0])
    lines = [columns, ["---"] * len(columns)]
    lines += [[_shown(column, row[column]) for column in columns] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _shown(column: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value) if "up to" in column or "year" in column else f"{value:,}"
    if _is_change(column):
        return f"{value:+.4f}"
    if any(word in column for word in SHARES) and not _is_auc(column):
        return f"{100 * value:.1f} %"
    return f"{value:.3f}"


def _is_change(column: str) -> bool:
    if column in ("paired gain", "of the gain"):
        return False
    return any(
        word in column for word in (": mean", ": worst", ": sd", "gain", "lost", "loss", "cost")
    )


def _is_auc(column: str) -> bool:
    return column in (
        "AUC of the expert", "AUC of the expert there", "AUC of the card in force",
        "AUC of the truth", "AUC of the baseline", "AUC of the refined card, unseen",
    )  # fmt: skip


def _described(runs: Path) -> Iterable[dict[str, Any]]:
    for study in sorted(set(SOURCES.values())):
        path = runs / f"{study}.json"
        if path.exists():
            yield json.loads(path.read_text(encoding="utf-8"))


def _count(runs: Path) -> str:
    n = sum(one["n_records"] for one in _described(runs) if one["study"] != "real")
    return f"{round(n, -2):,}"


def _complete(runs: Path) -> str:
    """Say whether every setting holds as many repeats as planned."""
    cells = [cell for one in _described(runs) for cell in one["cells"]]
    done, planned = (sum(cell[key] for cell in cells) for key in ("repeats", "repeats_planned"))
    if done == planned:
        return f"All {planned:,} planned runs are in the tables."
    return (
        f"**The run was interrupted: {done:,} of {planned:,} planned runs are in the tables.** "
        "Every table says how many repeats it holds, the JSON of each study how many were planned. "
        "`make evidence EVIDENCE_OPTIONS=--resume` does the rest."
    )


def _seconds(runs: Path) -> str:
    rows: list[Record] = [
        {"study": one["study"], "records": one["n_records"], "seconds": one["seconds"],
         "processes": one["workers"]}
        for one in _described(runs)
    ]  # fmt: skip
    return markdown(rows)


def _libraries(runs: Path) -> str:
    found = {
        name: version for one in _described(runs) for name, version in one["libraries"].items()
    }
    return ", ".join(f"{name} {version}" for name, version in found.items())
