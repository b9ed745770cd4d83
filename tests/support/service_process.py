"""The service in a process of its own, as people start it: to measure it, and to kill it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.ports import free_port

_SECONDS_TO_START = 60.0
_SECONDS_TO_END = 20.0


@dataclass(slots=True)
class ServiceProcess:
    """A running ``chancellor serve``.

    Attributes
    ----------
    url : str
        Where it listens.
    process : Popen
        The process itself.
    scratch : Path
        The folder in which it keeps temporary files, of its own.
    log : Path
        What it wrote to stdout and stderr.
    """

    url: str
    process: subprocess.Popen[bytes]
    scratch: Path
    log: Path

    def memory_bytes(self) -> int:
        """Give the memory that it holds in RAM (RSS)."""
        return self._status("VmRSS:")

    def peak_memory_bytes(self) -> int:
        """Give the most that it ever held."""
        return self._status("VmHWM:")

    def forget_peak(self) -> None:
        """Count the most from now on."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5", encoding="ascii")

    def _status(self, name: str) -> int:
        text = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        line = next(line for line in text.splitlines() if line.startswith(name))
        return int(line.split()[1]) * 1024

    def kill(self) -> None:
        """End it without a word, as the kernel does when memory is short."""
        self.process.kill()
        self.process.wait()

    def leftovers(self) -> list[str]:
        """List the temporary files of uploads that are there."""
        return sorted(str(path) for path in self.scratch.glob("chancellor-*"))


@contextmanager
def service_process(
    folder: Path, *, port: int | None = None, **environment: str
) -> Iterator[ServiceProcess]:
    """Run ``chancellor serve`` on the store that the environment names.

    Parameters
    ----------
    folder : Path
        For its log and its temporary files.
    port : int or None
        By default a free one.
    **environment : str
        Variables beside those of the test.
    """
    place = port or free_port()
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    log = folder / f"service-{time.monotonic_ns()}.log"
    command = [str(Path(sys.executable).with_name("chancellor")), "serve", "--port", str(place)]
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            stdout=file,
            stderr=file,
            env={**os.environ, "TMPDIR": str(scratch), **environment},
        )
    running = ServiceProcess(f"http://127.0.0.1:{place}", process, scratch, log)
    try:
        _wait_until_it_answers(running)
        yield running
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                running.kill()


def _wait_until_it_answers(running: ServiceProcess) -> None:
    until = time.monotonic() + _SECONDS_TO_START
    while True:
        try:
            httpx.get(f"{running.url}/healthz", trust_env=False).raise_for_status()
        except httpx.HTTPError:
            if running.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(running.log.read_text(errors="replace")[-4000:]) from None
            time.sleep(0.05)
        else:
            return
