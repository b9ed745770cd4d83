"""Scoring load on PostgreSQL with recorded decisions: ``make load``.

A server of its own with durable writes, the service as ``chancellor serve`` starts it, and beside
it a bare FastAPI endpoint doing one INSERT in the same database. Both get the same requests: at
each rate for so many seconds, open loop, then as fast as 16 callers are answered. After each part
the rows stored are counted against the answers with status 200.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from app.domain.simulated_features import simulate_features
from benchmarks.machine import moment, shares
from benchmarks.open_loop import Answers, Callers
from tests.support.ports import free_port
from tests.support.postgres import Server, running_server

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
DURABLE = ("listen_addresses=", "max_connections=60", "timezone=UTC")
RATES = (50, 200, 400)
CALLERS = 16
SEED = 1
N_BODIES = 1_000
WAIT_SECONDS = 60.0
PATH = "/api/scoring/score"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two services."""

    name: str
    path: str
    table: str
    port: int
    process: int
    key: str


def main() -> int:
    """Run every part and print its row."""
    options = _options()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chancellor-load-")))
        server = stack.enter_context(running_server(DURABLE))
        database = server.create_database()
        sides = (
            stack.enter_context(_chancellor(folder, server.url(database))),
            stack.enter_context(_bare(folder, server.url(database))),
        )
        rows = _run(server, database, sides, options)
    print(_table(rows))  # noqa: T201 - the result
    if options.out:
        options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 1 if any(_is_wrong(row) for row in rows) else 0


def _is_wrong(row: dict[str, Any]) -> bool:
    """Say whether an answer has no row, or a row no question: unanswered ones may be stored."""
    unanswered = row["n_asked"] - row["n_ok"]
    return not row["n_ok"] <= row["stored"] <= row["n_ok"] + unanswered


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="of each part")
    parser.add_argument("--rates", type=int, nargs="+", default=RATES)
    parser.add_argument("--out", type=Path, help="where the rows go as JSON")
    return parser.parse_args()


def _run(
    server: Server, database: str, sides: tuple[Side, ...], options: argparse.Namespace
) -> list[dict[str, Any]]:
    rows = []
    for side in sides:  # each process imports and connects before anything is timed
        asyncio.run(_part(side, rate=20, seconds=3))
    for rate in (*options.rates, 0):
        for side in sides:
            before = _count(server, database, side)
            idle = {f"{one.name} idle": one.process for one in sides if one is not side}
            roots = {"service": side.process, "postgres": server.process.pid, "load": os.getpid()}
            roots |= idle
            start = moment(roots)
            answers = asyncio.run(_part(side, rate=rate, seconds=options.seconds))
            spent = shares(start, moment(roots))
            stored = _count(server, database, side) - before
            rows.append(_row(side, rate, answers, stored, spent))
            sys.stderr.write(json.dumps(rows[-1]) + "\n")
    return rows


async def _part(side: Side, *, rate: int, seconds: int) -> Answers:
    callers = Callers(side.port, _requests(side))
    try:
        if rate:
            return await callers.open_loop(rate=rate, seconds=seconds)
        return await callers.closed_loop(callers=CALLERS, seconds=seconds)
    finally:
        await callers.close()


def _requests(side: Side) -> Any:
    table = simulate_features(np.random.default_rng(SEED), N_BODIES)
    names = list(table)
    columns = [np.asarray(table[name]).tolist() for name in names]
    bodies = [
        json.dumps({"parties": [{"party_id": f"P{at}", "features": _known(names, row)}]}).encode()
        for at, row in enumerate(zip(*columns, strict=True))
    ]
    head = (
        f"POST {side.path} HTTP/1.1\r\nHost: 127.0.0.1:{side.port}\r\n"
        f"Authorization: Bearer {side.key}\r\nContent-Type: application/json\r\n"
    )
    ready = [f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in bodies]
    return lambda number: ready[number % N_BODIES]


