"""Edit what is stored, at random, and see that each edit is caught and named.

    python -m benchmarks.torture.corruption [--engine sqlite postgresql] [--n 1000] [--seed 1]

Three studies on a small store of real steps: edited values of the audit chain, by somebody who
dropped the triggers; edited bytes of lake files; and, on SQLite, flipped bits in the pages of
the chain. What a flip changed is read with a plain connection, not with code of ours.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from app.cli.errors import TAMPERING
from app.cli.main import main as chancellor
from app.db import open_session, transaction
from app.db.session import close_engine
from app.domain.scorecard import load_scorecard
from app.errors import AuditChainError, FileHashError
from app.lake.store import open_lake
from app.queries.lake_files import list_recorded_files
from app.services.audit_service import AuditService, record
from app.services.batch_service import BatchService
from app.services.doctor import DoctorService
from app.services.label_generation_service import LabelGenerationService
from app.services.outcome_service import OutcomeService
from app.services.scoring_service import ScoringService
from app.services.store import initialise_store
from tests.support.attack import without_triggers
from tests.support.postgres import running_server
from tests.support.small_portfolio import THROUGH, write_portfolio

N_EDITS, N_EVENTS, SEED = 1000, 250, 1
COLUMNS = (
    "seq", "at", "actor", "action", "subject", "payload", "previous_hash", "hash", "hashed_text",
)  # fmt: skip
PARTS = (
    *(("audit_events", column) for column in COLUMNS),
    ("audit_head", "seq"),
    ("audit_head", "hash"),
)
INDEX = "ix_audit_events_subject"
EXAMINE_EVERY = 50


@dataclass(slots=True)
class Tally:
    """What was done and what came of it.

    Attributes
    ----------
    counts : Counter
        How often each thing happened.
    faults : list of str
        What must never happen: an edit that was not caught, or not named, or a traceback.
    """

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """Give the counts by name, and the faults."""
        return {"counts": dict(sorted(self.counts.items())), "faults": self.faults}


def main(arguments: list[str] | None = None) -> int:
    """Run the studies and print their counts; 1 if anything was not caught."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--engine", nargs="*", default=("sqlite", "postgresql"))
    parser.add_argument("--n", type=int, default=N_EDITS)
    parser.add_argument("--seed", type=int, default=SEED)
    chosen = parser.parse_args(arguments)
    found = {}
    for engine in chosen.engine:
        with tempfile.TemporaryDirectory(prefix="chancellor-torture-") as folder:
            found[engine] = corruption(engine, Path(folder), n=chosen.n, seed=chosen.seed)
        sys.stdout.write(json.dumps({engine: found[engine]}, indent=2) + "\n")
        sys.stdout.flush()
    return 1 if any(study["faults"] for one in found.values() for study in one.values()) else 0


def corruption(engine: str, folder: Path, *, n: int, seed: int) -> dict[str, Any]:
    """Run every study on one database.

    Parameters
    ----------
    engine : {"sqlite", "postgresql"}
        The database.
    folder : Path
        An empty folder for files and store.
    n : int
        Edits of each study.
    seed : int
        Same seed, same edits.

    Returns
    -------
    dict
        Study to counts and faults.
    """
    with running_server() if engine == "postgresql" else nullcontext() as server:
        home = folder / "store"
        url = f"sqlite:///{home / 'chancellor.db'}"
        if server is not None:
            url = server.url(server.create_database())
        with _environment(home, url):
            _build(folder / "files", url)
            studies = {
                "values": edit_values(url, n=n, rng=random.Random(seed)),  # noqa: S311 - a study
                "files": edit_files(url, n=n, rng=random.Random(seed + 1)),  # noqa: S311 - a study
            }
            close_engine(url)
            if engine == "sqlite":
                rng = random.Random(seed + 2)  # noqa: S311 - a study
                studies["pages"] = flip_bits(home / "chancellor.db", n=n, rng=rng)
    return {name: study.document() for name, study in studies.items()}


