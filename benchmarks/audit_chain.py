"""Speed and memory of ``audit verify`` on a long chain.

    python -m benchmarks.audit_chain [--events N] [--no-postgresql]

Builds a valid chain in a fresh store of each database, past the triggers, and verifies it in a
process of its own, which reports its wall time, its CPU time and its peak memory. A chain of a
tenth of the length is measured too: constant memory is two figures that are the same.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import text

from app.db import bulk_insert, open_session, transaction, upgrade
from app.domain.audit_chain import GENESIS_HASH, ChainLink, event_text, hash_text
from app.domain.canonical import canonical_json
from app.models import AuditEvent
from app.services.audit_service import AuditService
from tests.support.attack import without_triggers
from tests.support.postgres import running_server

MILLION = 1_000_000
BOUND = 100_000
"""Events per second that the design asks for."""

COLUMNS = [column.name for column in AuditEvent.__table__.columns]
_PER_MEGABYTE = 1024


def main(arguments: list[str] | None = None) -> int:
    """Measure on both databases and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=MILLION)
    parser.add_argument("--no-postgresql", action="store_true")
    parser.add_argument("--measure", metavar="URL", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.measure:
        sys.stdout.write(json.dumps(_measured(chosen.measure)))
        return 0
    sizes = (max(chosen.events // 10, 1), chosen.events)
    _write("| database | events | wall s | events/s | CPU s | events per CPU s | peak MB |")
    _write("|---|---|---|---|---|---|---|")
    for n in sizes:
        with tempfile.TemporaryDirectory(prefix="chancellor-bench-") as folder:
            _line("SQLite", f"sqlite:///{Path(folder) / 'chancellor.db'}", n)
    if not chosen.no_postgresql:
        for n in sizes:
            with running_server() as server:
                _line("PostgreSQL", server.url(server.create_database()), n)
    return 0


def _line(database: str, url: str, n: int) -> None:
    build_chain(url, n)
    done = subprocess.run(  # noqa: S603 - this module itself
        [sys.executable, "-m", "benchmarks.audit_chain", "--measure", url],
        check=True, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])},
    )  # fmt: skip
    found = json.loads(done.stdout)
    per_second, per_cpu = n / found["wall"], n / found["cpu"]
    _write(
        f"| {database} | {n:,} | {found['wall']:.1f} | {per_second:,.0f} | {found['cpu']:.1f} "
        f"| {per_cpu:,.0f} | {found['peak_mb']:.0f} |"
    )
    if found["n_events"] != n:
        raise SystemExit(f"{found['n_events']} events were verified, {n} were written")
    if n >= MILLION and per_second < BOUND:
        sys.stderr.write(f"{database}: under {BOUND:,} events per second on this machine\n")


def _measured(url: str) -> dict[str, float]:
    with open_session(url) as db:
        started, used = time.perf_counter(), time.process_time()
        result = AuditService(db).verify()
        wall, cpu = time.perf_counter() - started, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _PER_MEGABYTE
    return {"n_events": result["n_events"], "wall": wall, "cpu": cpu, "peak_mb": peak}


def build_chain(url: str, n: int) -> None:
    """Write a valid chain of `n` events into a new database, past its triggers.

    Parameters
    ----------
    url : str
        A database without any table.
    n : int
        How many events.
    """
    upgrade(url)
    last: list[str] = [GENESIS_HASH]
    with without_triggers(url), open_session(url) as db, transaction(db):
        bulk_insert(db, AuditEvent.__table__, _events(n, last), COLUMNS)
        db.execute(text("UPDATE audit_head SET seq = :n, hash = :h"), {"n": n, "h": last[0]})


def _events(n: int, last: list[str]) -> Iterator[tuple[Any, ...]]:
    """Give events like those of a real store: a decision and its facts, some 300 bytes."""
    for seq in range(1, n + 1):
        payload = canonical_json(
            {
                "batch_id": f"BATCH_{seq % 1000:03d}", "n_parties": seq, "default_rate": seq / n,
                "file": {"path": f"batches/{last[0]}.parquet", "sha256": last[0]},
                "note": "Kreditnehmer, geprüft",
            }
        )  # fmt: skip
        link = ChainLink(
            seq, f"2026-03-31T12:{seq // 60 % 60:02d}:{seq % 60:02d}.{seq % MILLION:06d}+00:00",
            f"person-{seq % 7}", "batch.imported", f"batch:BATCH_{seq % 1000:03d}", payload,
            last[0],
        )  # fmt: skip
        told = event_text(link)
        last[0] = hash_text(told)
        yield (
            seq, link.at, link.actor, link.action, link.subject, payload, link.previous_hash,
            last[0], told,
        )  # fmt: skip


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
