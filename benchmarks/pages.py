"""How long each page of the desk takes at the server in a large store: ``make pages``.

The store is made by the services: 300 batches, 500 versions, a million label rows over five label
sets, a trained model and its draft, a report of monitoring. Then the real server is asked for every
page of the table; the time is the server's own, from its log line, so that the caller's share is
left out.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from app.db import open_session
from app.domain.access import PAGES
from app.domain.scorecard import Scorecard, default_card
from app.domain.simulated_features import simulate_features
from app.services.batch_service import BatchService
from app.services.key_service import KeyService
from app.services.label_generation_service import LabelGenerationService
from app.services.model_training_service import ModelTrainingService
from app.services.monitoring_service import MonitoringService
from app.services.outcome_service import OutcomeService
from app.services.scorecard_version_service import ScorecardVersionService
from app.services.store import initialise_store
from tests.support.service_process import service_process

N_BATCHES, N_VERSIONS, N_PARTIES = 300, 500, 200_000
WINDOWS = (90, 120, 150, 180, 210)
SMALL = 40
SEED = 1
TIMES = 20
BUDGET_MS = 150.0
PATIENCE_SECONDS = 120.0
_STREAMS = re.compile(r"/(events|export)$")


def main() -> int:
    """Make the store, ask for every page, and print the table; 1 if a page is over the budget."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="chancellor-pages-") as folder:
        home = Path(folder) / "store"
        names = _make_store(home, Path(folder), options.scale)
        rows = list(measured_pages(home, Path(folder), names))
    print("| page | first ms | median ms | slowest of 20, ms | kB |\n|---|---|---|---|---|")  # noqa: T201 - the result
    for row in rows:
        print(  # noqa: T201 - the result
            f"| `{row['page']}` | {row['first']:.0f} | {row['median']:.0f} | "
            f"{row['slowest']:.0f} | {row['kilobytes']:.0f} |"
        )
    slow = [row["page"] for row in rows if row["median"] > BUDGET_MS]
    if slow:
        sys.stderr.write(f"over {BUDGET_MS:.0f} ms: {', '.join(slow)}\n")
    return 1 if slow else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="Share of the full store's size.")
    return parser.parse_args()


def _make_store(home: Path, folder: Path, scale: float) -> Mapping[str, str]:
    """Make the store and name what the addresses of pages ask for."""
    os.environ["CHANCELLOR_HOME"] = str(home)
    n_batches, n_versions = max(3, int(N_BATCHES * scale)), max(4, int(N_VERSIONS * scale))
    _say("store", initialise_store(card=default_card(), actor="ada")["version"])
    model_id, draft = _train(folder, max(5_000, int(N_PARTIES * scale)))
    rng = np.random.default_rng(SEED + 1)
    for number in range(n_batches - 1):
        import_batch(folder, f"SMALL_{number:03}", rng, SMALL, "2024-06-30")
    _say("batches", n_batches)
    with open_session() as db:
        service = ScorecardVersionService(db, actor="ada")
        content: dict[str, Any] = service.get_version("v1")["content"]
        feature = next(iter(content["features"]))
        for number in range(n_versions - 2):
            content["features"][feature]["weight"] = 1 + number / 100
            service.add_version(Scorecard.from_document(content), note=f"proposal {number}")
        key = KeyService(db, actor="ada").create(owner="grace", role="admin")["key"]
    _say("versions", n_versions)
    with open_session() as db:
        report = MonitoringService(db, actor="ada").monitor("LARGE")["report_id"]
    _say("report", report)
    return {
        "batch_id": "LARGE",
        "model_id": model_id,
        "version": draft,
        "report_id": str(report),
        "key": key,
    }


def _train(folder: Path, n_parties: int) -> tuple[str, str]:
    rng = np.random.default_rng(SEED)
    table = import_batch(folder, "LARGE", rng, n_parties, None)
    import_events(folder, table, rng, "LARGE", "2025-12-31")
    with open_session() as db:
        for days in WINDOWS:
            LabelGenerationService(db, actor="ada").generate_labels(
                batch_id="LARGE", observation_window_days=days
            )
            _say("label rows", n_parties)
        trained = ModelTrainingService(db, actor="ada").train_model(batch_id="LARGE")
        made = ScorecardVersionService(db, actor="ada").refine_from_model(trained["model_id"])
    _say("draft", made["version"])
    return trained["model_id"], made["version"]