def edit_values(url: str, *, n: int, rng: random.Random) -> Tally:
    """Edit one stored value at a time, past the triggers; ``audit verify`` has to name it."""
    tally = Tally()
    engine = create_engine(url)
    with without_triggers(url), open_session(url) as db:
        while tally.counts["edits"] < n:
            table, column = rng.choice(PARTS)
            with engine.begin() as connection:
                sql = f"SELECT seq, {column} FROM {table} ORDER BY seq"  # noqa: S608 - our own names
                rows = connection.execute(text(sql)).all()
            seq, value = rng.choice(rows)
            changed = _another(value, [row[1] for row in rows], rng, engine.dialect.name)
            where = f"{table}.{column} of event {seq}: {value!r} to {changed!r}"
            if not _set(engine, table, column, seq, changed):
                tally.counts["refused by the database"] += 1
                continue
            tally.counts["edits"] += 1
            tally.counts[f"edits of {table}.{column}"] += 1
            try:
                AuditService(db).verify_chain()
                tally.faults.append(f"not caught: {where}")
            except AuditChainError as error:
                tally.counts["caught by audit verify"] += 1
                if error.facts["seq"] not in _names(table, column, seq, changed, rows):
                    tally.faults.append(f"named wrongly: {where}: {error.message}")
            except Exception as error:  # noqa: BLE001 - the study reports it
                tally.faults.append(f"{type(error).__name__}: {where}: {error}")
            db.rollback()
            key = changed if column == "seq" else seq
            if not _set(engine, table, column, key, value):
                raise RuntimeError(f"could not put back {where}")
        AuditService(db).verify_chain()
        db.rollback()
    engine.dispose()
    return tally


def _set(engine: Engine, table: str, column: str, seq: Any, value: Any) -> bool:
    """Write a value; False where the database itself refuses it, or it reads back as before."""
    try:
        with engine.begin() as connection:
            read = text(f"SELECT {column} FROM {table} WHERE seq = :seq")  # noqa: S608 - our own names
            before = connection.execute(read, {"seq": seq}).scalar_one()
            edit = text(f"UPDATE {table} SET {column} = :value WHERE seq = :seq")  # noqa: S608 - as above
            connection.execute(edit, {"value": value, "seq": seq})
            key = value if column == "seq" else seq
            after = connection.execute(read, {"seq": key}).scalar_one()
            return (type(before), before) != (type(after), after)
    except DBAPIError:
        return False


def _another(value: Any, others: list[Any], rng: random.Random, dialect: str) -> Any:
    """Give another value: a number, a changed text, another row's, or another type."""
    if isinstance(value, int):
        return rng.choice([value + 1, -value, 0, value + rng.randrange(1, 10**6), len(others) + 1])
    place = rng.randrange(len(value) + 1)
    letter = chr(rng.choice([32, rng.randrange(33, 127), rng.randrange(0xA1, 0x2FF), 0x1F600]))
    ways = [
        value[:place] + letter + value[place:],
        value[:place] + letter + value[place + 1 :],
        value[:place] + value[place + 1 :],
        value[:place],
        value.swapcase(),
        rng.choice(others),
        "",
        value + " ",
    ]
    if dialect == "sqlite":  # takes a value of any type in any column
        ways += [value.encode(), rng.randrange(100), rng.random(), None]
    return rng.choice(ways)


def _names(table: str, column: str, seq: int, changed: Any, rows: list[Any]) -> set[int | None]:
    """Say which event the error may name: the edited one, or where a gap or the end now is."""
    if table == "audit_head":
        last = rows[-1][0]
        return {None, last, last + 1, int(changed) if isinstance(changed, int) else last}
    if column != "seq":
        return {seq}
    return {1} if changed < 1 else {seq}


def edit_files(url: str, *, n: int, rng: random.Random) -> Tally:
    """Change one byte of a lake file at a time; the hash check has to name the file."""
    tally, lake = Tally(), open_lake()
    with open_session(url) as db:
        recorded = list_recorded_files(db)
        db.rollback()
        for number in range(n):
            file = rng.choice(recorded)
            place = Path(lake.place_of(file.path))
            whole = place.read_bytes()
            offset, other = rng.randrange(len(whole)), rng.randrange(1, 256)
            place.write_bytes(whole[:offset] + bytes([whole[offset] ^ other]) + whole[offset + 1 :])
            tally.counts["edits"] += 1
            tally.counts[f"edits of {file.path.split('/')[0]}"] += 1
            try:
                lake.read_table(file.path, file.sha256)
                tally.faults.append(f"not caught: byte {offset} of {file.path}")
            except FileHashError as error:
                tally.counts["caught by the hash check"] += 1
                if error.facts["path"] != file.path or file.path not in error.message:
                    tally.faults.append(f"named wrongly: {file.path}: {error.message}")
            if number % EXAMINE_EVERY == 0:
                tally.counts["doctor asked"] += 1
                findings = DoctorService(db).examine()["findings"]
                named = {found["subject"] for found in findings if found["kind"] == "changed_file"}
                if named != {one.row for one in recorded if one.path == file.path}:
                    tally.faults.append(f"doctor named {named} for {file.path}")
                db.rollback()
            place.write_bytes(whole)
    return tally


