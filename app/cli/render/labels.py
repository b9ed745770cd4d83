"""What a label set looks like: counts by status, then whether it can carry a training."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType

from app.cli.render.gates import blocking_sentences, gate_table
from app.cli.render.tables import bullets, next_step, sentence, table
from app.domain.blocking import blocking_failures
from app.domain.counted import counted
from app.edge import numbers

if TYPE_CHECKING:
    from app.domain.types import Document

STATUSES = {
    "bad": "a qualifying event within the window",
    "good": "none within the window",
    "indeterminate": "only an indeterminate event",
    "immature": "the window ends after the outcomes are complete",
    "excluded": "already bad when scored, or never granted credit",
}
FLAG_STATUSES = {"bad": "flagged bad", "good": "flagged good", "immature": "not flagged yet"}


def generated(result: Document) -> Iterator[RenderableType]:
    """Show a label set that was generated.

    Parameters
    ----------
    result : dict
        What ``generate_labels`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    yield sentence(headline(result), "bold")
    yield status_table(result)
    yield gate_table(result["gates"])
    yield from bullets("Not passed", blocking_sentences(result["gates"]))
    yield from bullets("Keep in mind", result["warnings"])
    if not blocking_failures(result["gates"]):
        yield next_step(f"chancellor train {result['batch_id']}")


def headline(result: Document) -> str:
    """Say in one sentence what the labels are.

    Parameters
    ----------
    result : dict
        Counts, default_rate (a fraction or None) and data_through.

    Returns
    -------
    str
        Such as "2,050 of 2,102 parties are labelled, 26.8 % of them bad (...)".

    Examples
    --------
    >>> headline({"n_parties": 2102, "n_labelled": 2050, "default_rate": 0.268,
    ...           "data_through": "2014-08-31"})
    '2,050 of 2,102 parties are labelled, 26.8 % of them bad (outcomes through 2014-08-31).'
    """
    through = result["data_through"]
    known = f" (outcomes through {numbers.day(through)})" if through else ""
    bad = f", {numbers.rate(result['default_rate'])} of them bad" if result["n_labelled"] else ""
    return (
        f"{numbers.count(result['n_labelled'])} of {counted(result['n_parties'], 'party')} "
        f"{'is' if result['n_labelled'] == 1 else 'are'} labelled{bad}{known}."
    )


def status_table(result: Document) -> RenderableType:
    """Build the table of counts by status.

    Parameters
    ----------
    result : dict
        ``n_bad``, ``n_good`` and so on, and ``outcome_type``: final flags know no window.

    Returns
    -------
    RenderableType
        One row per status with its share of all parties.
    """
    total = result["n_parties"]
    meanings = FLAG_STATUSES if result["outcome_type"] == "final_flag" else STATUSES
    rows = [
        (
            status,
            numbers.count(result[f"n_{status}"]),
            numbers.rate(result[f"n_{status}"] / total if total else None),
            meaning,
        )
        for status, meaning in meanings.items()
    ]
    return table("Parties by status", ("status", "parties>", "share>", "meaning"), rows)
