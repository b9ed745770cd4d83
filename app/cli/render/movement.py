"""Who is affected: band shares, migration, swap sets and a cut-off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from app.cli.render.tables import Figure, sentence, table
from app.domain.counted import counted
from app.edge import numbers

if TYPE_CHECKING:
    from rich.console import RenderableType

    from app.domain.types import Document

CARDS = ("old", "new")


def moved(movement: Document) -> Iterator[RenderableType]:
    """Show how far scores and bands move.

    Parameters
    ----------
    movement : dict
        The ``movement`` of a comparison.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    n_changed, n = movement["n_changed_band"], movement["n_rows"]
    if n_changed is not None:
        yield sentence(
            f"{numbers.count(n_changed)} of {counted(n, 'scored row')} "
            f"({numbers.rate(n_changed / n)}) {'changes its' if n_changed == 1 else 'change their'}"
            " band.",
            "bold",
        )
    means = movement["mean_score"]
    yield sentence(
        f"Score correlation {numbers.auc(movement['score_correlation'])}, PSI of the score "
        f"{numbers.auc(movement['psi'])}, mean score {numbers.points(means['old'])} before and "
        f"{numbers.points(means['new'])} after."
    )
    yield band_table(movement)
    yield migration_table(movement)


def band_table(movement: Document) -> Figure:
    """Build the table of band shares before and after.

    Parameters
    ----------
    movement : dict
        ``band_shares`` old and new by name, and their source.

    Returns
    -------
    Figure
        One row per band.
    """
    old, new = (movement["band_shares"][card] for card in CARDS)
    rows = [
        (
            band,
            numbers.rate(old.get(band)),
            numbers.rate(new.get(band)),
            numbers.percentage_points(new.get(band, 0.0) - old.get(band, 0.0)),
        )
        for band in {**old, **new}
    ]
    columns = ("band", "old>", "new>", "difference, % points>")
    return table("Band shares", columns, rows, source=source_line(movement["source"]))


def migration_table(movement: Document) -> Figure:
    """Build the band migration matrix.

    Parameters
    ----------
    movement : dict
        ``migration`` with ``old_bands`` (rows), ``new_bands`` (columns) and ``counts``.

    Returns
    -------
    Figure
        Counts; those that stay in their band are in brackets.
    """
    migration = movement["migration"]
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
    source = source_line(movement["source"])
    return table("Band migration, scored rows [in brackets: unmoved]", columns, rows, source=source)


def swap_table(swaps: Document) -> Figure:
    """Build the table of swap sets at each band boundary.

    Parameters
    ----------
    swaps : dict
        ``tables``, per bound the newly approved and declined with their observed bad rates.

    Returns
    -------
    Figure
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
        for one in swaps["tables"]
    ]
    columns = (
        "approve from", "score>", "newly approved>", "bad>", "newly declined>", "bad>",
        "approved by both>", "bad>",
    )  # fmt: skip
    title = "Swap set at each band boundary, with observed bad rates"
    return table(title, columns, rows, source=source_line(swaps["source"]))


def cut_off_tables(cut_off: Document) -> Iterator[RenderableType]:
    """Show approval rate and bad rate at a score of one's choice.

    Parameters
    ----------
    cut_off : dict
        ``cut_off``, ``judged`` on rows with outcome and ``all_rows``; each may be None.

    Yields
    ------
    RenderableType
        A table each.
    """
    title = f"Approving from a score of {numbers.points(cut_off['cut_off'])}"
    judged, all_rows = cut_off["judged"], cut_off["all_rows"]
    if judged is not None:
        rows = [
            (
                card,
                numbers.rate(judged[card]["approval_rate"]),
                numbers.count(judged[card]["n"]),
                numbers.count(judged[card]["n_bad"]),
                numbers.rate(judged[card]["bad_rate"]),
            )
            for card in CARDS
        ]
        columns = ("card", "approval rate>", "approved>", "bad>", "bad rate>")
        yield table(
            f"{title}: parties with outcome", columns, rows, source=source_line(judged["source"])
        )
    if all_rows is not None:
        rates = all_rows["approval_rate"]
        row = (
            numbers.rate(rates["old"]),
            numbers.rate(rates["new"]),
            numbers.count(all_rows["n_newly_approved"]),
            numbers.count(all_rows["n_newly_declined"]),
        )
        headers = ("approval rate, old>", "new>", "newly approved>", "newly declined>")
        source = source_line(all_rows["source"])
        yield table(f"{title}: all rows", headers, [row], source=source)


def source_line(source: Document) -> str:
    """Say which cards and which rows a table comes from.

    Parameters
    ----------
    source : dict
        ``cards`` and ``rows``.

    Returns
    -------
    str
        One line.
    """
    return f"{source['cards']}; on {source['rows']}"


def _group(group: Document) -> tuple[str, str]:
    return numbers.count(group["n"]), numbers.rate(group["bad_rate"])
