"""How often one key may ask: a bucket of tokens each, filled steadily."""

from __future__ import annotations

import math
from threading import Lock

_REMEMBERED = 10_000


class RateLimiter:
    """Count requests by name, in this process.

    Parameters
    ----------
    per_minute : int
        Requests that a name may make in a minute; a tenth of them at once, and at least 10.
        0 is no limit.
    """

    def __init__(self, per_minute: int) -> None:
        self._per_second = per_minute / 60
        self._burst = max(10.0, per_minute / 10)
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = Lock()

    def seconds_to_wait(self, name: str, now: float) -> int:
        """Take one token, or say how long until there is one.

        Parameters
        ----------
        name : str
            Whose bucket.
        now : float
            A steady clock, seconds.

        Returns
        -------
        int
            0 if the request may go on, otherwise whole seconds to wait.

        Examples
        --------
        >>> limiter = RateLimiter(60)
        >>> [limiter.seconds_to_wait("a", 0.0) for _ in range(11)][-2:]
        [0, 1]
        >>> limiter.seconds_to_wait("b", 0.0), limiter.seconds_to_wait("a", 1.0)
        (0, 0)
        """
        if not self._per_second:
            return 0
        with self._lock:
            tokens, since = self._buckets.pop(name, (self._burst, now))
            tokens = min(self._burst, tokens + (now - since) * self._per_second)
            allowed = tokens >= 1
            self._buckets[name] = (tokens - allowed, now)
            while len(self._buckets) > _REMEMBERED:
                self._buckets.pop(next(iter(self._buckets)))
        return 0 if allowed else math.ceil((1 - tokens) / self._per_second)
