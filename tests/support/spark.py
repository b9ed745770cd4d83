"""Spark in local mode, in a process and an environment of its own (`make spark`)."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from app.domain.exports.sql_card import sql_card
from app.domain.exports.sql_dialects import DIALECTS
from app.domain.scorecard import Scorecard
from tests.support.exports import KEY, Row, ordered, rows_of, stamp_of, typed

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".spark" / "bin" / "python"


class Spark:
    """Score by the exported SQL on Spark.

    Parameters
    ----------
    process : Popen
        Which answers one line of JSON with one line of JSON.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, card: Scorecard, table: pa.Table) -> list[Row]:
        query = sql_card(card, stamp_of(card), DIALECTS["spark"], key=KEY)
        data = typed(card, table)
        columns = [[field.name, str(field.type)] for field in data.schema]
        answer = self._ask({"sql": query, "columns": columns, "rows": rows_of(data)})
        return ordered(card, answer["rows"], answer["names"])

    def _ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError(self._process)
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer


@contextmanager
def running_spark(log: Path) -> Iterator[Spark]:
    """Start Spark, and end it; what it says of itself goes to a file."""
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": str(PYTHON)}
    with log.open("w") as said, subprocess.Popen(
        [PYTHON, Path(__file__).with_name("spark_process.py")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True, env=environment,
        cwd=log.parent,
    ) as process:  # fmt: skip
        yield Spark(process)
        if process.stdin is not None:
            process.stdin.close()
        process.wait(timeout=60)
