"""Write docs/performance.md and its plots from the results; its sentences are in performance.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.performance import scoring
from benchmarks.performance.aims import fastest_peer, judge, millions, shown
from benchmarks.performance.measure import Row, ratio, spread

TEMPLATE = Path(__file__).with_name("performance.md")
NOT_RUN = "*Not run.*"
_COMPARED = {"score": "s", "decision": "ms", "labels": "s", "fits": "s"}
"""Parts whose rows compare contenders, and the unit that their times are shown in."""

Line = dict[str, str]


def write_report(results: Mapping[str, Any], docs: Path) -> Path:
    """Write the document and the plots that it shows.

    Parameters
    ----------
    results : mapping
        By part, as ``benchmarks/results/performance.json`` has them; a part may be absent.
    docs : Path
        The project's ``docs`` folder.

    Returns
    -------
    Path
        ``performance.md``.
    """
    _draw(results, docs / "performance")
    tables: dict[str, list[Line]] = {
        "aims": [aim.as_row() for aim in judge(results)],
        "machine": _machines(results),
        "pipeline": _of(results, "pipeline", _pipeline),
        "floor": _of(results, "score", _floor),
        **{part: _of(results, part, _compared, unit) for part, unit in _COMPARED.items()},
    }
    text = TEMPLATE.read_text(encoding="utf-8")
    path = docs / "performance.md"
    filled = re.sub(r"\{\{(\w+)\}\}", lambda found: markdown(tables[found[1]]), text)
    drawn = re.sub(r"!\[[^]]*\]\(([^)]+)\)\n\n", lambda at: _if_there(docs, at), filled)
    path.write_text(drawn, encoding="utf-8")
    return path


def _if_there(docs: Path, plot: re.Match[str]) -> str:
    """Keep a plot that was drawn, now or before; leave out one that never was."""
    return plot[0] if (docs / plot[1]).exists() else ""


def markdown(lines: list[Line]) -> str:
    """Write lines as a table, or say that they were not measured."""
    if not lines:
        return NOT_RUN
    rows = [list(lines[0]), ["---"] * len(lines[0]), *(list(line.values()) for line in lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _of(
    results: Mapping[str, Any], part: str, table: Callable[..., list[Line]], *more: str
) -> list[Line]:
    return table(results[part]["rows"], *more) if part in results else []


def _compared(rows: list[Row], unit: str) -> list[Line]:
    by = 1000.0 if unit == "ms" else 1.0
    lines = []
    for row in rows:
        for name, seconds in row["seconds"].items():
            times, times_ours = spread(seconds), ratio(row, name, row["ours"])
            low, high = shown(by * times["low"]), shown(by * times["high"])
            lines.append(
                {
                    "n": millions(row["n"]),
                    "contender": name,
                    f"median {unit}": shown(by * times["median"]),
                    f"lowest to highest {unit}": f"{low} to {high}",
                    f'times "{row["ours"]}"': shown(times_ours["median"]),
                    "spread": f"{shown(times_ours['low'])} to {shown(times_ours['high'])}",
                    "rounds": str(len(seconds)),
                }
            )
    return lines


def _floor(rows: list[Row]) -> list[Line]:
    """Say how far the floor itself is from the fastest peer: no scorer of files can beat that."""
    lines = []
    for row in rows:
        peer = fastest_peer(row)
        found = ratio(row, peer, scoring.BARE)
        lines.append(
            {
                "n": millions(row["n"]),
                "fastest peer": peer,
                "its time over that of the bare copy": shown(found["median"]),
                "spread": f"{shown(found['low'])} to {shown(found['high'])}",
            }
        )
    return lines


def _pipeline(rows: list[Row]) -> list[Line]:
    stages = list(dict.fromkeys(stage for row in rows for stage in row["seconds"]))
    return [
        {
            "parties": millions(row["n"]),
            "what": row["what"],
            "seconds": shown(row["wall"]),
            "peak GiB": shown(row["peak_gib"]),
            **{
                stage: shown(row["seconds"][stage]) if stage in row["seconds"] else ""
                for stage in stages
            },
        }
        for row in sorted(rows, key=lambda row: (row["what"], row["n"]))
    ]


def _machines(results: Mapping[str, Any]) -> list[Line]:
    """Say where and with what each part was measured."""
    lines = []
    for part, found in results.items():
        at = found["machine"]
        versions = ", ".join(f"{name} {number}" for name, number in at["libraries"].items())
        peers = ", ".join(f"{name} {number}" for name, number in at["peers"].items())
        lines.append(
            {
                "part": part,
                "at": at["at"],
                "commit": at["commit"],
                "machine": f"{at['processor']}, {at['cores']} cores, {at['memory_gib']} GiB, "
                f"{at['system']}, Python {at['python']}",
                "ours": versions,
                "peers": peers,
            }
        )
    return lines


def _draw(results: Mapping[str, Any], folder: Path) -> None:
    from benchmarks.evidence.charts import save  # noqa: PLC0415 - only where plots are drawn
    from benchmarks.performance import charts  # noqa: PLC0415 - the same

    folder.mkdir(parents=True, exist_ok=True)
    for part in ("score", "labels", "fits"):
        if part in results:
            save(charts.contenders(results[part], "seconds"), folder / f"{part}.svg")
    if "pipeline" in results:
        save(charts.growth_of_pipeline(results["pipeline"]), folder / "pipeline.svg")
