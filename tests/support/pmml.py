"""An independent reader of PMML, in a process of its own: it carries a Java machine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class Evaluator:
    """Evaluate PMML documents by JPMML.

    Parameters
    ----------
    process : Popen
        Which answers one line of JSON with one line of JSON.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, xml: str, parties: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Give the outputs for each party, or say why there are none."""
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError(self._process)
        self._process.stdin.write(json.dumps({"xml": xml, "parties": list(parties)}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return list(answer["results"])


@contextmanager
def running_evaluator() -> Iterator[Evaluator]:
    """Start the evaluator, and end it."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.pmml"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        yield Evaluator(process)
        if process.stdin is not None:
            process.stdin.close()
        process.wait(timeout=30)


def _answer(line: str, file: Path) -> dict[str, Any]:
    from jpmml_evaluator import make_evaluator  # noqa: PLC0415 - starts Java

    asked = json.loads(line)
    try:
        file.write_text(asked["xml"], encoding="utf-8")
        evaluator = make_evaluator(str(file))
        evaluator.verify()
        results = [evaluator.evaluate(party) for party in asked["parties"]]
    except Exception as error:  # noqa: BLE001 - whatever Java says is the answer
        return {"error": f"{type(error).__name__}: {error}"}
    return {"results": [{k: v for k, v in row.items() if k is not None} for row in results]}


def _serve() -> None:
    import tempfile  # noqa: PLC0415 - only in the process itself

    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            answer = json.dumps(_answer(line, Path(folder) / "card.pmml"), default=float)
            sys.stdout.write(answer + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    _serve()