def _known(names: list[str], row: tuple[float, ...]) -> dict[str, float]:
    """Leave missing values out: JSON knows no NaN."""
    return {name: value for name, value in zip(names, row, strict=True) if value == value}  # noqa: PLR0124 - NaN


def _row(
    side: Side, rate: int, answers: Answers, stored: int, spent: dict[str, float]
) -> dict[str, Any]:
    return {
        "side": side.name,
        "rate": rate or None,
        "n_asked": answers.statuses.total(),
        "n_ok": answers.n_ok,
        "other": {str(k): n for k, n in answers.statuses.items() if k != 200},  # noqa: PLR2004 - OK
        "stored": stored,
        "per_second": round(answers.per_second, 1),
        "p50_ms": round(answers.percentile(50), 1),
        "p99_ms": round(answers.percentile(99), 1),
        "cpu": {name: round(share, 2) for name, share in spent.items()},
    }


def _table(rows: list[dict[str, Any]]) -> str:
    head = (
        "| endpoint | asked per s | answered 200 per s | p50 ms | p99 ms | answers | stored "
        "| service, PostgreSQL, load, others (share of all processors) |\n"
        "|---|---|---|---|---|---|---|---|\n"
    )
    return head + "\n".join(
        f"| {row['side']} | {row['rate'] or f'{CALLERS} callers'} | {row['per_second']:,.0f} "
        f"| {row['p50_ms']:,.1f} | {row['p99_ms']:,.1f} | {row['n_ok']:,} | {row['stored']:,} | "
        + ", ".join(f"{row['cpu'][n]:.2f}" for n in ("service", "postgres", "load", "others"))
        + " |"
        for row in rows
    )


def _count(server: Server, database: str, side: Side) -> int:
    dsn = server.url(database).replace("+psycopg", "")
    with psycopg.connect(dsn) as connection:
        row = connection.execute(f"SELECT count(*) FROM {side.table}").fetchone()  # noqa: S608 - a name of ours
    return int(row[0]) if row else 0


@contextmanager
def _chancellor(folder: Path, url: str) -> Iterator[Side]:
    environment = {
        **os.environ,
        "CHANCELLOR_HOME": str(folder / "home"),
        "CHANCELLOR_DATABASE_URL": url,
        "CHANCELLOR_REQUESTS_PER_MINUTE": "0",
    }
    command = str(BIN / "chancellor")
    _done([command, "init"], environment)
    made = _done([command, "keys", "create", "load", "--role", "service", "--json"], environment)
    port = free_port()
    arguments = [command, "serve", "--port", str(port)]
    with _serving(folder / "chancellor.log", arguments, environment, port) as process:
        yield Side("chancellor", PATH, "decisions", port, process, json.loads(made)["key"])


@contextmanager
def _bare(folder: Path, url: str) -> Iterator[Side]:
    from sqlalchemy import create_engine  # noqa: PLC0415 - for the one table

    environment = {**os.environ, "BARE_DATABASE_URL": url}
    os.environ["BARE_DATABASE_URL"] = url
    from benchmarks.bare_endpoint import metadata  # noqa: PLC0415 - reads the variable

    engine = create_engine(url)
    metadata.create_all(engine)
    engine.dispose()
    port = free_port()
    arguments = [
        sys.executable, "-m", "uvicorn", "benchmarks.bare_endpoint:app", "--port", str(port),
        "--no-access-log",
    ]  # fmt: skip
    with _serving(folder / "bare.log", arguments, environment, port) as process:
        yield Side("one INSERT", "/score", "bare_answers", port, process, "none")


def _done(arguments: list[str], environment: dict[str, str]) -> str:
    return subprocess.run(  # noqa: S603 - our own command
        arguments, env=environment, check=True, capture_output=True, text=True, cwd=ROOT
    ).stdout


@contextmanager
def _serving(
    log: Path, arguments: list[str], environment: dict[str, str], port: int
) -> Iterator[int]:
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - our own command
            arguments, env=environment, stdout=file, stderr=file, cwd=ROOT
        )
    try:
        _wait(port, process, log)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text(errors="replace")[-2000:]) from None
            time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