def flip_bits(file: Path, *, n: int, rng: random.Random) -> Tally:
    """Flip one bit at a time in the pages of the chain; see what it changed, and who says so."""
    tally = Tally()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        pages = connection.execute(
            "SELECT pageno, name FROM dbstat WHERE name IN ('audit_events', 'audit_head', ?) "
            "ORDER BY pageno",
            [INDEX],
        ).fetchall()
    whole, before = file.read_bytes(), _stored(file)
    tally.counts["pages"] = len(pages)
    for _ in range(n):
        page, name = rng.choice(pages)
        offset, bit = rng.randrange(size), rng.randrange(8)
        place = (page - 1) * size + offset
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
        where = f"page {page} of {name}, byte {offset}, bit {bit}"
        _count_flip(tally, before, file, where)
        for left in (file.with_name(file.name + end) for end in ("-wal", "-shm")):
            left.unlink(missing_ok=True)
    file.write_bytes(whole)
    return tally


def _count_flip(tally: Tally, before: Any, file: Path, where: str) -> None:
    tally.counts["flips"] += 1
    try:
        effect = "a value changed" if _stored(file) != before else "no value changed"
    except sqlite3.Error:
        effect = "cannot be read"
    code, told = _verified(file)
    caught = code == TAMPERING
    tally.counts[f"{effect}, {'reported' if caught else 'verifies'}"] += 1
    if caught:
        tally.counts[f"reported as {told['code']}"] += 1
    if (not caught and effect != "no value changed") or (not caught and code):
        tally.faults.append(f"{effect}, exit code {code}: {where}: {told}")
    if caught and not told["message"]:
        tally.faults.append(f"not named: {where}")


def _stored(file: Path) -> Any:
    """Read every value of the chain, and every entry of its index, with its type."""
    typed = ", ".join(f"typeof({column}), {column}" for column in COLUMNS)
    with closing(sqlite3.connect(file)) as connection:
        connection.text_factory = bytes
        return [
            connection.execute(sql).fetchall()
            for sql in (
                f"SELECT {typed} FROM audit_events NOT INDEXED",  # noqa: S608 - our own names
                f"SELECT subject, seq FROM audit_events INDEXED BY {INDEX} ORDER BY subject, seq",  # noqa: S608 - as above
                "SELECT id, typeof(seq), seq, typeof(hash), hash FROM audit_head",
            )
        ]


def _verified(file: Path) -> tuple[int, dict[str, Any]]:
    """Run ``chancellor audit verify`` as a person does; a traceback counts as exit code -1."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = chancellor(["audit", "verify", "--json"])
    close_engine(f"sqlite:///{file}")
    told: dict[str, Any] = json.loads(out.getvalue()).get("error", {})
    return (-1 if "Traceback" in err.getvalue() else code), told


def _build(files: Path, url: str) -> None:
    """Make a store by its own steps, and go on deciding until the chain has a few pages."""
    portfolio = write_portfolio(files, n=600)
    initialise_store(card=load_scorecard(portfolio.card), actor="ada")
    with open_session(url) as db:
        BatchService(db, actor="ada").import_file(
            portfolio.batch, batch_id="B1", party_id="party", scored_at="scored"
        )
        OutcomeService(db, actor="ada").import_events(
            portfolio.outcomes, party_id="party", event_date="written_off",
            event_type="write_off", through=THROUGH,
        )  # fmt: skip
        LabelGenerationService(db, actor="ada").generate_labels(batch_id="B1")
        ScoringService(db, actor="ada").score_batch("B1")
        with transaction(db):
            for number in range(N_EVENTS):
                record(
                    db, actor=f"person-{number % 7}", action="note.written",
                    subject=f"note:{number % 50}", payload={"number": number, "text": "geprüft"},
                )  # fmt: skip
        AuditService(db).verify_chain()


@contextmanager
def _environment(home: Path, url: str) -> Iterator[None]:
    """Point this process at the store."""
    names = ("CHANCELLOR_HOME", "CHANCELLOR_DATABASE_URL", "CHANCELLOR_LAKE")
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    os.environ |= {"CHANCELLOR_HOME": str(home), "CHANCELLOR_DATABASE_URL": url}
    try:
        yield
    finally:
        close_engine(url)
        for name in names:
            os.environ.pop(name, None)
        os.environ.update(kept)


if __name__ == "__main__":
    sys.exit(main())
