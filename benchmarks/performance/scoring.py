"""Score files and single parties: against a bare copy, two peers and a loop over parties."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from app.db import open_session
from app.domain.party_score import score_party
from app.domain.scorecard import Scorecard, default_card
from app.services.scoring_service import ScoringService
from app.services.store import initialise_store
from benchmarks.performance.data import write_parties
from benchmarks.performance.measure import Row, Run, compare, timed
from benchmarks.performance.peers import PEERS, Peer, running_peer
from benchmarks.performance.stores import store_in

BARE, BARE_ZSTD, LOOP = "bare DuckDB copy", "bare DuckDB copy, zstd", "loop over parties"
SIZES = {1_000_000: 5, 10_000_000: 3}
FORMS = {
    "score and band": {"reasons": False, "contributions": False},
    "with reasons": {"reasons": True, "contributions": False},
    "with reasons and contributions": {"reasons": True, "contributions": True},
}
_SAMPLE, _LOOPED, _DECISIONS, _PEER_DECISIONS = 50_000, 10_000, 2_000, 20
_SHARES = (0.2, 0.4, 0.6, 0.8)


def measure_scoring(folder: Path) -> list[Row]:
    """Score 1 M and 10 M parties, Parquet to Parquet, by a card of sixteen binned features.

    Parameters
    ----------
    folder : Path
        For files, some gigabytes.

    Returns
    -------
    list of dict
        One row per size.
    """
    sample = write_parties(folder / "sample.parquet", _SAMPLE)
    edges = bin_edges(sample)
    card = binned_card(edges)
    rows = []
    with ExitStack() as stack:
        stack.enter_context(store_in(folder))
        initialise_store(card=card)
        peers = {name: stack.enter_context(running_peer(name, edges, sample)) for name in PEERS}
        for n, repeats in SIZES.items():
            parties = write_parties(folder / f"parties_{n}.parquet", n)
            runs = _contenders(parties, folder, card, peers, is_long=n > min(SIZES))
            row = compare("score a file", n, runs, repeats, warm=n == min(SIZES))
            rows.append({**row, "bytes": parties.stat().st_size})
    return rows


def _contenders(
    parties: Path, folder: Path, card: Scorecard, peers: Mapping[str, Peer], *, is_long: bool
) -> dict[str, Run]:
    out = folder / "scored.parquet"
    runs = {form: _file_run(parties, out, parts) for form, parts in FORMS.items()}
    runs[BARE] = timed(lambda: bare_copy(parties, out))
    runs[BARE_ZSTD] = timed(lambda: bare_copy(parties, out, "zstd"))
    for name, peer in peers.items():
        asked = {"do": "file", "parties": str(parties), "scored": str(out)}
        runs[name] = peer.asking(**asked, reasons=False)
        if peer.has_reasons and not is_long:
            runs[f"{name}, with reasons"] = peer.asking(**asked, reasons=True)
    runs[LOOP] = lambda: _looped(card, parties)
    return runs


def _file_run(parties: Path, out: Path, parts: Mapping[str, bool]) -> Run:
    def score() -> None:
        with open_session() as db:
            ScoringService(db).score_file(parties, out, **parts)

    return timed(score)


def bare_copy(source: Path, out: Path, compression: str = "snappy") -> None:
    """Copy a Parquet file by DuckDB: by default compressed as DuckDB does, we write zstd."""
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (FROM read_parquet('{source}')) TO '{out}' "
            f"(FORMAT parquet, COMPRESSION {compression})"
        )


def _looped(card: Scorecard, parties: Path) -> float:
    """Score the first parties one by one, and say how long all would take so."""
    n = pq.ParquetFile(parties).metadata.num_rows
    piece = next(pq.ParquetFile(parties).iter_batches(_LOOPED, columns=list(card.feature_names)))
    people = piece.to_pylist()
    started = time.perf_counter()
    for person in people:
        score_party(card, person)
    return (time.perf_counter() - started) * n / len(people)


def measure_decision(folder: Path) -> list[Row]:
    """Decide on one party in process, with reason codes.

    Parameters
    ----------
    folder : Path
        For the peers' sample.

    Returns
    -------
    list of dict
        One row; seconds are per decision.
    """
    sample = write_parties(folder / "sample.parquet", _SAMPLE)
    edges = bin_edges(sample)
    card, usual = binned_card(edges), default_card()
    person = pq.read_table(sample, columns=list(card.feature_names)).slice(0, 1).to_pylist()[0]

    def deciding(with_card: Scorecard) -> Run:
        def run() -> float:
            started = time.perf_counter()
            for _ in range(_DECISIONS):
                score_party(with_card, person)
            return (time.perf_counter() - started) / _DECISIONS

        return run

    with ExitStack() as stack:
        runs = {"one decision": deciding(card), "one decision, default card": deciding(usual)}
        for name in PEERS:
            peer = stack.enter_context(running_peer(name, edges, sample))
            runs[name] = peer.asking(do="one", times=_PEER_DECISIONS)
        return [compare("one decision with reasons", 1, runs, 5)]


def bin_edges(sample: Path) -> dict[str, list[float]]:
    """Give inner edges of bins at the quintiles of each feature, ties once.

    Parameters
    ----------
    sample : Path
        Parquet of parties.

    Returns
    -------
    dict of str to list of float
        Features of the default card; at least one edge each.
    """
    table = pq.read_table(sample)
    edges = {}
    for name in default_card().feature_names:
        values = pc.drop_null(table[name]).to_numpy()
        found = np.unique(np.quantile(values, _SHARES))
        found = found[found > values.min()]
        edges[name] = found.tolist() or [float(values.max())]
    return edges


def binned_card(edges: Mapping[str, list[float]]) -> Scorecard:
    """Give the default card with bins instead of its transforms, goodness rising evenly."""
    document: dict[str, Any] = default_card().to_document()
    for name, inner in edges.items():
        feature = document["features"][name]
        values = [step / len(inner) for step in range(len(inner) + 1)]
        feature["transform"] = {"kind": "bins", "edges": inner, "values": values}
    return Scorecard.from_document(document)
