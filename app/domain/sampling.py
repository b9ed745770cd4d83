"""A stratified sample of parties, drawn by the same expression and so the same on every engine."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np

from app.domain.types import Document
from app.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Drawn:
    """Hold how the rows that trained were drawn from all labelled rows.

    Attributes
    ----------
    limit : int
        Row limit above which a sample is drawn.
    seed : int
        Seed of the draw.
    n_rows, n_bad_rows : int
        Labelled rows before the draw, and bad ones.
    n_drawn, n_bad_drawn : int
        The same after it.
    """

    limit: int
    seed: int
    n_rows: int
    n_bad_rows: int
    n_drawn: int
    n_bad_drawn: int

    @property
    def weights(self) -> tuple[float, float]:
        """Give the weights of a good and a bad row: the inverse of the share that was drawn."""
        good, bad = self._shares
        return 1 / good, 1 / bad

    @property
    def shift(self) -> float:
        """Give what the draw added to the log-odds of bad; 0 where classes were drawn alike."""
        good, bad = self._shares
        return float(np.log(bad / good))

    @property
    def _shares(self) -> tuple[float, float]:
        n_good, n_good_drawn = self.n_rows - self.n_bad_rows, self.n_drawn - self.n_bad_drawn
        return n_good_drawn / n_good, self.n_bad_drawn / self.n_bad_rows

    def as_dict(self) -> Document:
        """Give the draw as a JSON-ready mapping."""
        good, bad = self.weights
        return {
            "limit": self.limit,
            "seed": self.seed,
            "n_rows": self.n_rows,
            "n_bad_rows": self.n_bad_rows,
            "n_drawn": self.n_drawn,
            "n_bad_drawn": self.n_bad_drawn,
            "weight_good": good,
            "weight_bad": bad,
            "intercept_shift": self.shift,
        }


def draw_parties(
    rows: ir.Table, *, seed: int, good_share: float, bad_share: float | None = None
) -> ir.Table:
    """Draw parties, stratified by outcome and scoring month; a party's rows stay together.

    A party belongs to the stratum of its worst outcome and of the month of its first score. In
    each stratum parties stand in the order of the MD5 digest of seed and party id, which every
    engine computes alike, and the first ones are taken: as many as the share asks for, rounded,
    and at least one.

    Parameters
    ----------
    rows : ibis Table
        ``party_id`` (text), ``bad`` (1 or 0) and ``scored_on`` (date), one row per labelled row.
    seed : int
        Another seed draws other parties.
    good_share, bad_share : float
        Share of the parties without and with a bad row that is taken, in (0, 1]; by default the
        same of both.

    Returns
    -------
    ibis Table
        ``party_id``, ``is_bad``, ``month`` (such as 202603), ``n_stratum`` and ``n_drawn``, parties
        of the stratum and those taken; a party's weight is the first by the second. In no order.

    Raises
    ------
    InvalidInputError
        If a share is not in (0, 1].

    Examples
    --------
    >>> import pyarrow as pa
    >>> from datetime import date
    >>> rows = ibis.memtable(pa.table({"party_id": [str(k) for k in range(10)],
    ...     "bad": [0] * 8 + [1] * 2, "scored_on": [date(2026, 3, 31)] * 10}))
    >>> drawn = draw_parties(rows, seed=7, good_share=0.5).to_pyarrow()
    >>> sorted(drawn["party_id"].to_pylist()), set(drawn["month"].to_pylist())
    (['1', '2', '3', '6', '9'], {202603})
    """
    shares = (good_share, good_share if bad_share is None else bad_share)
    if not all(0 < share <= 1 for share in shares):
        raise InvalidInputError("the share to draw lies in (0, 1]", shares=shares)
    month = rows.scored_on.year() * 100 + rows.scored_on.month()
    parties = rows.group_by("party_id").aggregate(is_bad=rows.bad.max(), month=month.min())
    digest = (ibis.literal(f"{seed}:") + parties.party_id).hexdigest("md5")
    parties = parties.mutate(digest=digest).view()
    stratum = [parties.is_bad, parties.month]
    placed = parties.mutate(
        place=ibis.row_number().over(group_by=stratum, order_by=[parties.digest, parties.party_id]),
        n_stratum=parties.party_id.count().over(group_by=stratum),
    ).view()
    share = ibis.ifelse(placed.is_bad == 1, shares[1], shares[0])
    wanted = (placed.n_stratum * share + 0.5).floor().cast("int64")
    sized = placed.mutate(n_drawn=ibis.greatest(wanted, 1)).view()
    return sized.filter(sized.place < sized.n_drawn).select(
        "party_id", "is_bad", "month", "n_stratum", "n_drawn"
    )


def correct_intercept(intercept: float, drawn: Drawn) -> float:
    r"""Give the intercept that a logistic fit has on all rows, from one on drawn rows.

    Rows drawn by outcome leave the coefficients of a logistic regression as they are and move its
    intercept by the logarithm of the ratio of the shares drawn,

    .. math:: a = \hat{a} - \ln \frac{\pi_1}{\pi_0}, \qquad \pi_y = \frac{n_y}{N_y}

    Parameters
    ----------
    intercept : float
        Log-odds of bad, fitted on the drawn rows without weights.
    drawn : Drawn
        Counts of both classes, before and after.

    Returns
    -------
    float
        Log-odds of bad among all rows.

    References
    ----------
    .. [1] G. King, L. Zeng, "Logistic regression in rare events data", Political Analysis 9
       (2001), equation 7.

    Examples
    --------
    Of 100 bads all were drawn, of 900 goods 100; the drawn rows have log-odds 0.

    >>> drawn = Drawn(limit=200, seed=0, n_rows=1000, n_bad_rows=100, n_drawn=200, n_bad_drawn=100)
    >>> round(correct_intercept(0.0, drawn), 6), round(float(np.log(100 / 900)), 6)
    (-2.197225, -2.197225)
    """
    return intercept - drawn.shift
