"""An observed rate and how sure it is: Wilson's interval for k of n."""

from __future__ import annotations

from scipy.stats import norm

from app.domain.types import Document
from app.errors import InvalidInputError

LEVEL = 0.95
"""Of every interval of a rate."""


def wilson_interval(n_bad: int, n: int, level: float = LEVEL) -> list[float] | None:
    r"""Give Wilson's score interval of a rate.

    .. math:: \frac{k + z^2/2}{n + z^2} \pm \frac{z}{n + z^2}\sqrt{\frac{k (n - k)}{n} + z^2/4}

    Parameters
    ----------
    n_bad : int
        k, how many of them.
    n : int
        Of how many, >= k.
    level : float
        Of the interval, in (0, 1).

    Returns
    -------
    list of float or None
        Lower and upper limit, fractions in [0, 1]; None where n is 0.

    Raises
    ------
    InvalidInputError
        If k is not between 0 and n.

    References
    ----------
    .. [1] E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
       Journal of the American Statistical Association 22 (1927).
    .. [2] L. D. Brown, T. T. Cai, A. DasGupta, "Interval estimation for a binomial proportion",
       Statistical Science 16 (2001): recommended for every n.

    Examples
    --------
    >>> [round(end, 4) for end in wilson_interval(0, 10)], wilson_interval(0, 0)
    ([0.0, 0.2775], None)
    """
    if not 0 <= n_bad <= n:
        raise InvalidInputError(f"{n_bad} of {n} is no rate", n_bad=n_bad, n=n)
    if n == 0:
        return None
    z2 = float(norm.ppf(0.5 + level / 2)) ** 2
    centre = (n_bad + z2 / 2) / (n + z2)
    half = (z2 * (n_bad * (n - n_bad) / n + z2 / 4)) ** 0.5 / (n + z2)
    return [max(0.0, centre - half), min(1.0, centre + half)]


def observed_rate(n_bad: int, n: int) -> Document:
    """Describe a bad rate with its counts and its interval.

    Parameters
    ----------
    n_bad : int
        Bad parties.
    n : int
        Parties with a known outcome.

    Returns
    -------
    dict
        ``n``, ``n_bad``, ``bad_rate`` and ``bad_rate_interval`` (Wilson, 95 %), fractions; both
        None where n is 0.

    Examples
    --------
    >>> observed_rate(0, 0)
    {'n': 0, 'n_bad': 0, 'bad_rate': None, 'bad_rate_interval': None}
    """
    return {
        "n": n,
        "n_bad": n_bad,
        "bad_rate": n_bad / n if n else None,
        "bad_rate_interval": wilson_interval(n_bad, n),
    }
