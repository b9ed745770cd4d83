"""Label rows by the million in PostgreSQL: ``make postgres-size``.

Ten batches of a million parties each. The first and the last are imported and labelled by the
services, which is what ingest is measured by, into an empty table and into a large one; the rows
of the others are written by the same COPY in the same form, under copies of the first batch and
its label set. Then: what reading for training takes, plans of the heaviest queries, sizes, the
effect of VACUUM ANALYZE, and every page of the desk at the real server.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import numpy as np
from sqlalchemy import Connection, Table, insert, select, text
from sqlalchemy.orm import Session

from app.db import open_session, transaction
from app.db.bulk import bulk_insert_columns
from app.db.engine import create_store_engine
from app.domain.scorecard import default_card
from app.lake.store import open_lake
from app.models import Batch, GroundTruthLabel, LabelSet
from app.queries.monitored import first_immature
from app.queries.new_outcomes import labelled_parties
from app.services.key_service import KeyService
from app.services.label_generation_service import LabelGenerationService, compute_labels
from app.services.label_inputs import recorded_inputs
from app.services.label_rows import (
    LABEL_COLUMNS,
    label_columns,
    labelled_rows,
    stored_labels_hash,
)
from app.services.store import initialise_store
from app.services.training_sample import read_training_data
from benchmarks.pages import BUDGET_MS, TIMES, import_batch, import_events, measured_pages
from tests.support.postgres import SETTINGS, running_server
from tests.support.service_process import service_process

_T = TypeVar("_T")

N_BATCHES, N_PARTIES = 10, 1_000_000
WINDOW_DAYS = 180
SEED = 7
SERVER = (*SETTINGS, "shared_buffers=1GB", "max_wal_size=4GB", "maintenance_work_mem=256MB")
RESULT = Path(__file__).parent / "results" / "postgres-size.json"
STEPS = ("fill", "read", "pages")
LABELS: Table = GroundTruthLabel.__table__  # type: ignore[assignment]  # a mapped class has a Table


def main() -> int:
    """Run the steps and write the result; 1 if a page is over the budget."""
    options = _options()
    with _place(options) as home:
        result = json.loads(options.out.read_text("utf-8")) if options.out.exists() else {}
        steps: dict[str, Callable[[], Mapping[str, Any]]] = {
            "fill": lambda: _fill(home, options.batches, options.parties),
            "read": _read,
            "pages": lambda: _pages(home),
        }
        for step in options.steps:
            result |= {step: steps[step]()}
            options.out.parent.mkdir(exist_ok=True)
            options.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
            print(json.dumps(result[step], indent=1))  # noqa: T201 - the result
    rows = result.get("pages", {}).get("rows", ())
    slow = [row["page"] for row in rows if row["median"] > BUDGET_MS]
    if slow:
        sys.stderr.write(f"over {BUDGET_MS:.0f} ms: {', '.join(slow)}\n")
    return 1 if slow else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=N_BATCHES)
    parser.add_argument("--parties", type=int, default=N_PARTIES, help="Of each batch.")
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=STEPS)
    parser.add_argument("--database-url", help="A server that runs already; default one of its own")
    parser.add_argument("--home", type=Path, help="Of the store; default a temporary folder.")
    parser.add_argument("--out", type=Path, default=RESULT)
    return parser.parse_args()


@contextmanager
def _place(options: argparse.Namespace) -> Iterator[Path]:
    """Point the environment at the store; a server and a home that were made here go at the end."""
    with tempfile.TemporaryDirectory(prefix="chancellor-size-") as folder:
        home = options.home or Path(folder) / "store"
        os.environ["CHANCELLOR_HOME"] = str(home)
        if options.database_url:
            os.environ["CHANCELLOR_DATABASE_URL"] = options.database_url
            yield home
            return
        with running_server(SERVER) as server:
            os.environ["CHANCELLOR_DATABASE_URL"] = server.url(server.create_database())
            yield home


def _fill(home: Path, n_batches: int, n_parties: int) -> Mapping[str, Any]:
    initialise_store(card=default_card(), actor="ada")
    rng = np.random.default_rng(SEED)
    names = [f"B{number:02}" for number in range(n_batches)]
    ingest = [_by_service(home, names[0], rng, n_parties, "2025-12-31")]
    with open_session() as db:
        labels, seconds = _timed(lambda: _labels_of(db, names[0]))
        computing = seconds
        copying, at_work = [], [_server_seconds(db)]
        for name in names[1:-1]:
            copying.append(_timed(lambda: _by_copy(db, name, names[0], labels))[1])  # noqa: B023 - called at once
            at_work.append(_server_seconds(db))
    ingest.append(_by_service(home, names[-1], rng, n_parties, "2025-12-31"))
    return {
        "n_batches": n_batches,
        "n_parties": n_parties,
        "ingest": ingest,
        "computing_seconds": computing,
        "copy_seconds": copying,
        "copy_server_cpu_seconds": np.diff(at_work).round(2).tolist(),
        "copied_rows_per_second": [round(n_parties / one) for one in copying],
    }


def _by_service(
    home: Path, name: str, rng: np.random.Generator, n_parties: int, through: str
) -> Mapping[str, Any]:
    table, importing = _timed(lambda: import_batch(home.parent, name, rng, n_parties, None))
    import_events(home.parent, table, rng, name, through)
    del table
    with open_session() as db:
        before, at_work = _rows(db), _server_seconds(db)
        service = LabelGenerationService(db, actor="ada")
        _, labelling = _timed(
            lambda: service.generate_labels(batch_id=name, observation_window_days=WINDOW_DAYS)
        )
        at_work = _server_seconds(db) - at_work
    return {
        "rows_before": before,
        "import_seconds": importing,
        "labels_seconds": labelling,
        "server_cpu_seconds": round(at_work, 2),
        "labels_rows_per_second": round(n_parties / labelling),
        "peak_rss_mb": _peak_mb(),
    }


def _labels_of(db: Session, batch_id: str) -> Any:
    return compute_labels(open_lake(), recorded_inputs(db, _label_set(db, batch_id)))


def _by_copy(db: Session, name: str, source: str, labels: Any) -> None:
    """Write the labels again under a copy of the batch and of its label set."""
    with transaction(db):
        _copy_row(db, Batch, _row(db, Batch, source), batch_id=name)
        label_set = _row(db, LabelSet, source)
        number = _copy_row(db, LabelSet, label_set, batch_id=name)
        columns = label_columns(
            labels, label_set_id=number, batch_id=name, outcome_type=label_set["outcome_type"]
        )
        bulk_insert_columns(
            db, LABELS, columns, ("label_set_id", "batch_id", "outcome_type", *LABEL_COLUMNS)
        )


def _row(db: Session, kind: type[Batch | LabelSet], batch_id: str) -> dict[str, Any]:
    table = kind.__table__
    return dict(db.execute(select(table).where(table.c.batch_id == batch_id)).mappings().one())


def _copy_row(db: Session, kind: type[Batch | LabelSet], row: dict[str, Any], **new: Any) -> Any:
    values = {key: value for key, value in row.items() if key != "id"} | new
    made = db.execute(insert(kind.__table__).values(values)).inserted_primary_key
    return made[0] if made else None


def _label_set(db: Session, batch_id: str) -> LabelSet:
    return db.scalars(select(LabelSet).where(LabelSet.batch_id == batch_id)).one()


def _rows(db: Session) -> int:
    return int(db.scalar(text("SELECT count(*) FROM ground_truth_labels")) or 0)


def _read() -> Mapping[str, Any]:
    with open_session() as db:
        before = _reading(db)
        seconds = {}
        for words in ("VACUUM", "ANALYZE"):
            seconds[words] = _timed(lambda words=words: _maintain(words))[1]
        return {
            "n_rows": _rows(db),
            "before_vacuum": before,
            "maintenance_seconds": seconds,
            "after_vacuum": _reading(db),
            "sizes_mb": _sizes(db),
            "plans": {name: _plan(db, query) for name, query in _queries(db).items()},
            "peak_rss_mb": _peak_mb(),
        }


def _reading(db: Session) -> Mapping[str, float]:
    last = db.scalars(select(LabelSet).order_by(LabelSet.id.desc())).first()
    if last is None:
        raise SystemExit("the store holds no labels: run the step fill first")
    work: dict[str, Callable[[], Any]] = {
        "hash of a label set": lambda: stored_labels_hash(db, last.id),
        "training data of a batch": lambda: read_training_data(
            db, open_lake(), default_card(), [last]
        ),
        "labelled rows": lambda: labelled_rows(db, last.id),
        "labelled parties": lambda: labelled_parties(db, last.id),
        "first immature party": lambda: first_immature(db, last.id),
        "count of all labels": lambda: _rows(db),
    }
    seconds = {}
    for name, read in work.items():
        seconds[name] = round(_timed(read)[1], 3)
        db.rollback()
    return seconds


def _queries(db: Session) -> Mapping[str, str]:
    """Give the heaviest queries as SQL, for their plans."""
    last = db.scalars(select(LabelSet).order_by(LabelSet.id.desc())).first()
    number = 0 if last is None else last.id
    parties = [f"'{last.batch_id}-{n}'" for n in range(20)] if last is not None else []
    of_set = f"FROM ground_truth_labels WHERE label_set_id = {number}"
    return {
        "labels of a set": f"SELECT party_id, status, event_type, event_date {of_set}",
        "labelled parties": f"SELECT party_id, label_value {of_set} AND label_value IS NOT NULL",
        "first immature": f"SELECT scored_at {of_set} AND status = 'immature' "
        "ORDER BY scored_at LIMIT 1",
        "twenty parties of a set": f"SELECT batch_id, party_id, status {of_set} "
        f"AND party_id IN ({', '.join(parties)})",
        "one party of a batch": "SELECT label_value FROM ground_truth_labels "  # noqa: S608 - constants
        f"WHERE batch_id = 'B00' AND party_id = {parties[0] if parties else 'NULL'}",
    }


def _plan(db: Session, query: str) -> Mapping[str, Any]:
    (found,) = db.execute(text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}")).scalar_one()
    node = found["Plan"]
    shape = []
    while node is not None:
        shape.append(f"{node['Node Type']} {node.get('Index Name', '')}".strip())
        node = next(iter(node.get("Plans", ())), None)
    return {
        "ms": round(found["Execution Time"], 1),
        "plan": " < ".join(shape),
        "blocks": found["Plan"]["Shared Hit Blocks"] + found["Plan"]["Shared Read Blocks"],
    }


def _maintain(words: str) -> None:
    engine = create_store_engine(os.environ["CHANCELLOR_DATABASE_URL"])
    try:
        with engine.connect() as plain:
            alone: Connection = plain.execution_options(isolation_level="AUTOCOMMIT")
            alone.execute(text(f"{words} ground_truth_labels"))
    finally:
        engine.dispose()


def _sizes(db: Session) -> Mapping[str, float]:
    query = """
        SELECT c.relname, pg_relation_size(c.oid) / 1048576.0
        FROM pg_class c WHERE c.relname = 'ground_truth_labels' OR c.oid IN
            (SELECT indexrelid FROM pg_index WHERE indrelid = 'ground_truth_labels'::regclass)
    """
    sizes = {name: round(float(size), 1) for name, size in db.execute(text(query))}
    return sizes | {"all": round(sum(sizes.values()), 1)}


def _pages(home: Path) -> Mapping[str, Any]:
    with open_session() as db:
        key = KeyService(db, actor="ada").create(owner="grace", role="admin")["key"]
        first = db.scalars(select(Batch.batch_id).order_by(Batch.batch_id)).first()
    names = {"batch_id": str(first), "version": "v1", "key": key}
    return {
        "listings_ms": _listings(str(key), home.parent, str(first)),
        "rows": list(measured_pages(home, home.parent, names)),
    }


def _listings(key: str, folder: Path, batch_id: str) -> Mapping[str, float]:
    """Time the listings of the API that look at batches and labels: the median of 20, in ms."""
    addresses = (
        "/api/batches",
        f"/api/batches/{batch_id}",
        f"/api/labels/{batch_id}",
        "/api/monitoring/reports",
        "/api/monitoring/over-time",
        "/api/monitoring/alerts",
        "/api/pipeline/models",
        "/api/scoring/versions",
    )
    found = {}
    with (
        service_process(folder, CHANCELLOR_REQUESTS_PER_MINUTE="0") as service,
        httpx.Client(
            base_url=service.url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=60,
            trust_env=False,
        ) as client,
    ):
        for address in addresses:
            client.get(address).raise_for_status()
            times = [_timed(lambda: client.get(address))[1] for _ in range(TIMES)]  # noqa: B023 - called at once
            found[address] = round(1000 * statistics.median(times), 1)
    return found


def _server_seconds(db: Session) -> float:
    """Processor time of the session's own server process so far; 0 on another machine."""
    stat = Path(f"/proc/{db.scalar(text('SELECT pg_backend_pid()'))}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text("ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _timed(work: Callable[[], _T]) -> tuple[_T, float]:
    began = time.perf_counter()
    found = work()
    return found, round(time.perf_counter() - began, 4)


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    raise SystemExit(main())
