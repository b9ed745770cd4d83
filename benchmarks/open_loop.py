"""A load generator for loopback, of bounded rate, time, connections and requests.

Open loop: each request has its moment, whether or not earlier ones were answered, and its latency
counts from that moment; a slow service cannot slow the questions down. Closed loop: so many
callers, each asking again once it is answered, for the most that a service can do.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

MAX_RATE = 2_000
MAX_SECONDS = 120
MAX_CONNECTIONS = 128
TIMEOUT_SECONDS = 10.0
KEEP_SECONDS = 3.0
NO_ANSWER = 0

Ask = Callable[[int], bytes]


@dataclass(slots=True)
class Answers:
    """What came back.

    Attributes
    ----------
    seconds : float
        From the first question to the last answer.
    latencies : list of float
        Milliseconds of the answers with status 200.
    statuses : Counter
        Answers by status; 0 where none came in time.
    """

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def n_ok(self) -> int:
        """Count the answers with status 200."""
        return self.statuses[200]

    @property
    def per_second(self) -> float:
        """Give the answers with status 200 in a second."""
        return self.n_ok / self.seconds

    def percentile(self, percent: float) -> float:
        """Give a percentile of the latencies in milliseconds; NaN without any."""
        return float(np.percentile(self.latencies, percent)) if self.latencies else float("nan")


class Callers:
    """Keep connections to one service, and ask over whichever is free.

    Parameters
    ----------
    port : int
        On 127.0.0.1.
    ask : callable
        Gives the bytes of the request with a number.
    """

    def __init__(self, port: int, ask: Ask) -> None:
        self.host, self.port, self.ask = "127.0.0.1", port, ask
        if not ipaddress.ip_address(self.host).is_loopback:
            raise ValueError("load is for this machine only")
        self._free: list[_Connection] = []
        self._places = asyncio.Semaphore(MAX_CONNECTIONS)

    async def open_loop(self, *, rate: int, seconds: int, first: int = 0) -> Answers:
        """Ask at a steady rate.

        Parameters
        ----------
        rate : int
            Requests a second, at most 2,000.
        seconds : int
            At most 120.
        first : int
            Number of the first request.

        Returns
        -------
        Answers
            One for each request.
        """
        if not (0 < rate <= MAX_RATE and 0 < seconds <= MAX_SECONDS):
            raise ValueError("the load has bounds")
        answers = Answers()
        began = time.perf_counter()
        tasks = []
        for number in range(rate * seconds):
            due = began + number / rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            tasks.append(asyncio.create_task(self._one(first + number, due, answers)))
        await asyncio.gather(*tasks)
        answers.seconds = time.perf_counter() - began
        return answers

    async def closed_loop(self, *, callers: int, seconds: int, first: int = 0) -> Answers:
        """Ask as fast as so many callers are answered.

        Parameters
        ----------
        callers : int
            At most 128.
        seconds : int
            At most 120.
        first : int
            Number of the first request.

        Returns
        -------
        Answers
            One for each request.
        """
        if not (0 < callers <= MAX_CONNECTIONS and 0 < seconds <= MAX_SECONDS):
            raise ValueError("the load has bounds")
        answers = Answers()
        began = time.perf_counter()
        numbers = iter(range(first, first + MAX_RATE * seconds))

        async def call() -> None:
            while time.perf_counter() - began < seconds:
                await self._one(next(numbers), time.perf_counter(), answers)

        await asyncio.gather(*(call() for _ in range(callers)))
        answers.seconds = time.perf_counter() - began
        return answers

    async def _one(self, number: int, due: float, answers: Answers) -> None:
        async with self._places:
            status = await self._asked(self.ask(number))
        answers.statuses[status] += 1
        if status == 200:  # noqa: PLR2004 - OK
            answers.latencies.append((time.perf_counter() - due) * 1000)

    def _rested(self) -> _Connection | None:
        """Give a free connection, not one that the service is about to close as idle."""
        while self._free:
            connection = self._free.pop()
            if time.perf_counter() - connection.used_at < KEEP_SECONDS:
                return connection
            connection.close()
        return None

    async def _asked(self, request: bytes) -> int:
        connection = self._rested()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                if connection is None:
                    opened = await asyncio.open_connection(self.host, self.port)
                    connection = _Connection(*opened)
                status = await connection.exchange(request)
        except (OSError, EOFError, TimeoutError):
            if connection is not None:
                connection.close()
            return NO_ANSWER
        self._free.append(connection)
        return status

    async def close(self) -> None:
        """Close every connection."""
        while self._free:
            self._free.pop().close()


@dataclass(slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    used_at: float = field(default_factory=time.perf_counter)

    async def exchange(self, request: bytes) -> int:
        self.writer.write(request)
        self.used_at = time.perf_counter()
        head = await self.reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next(line for line in lines if line.startswith(b"content-length:"))
        await self.reader.readexactly(int(length.partition(b":")[2]))
        return int(head.split(b" ", 2)[1])

    def close(self) -> None:
        self.writer.close()
