"""Ask a peer that runs in an environment of its own, ``.peers``."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.performance.measure import ROOT, Run

PEERS = ("optbinning", "toad")
_PYTHON = ROOT / ".peers" / "bin" / "python"
_PROCESS = Path(__file__).with_name("peer_process.py")
_VERSIONS = (
    "import json, importlib.metadata as m; "
    "print(json.dumps({n: m.version(n) for n in "
    "('optbinning', 'toad', 'scikit-learn', 'numpy', 'pandas', 'pyarrow')}))"
)


class Peer:
    """A peer's scorecard, fitted, waiting for requests.

    Parameters
    ----------
    process : Popen
        Of ``peer_process.py``, with pipes for text.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.has_reasons: bool = self._answer()["has_reasons"]

    def asking(self, **request: Any) -> Run:
        """Give a run that sends a request and hands on the seconds of the answer."""

        def run() -> float:
            if self._process.stdin is None:
                raise RuntimeError("the peer takes no requests")
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            return float(self._answer())

        return run

    def _answer(self) -> Any:
        line = "" if self._process.stdout is None else self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the peer ended: its exit code is {self._process.wait()}")
        return json.loads(line)


@contextmanager
def running_peer(name: str, edges: Mapping[str, Sequence[float]], sample: Path) -> Iterator[Peer]:
    """Start a peer with a card on given bins, and stop it at the end.

    Parameters
    ----------
    name : {"optbinning", "toad"}
        Which.
    edges : mapping of str to sequence of float
        Inner edges of each feature's bins.
    sample : Path
        Parquet of the parties that it fits its points on.
    """
    at = sample.with_suffix(f".{name}.json")
    at.write_text(json.dumps(edges), encoding="utf-8")
    words = [str(_PYTHON), str(_PROCESS), name, str(at), str(sample)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(words, text=True, **pipes) as process:  # type: ignore[call-overload]  # noqa: S603 - our own words
        try:
            yield Peer(process)
        finally:
            process.terminate()


def peer_versions() -> dict[str, str]:
    """Give the versions of the libraries in the peers' environment."""
    words = [str(_PYTHON), "-c", _VERSIONS]
    done = subprocess.run(words, capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    found: dict[str, str] = json.loads(done.stdout)
    return found