def import_events(
    folder: Path, table: pa.Table, rng: np.random.Generator, batch_id: str, through: str
) -> None:
    """Import a write-off of some parties of a batch, 60 days after they were scored."""
    scored_on = table["scored_at"].to_numpy()
    some = rng.random(table.num_rows) < 0.28 - 0.18 * table["kyc_verified"].to_numpy()
    events = {"party_id": table["party_id"].to_numpy()[some], "event_date": scored_on[some] + 60}
    pq.write_table(pa.table(events), folder / f"{batch_id}-events.parquet")
    with open_session() as db:
        OutcomeService(db, actor="ada").import_events(
            folder / f"{batch_id}-events.parquet",
            party_id="party_id",
            event_date="event_date",
            event_type="write_off",
            through=through,
        )


def import_batch(
    folder: Path, batch_id: str, rng: np.random.Generator, n_parties: int, day: str | None
) -> pa.Table:
    """Simulate a batch and import it; scored within 2024, or all on one day."""
    days = np.datetime64("2024-01-01") + rng.integers(0, 365, n_parties)
    scored_at = days if day is None else np.full(n_parties, np.datetime64(day))
    names = np.char.add(f"{batch_id}-", np.arange(n_parties).astype(str))
    table = pa.table(
        {"party_id": names, "scored_at": scored_at, **simulate_features(rng, n_parties)}
    )
    pq.write_table(table, folder / f"{batch_id}.parquet")
    with open_session() as db:
        BatchService(db, actor="ada").import_file(
            folder / f"{batch_id}.parquet",
            batch_id=batch_id,
            party_id="party_id",
            scored_at="scored_at",
        )
    return table


def measured_pages(home: Path, folder: Path, names: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Ask the real server for every page of the table whose address can be filled in."""
    environment = {"CHANCELLOR_HOME": str(home), "CHANCELLOR_REQUESTS_PER_MINUTE": "0"}
    with (
        service_process(folder, **environment) as service,
        httpx.Client(base_url=service.url, timeout=60, trust_env=False) as client,
    ):
        client.post("/sign-in", data={"key": names["key"]})
        for method, path in sorted(PAGES):
            address = _filled(path, names)
            if method == "GET" and address and not _STREAMS.search(path):
                yield _page(client, service.log, path, address)


def _filled(path: str, names: Mapping[str, str]) -> str | None:
    """Fill in the names of a page's address; None where the store holds nothing of the kind."""
    asked = re.findall(r"\{(\w+)\}", path)
    if any(name not in names for name in asked):
        return None
    return path.format(**names)


def _page(client: httpx.Client, log: Path, path: str, address: str) -> dict[str, Any]:
    began = time.perf_counter()
    answer = client.get(address)
    while _is_loading(answer) and time.perf_counter() - began < PATIENCE_SECONDS:
        time.sleep(0.2)
        answer = client.get(address)
    first = 1000 * (time.perf_counter() - began)
    for _ in range(TIMES):
        answer = client.get(address)
        if answer.status_code != httpx.codes.OK:
            raise SystemExit(f"{address}: {answer.status_code}\n{answer.text[:2000]}")
    text = log.read_text(encoding="utf-8").splitlines()
    lines = [json.loads(line) for line in text if line.startswith("{")]
    times = [line["ms"] for line in lines if line.get("route") == path][-TIMES:]
    return {
        "page": path,
        "first": first,
        "median": statistics.median(times),
        "slowest": max(times),
        "kilobytes": len(answer.content) / 1000,
    }


def _is_loading(answer: httpx.Response) -> bool:
    """Say whether a page still computes what it will show."""
    return "refresh" in answer.headers or 'http-equiv="refresh"' in answer.text


def _say(what: str, value: object) -> None:
    sys.stderr.write(f"{what}: {value}\n")


if __name__ == "__main__":
    sys.exit(main())
