"""What Prometheus reads: requests by route and status, how long they took, runs by state."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """Counters of one running service, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "chancellor_requests",
            "Requests answered",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "chancellor_request_seconds",
            "Time to the end of the answer",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._runs = Gauge(
            "chancellor_runs", "Pipeline runs by state", ("status",), registry=self._registry
        )

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request.

        Parameters
        ----------
        method : str
            HTTP method.
        route : str
            Path with its parameters in braces: never a value that somebody sent.
        status : int
            Of the answer; 0 if the client went away.
        seconds : float
            How long it took.
        """
        known = (method, route, status)
        if known not in self._known:
            self._known[known] = (
                self._requests.labels(method, route, str(status)),
                self._seconds.labels(method, route),
            )
        counter, histogram = self._known[known]
        counter.inc()
        histogram.observe(seconds)

    def render(self, runs: Mapping[str, int]) -> bytes:
        """Write everything as Prometheus reads it.

        Parameters
        ----------
        runs : mapping of str to int
            Number of pipeline runs by status, read now.

        Returns
        -------
        bytes
            Text exposition format.
        """
        for status, count in runs.items():
            self._runs.labels(status).set(count)
        return generate_latest(self._registry)
