"""Who is affected: band shares, migration, swap sets and a cut-off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.cli.render import numbers
from app.cli.render.tables import table

if TYPE_CHECKING:
    from rich.table import Table

    from app.domain.types import Document


def band_table(movement: Document, source: str) -> Table:
    """Build the table of band shares before and after.

    Parameters
    ----------
    movement : dict
        ``band_shares`` old and new by name, ``n_rows``.
    source : str
        What the figures come from.

    Returns
    -------
    Table
        One row per band.
    """
    old, new = movement["band_shares"]["old"], movement["band_shares"]["new"]
    rows = [
        (
            band,
            numbers.rate(old.get(band, 0.0)),
            numbers.rate(new.get(band, 0.0)),
            numbers.change(new.get(band, 0.0) - old.get(band, 0.0)),
        )
        for band in {**old, **new}
    ]
    title = f"Band shares of {numbers.count(movement['n_rows'])} scored rows ({source})"
    return table(title, ("band", "old>", "new>", "difference in points of %>"), rows)


def migration_table(migration: Document, source: str) -> Table:
    """Build the band migration matrix.

    Parameters
    ----------
    migration : dict
        ``old_bands`` (rows), ``new_bands`` (columns) and ``counts``.
    source : str
        What the figures come from.

    Returns
    -------
    Table
        Counts; what stays in its band is in brackets.
    """
    rows = [
        (
            old_band,
            *(
                f"[{numbers.count(n)}]" if old_band == new_band else numbers.count(n)
                for new_band, n in zip(migration["new_bands"], counts, strict=True)
            ),
        )
        for old_band, counts in zip(migration["old_bands"], migration["counts"], strict=True)
    ]
    columns = ("from \\ to", *(f"{band}>" for band in migration["new_bands"]))
    return table(f"Band migration, rows moved ({source})", columns, rows)


def swap_table(swap_sets: Sequence[Document], source: str) -> Table:
    """Build the table of swap sets at each band boundary.

    Parameters
    ----------
    swap_sets : sequence of dict
        Per bound the newly approved and newly declined with their observed bad rates.
    source : str
        What the figures come from.

    Returns
    -------
    Table
        One row per bound.
    """
    rows = [
        (
            one["at"],
            numbers.points(one["new_bound"]),
            *_group(one["newly_approved"]),
            *_group(one["newly_declined"]),
            *_group(one["approved_by_both"]),
        )
        for one in swap_sets
    ]
    columns = (
        "approve from", "score>", "newly approved>", "bad>", "newly declined>", "bad>",
        "approved by both>", "bad>",
    )  # fmt: skip
    return table(f"Swap set, with observed bad rates ({source})", columns, rows)


def cut_off_table(cut_off: Document, source: str) -> Table:
    """Build the table of approval and bad rate at a score of one's choice.

    Parameters
    ----------
    cut_off : dict
        ``cut_off``, and for ``old`` and ``new`` approval_rate, n, n_bad, bad_rate.
    source : str
        What the figures come from.

    Returns
    -------
    Table
        One row per version.
    """
    rows = [
        (
            card,
            numbers.rate(cut_off[card]["approval_rate"]),
            numbers.count(cut_off[card]["n"]),
            numbers.count(cut_off[card]["n_bad"]),
            numbers.rate(cut_off[card]["bad_rate"]),
        )
        for card in ("old", "new")
    ]
    title = f"Approving from a score of {numbers.points(cut_off['cut_off'])} ({source})"
    columns = ("card", "approval rate>", "approved>", "bad>", "bad rate>")
    return table(title, columns, rows)


def _group(group: Document) -> tuple[str, str]:
    return numbers.count(group["n"]), numbers.rate(group["bad_rate"])
