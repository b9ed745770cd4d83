"""What versions look like: lists, one version, drafts, reviews and activations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType

from app.cli.render.gates import blocking_sentences, gate_table
from app.cli.render.models import advice_line
from app.cli.render.tables import Figure, bullets, next_step, pairs, sentence, table
from app.domain.counted import counted
from app.edge import numbers

if TYPE_CHECKING:
    from app.domain.types import Document


def listed(
    result: Sequence[Document], emergencies: Sequence[Document] = ()
) -> Iterator[RenderableType]:
    """Show the versions.

    Parameters
    ----------
    result : sequence of dict
        What ``list_versions`` returned.
    emergencies : sequence of dict
        What ``list_emergencies`` returned.

    Yields
    ------
    RenderableType
        A table, one row per version.
    """
    rows = [
        (
            version["version"],
            version["status"],
            version["origin"],
            version["base_version"] or numbers.NONE,
            version["model_id"] or numbers.NONE,
            numbers.moment(version["created_at"]),
            version["created_by"],
            numbers.moment(version["activated_at"]),
        )
        for version in result
    ]
    columns = (
        "version", "status", "origin", "refines", "model", "created", "by", "activated",
    )  # fmt: skip
    yield table("Scorecard versions", columns, rows)
    yield from _warnings(emergencies)


def shown(result: Document) -> Iterator[RenderableType]:
    """Show one version.

    Parameters
    ----------
    result : dict
        What ``get_version`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    yield sentence(_headline(result), "bold")
    if result["note"]:
        yield sentence(result["note"])
    rows = [
        (name, numbers.weight(part["weight"]), part["transform"]["kind"], part["reason"] or "")
        for name, part in result["features"].items()
    ]
    yield table("Features", ("feature", "weight>", "transform", "reason given when low"), rows)
    if result["gates"]:
        yield gate_table(result["gates"])
        yield from bullets("Not passed", blocking_sentences(result["gates"]))
    yield from _reviews(result["reviews"])
    yield pairs(
        "Record",
        {
            "created": f"{numbers.moment(result['created_at'])} by {result['created_by']}",
            "activated": numbers.moment(result["activated_at"]),
            "deactivated": numbers.moment(result["deactivated_at"]),
            "content hash": result["content_hash"],
            "evidence hash": result["evidence_hash"] or numbers.NONE,
            "review hash": result["review_hash"],
        },
    )
    yield from _what_next(result)


def refined(result: Document) -> Iterator[RenderableType]:
    """Show a draft, or why there is none.

    Parameters
    ----------
    result : dict
        What ``refine_from_model`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    yield advice_line(result)
    if result["version"] is None:
        yield sentence("There is no draft: the weights stay as they are.")
        return
    before = "drafted before and unchanged; it" if result["existing"] else "it"
    yield sentence(
        f"{result['version']} refines {result['base_version']}, made by {result['model_id']}; "
        f"{before} goes {numbers.rate(result['t'])} of the way from the old weights to the "
        "model's, guard-rails kept."
    )
    yield weight_table(result["features"])
    yield gate_table(result["gates"])
    base, version = result["base_version"], result["version"]
    yield next_step(f"chancellor versions compare {base} {version}")


def weight_table(features: Mapping[str, Document], *, source: Document | None = None) -> Figure:
    """Build the table of weights before and after.

    Parameters
    ----------
    features : mapping of str to dict
        ``old_weight``, ``new_weight``, ``change`` (a fraction), ``binding``, and where known
        ``data_only_weight`` with its interval.

    source : dict or None
        Where changes, data-only weights and constraints come from.

    Returns
    -------
    Figure
        One row per feature, in card order.
    """
    rows = [
        (
            name,
            numbers.weight(part["old_weight"]),
            numbers.weight(part["new_weight"]),
            numbers.change(part["change"]),
            numbers.weight(part.get("data_only_weight")),
            numbers.interval(part.get("data_only_interval"), 2),
            (part.get("binding") or "").replace("_", " "),
        )
        for name, part in features.items()
    ]
    columns = (
        "feature", "old>", "new>", "change>", "data alone>", "95 % interval>", "stopped by",
    )  # fmt: skip
    shown = source or {}
    lines = [f"{name.replace('_', '-')}: {words}" for name, words in shown.items() if words]
    return table("Weights", columns, rows, source="; ".join(lines) or None)


def added(result: Document) -> Iterator[RenderableType]:
    """Show that a person's draft is filed.

    Parameters
    ----------
    result : dict
        What ``add_version`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    yield sentence(f"{result['version']} is filed as a draft.", "bold")
    if result.get("gates"):
        yield gate_table(result["gates"])
        yield from bullets("Not passed (informs, does not block)",
                           blocking_sentences(result["gates"]))  # fmt: skip
    if result.get("base_version"):
        yield next_step(f"chancellor versions compare {result['base_version']} {result['version']}")


def reviewed(result: Document) -> Iterator[RenderableType]:
    """Show a review that was entered.

    Parameters
    ----------
    result : dict
        What ``approve`` or ``reject`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    yield sentence(f"{result['version']} is now {result['status']}.", "bold")
    entries = {"reviewer": result["reviewer"], "reason": result["reason"]}
    if result["acknowledged"]:
        entries["acknowledged"] = ", ".join(result["acknowledged"])
    if result["override_reason"]:
        entries["override"] = result["override_reason"]
    approvals = result.get("approvals")
    if approvals:
        by = f" (by {', '.join(approvals['by'])})" if approvals["by"] else ""
        entries["approvals"] = f"{approvals['given']} of {approvals['required']}{by}"
        if approvals.get("missing_roles"):
            entries["missing by role"] = ", ".join(approvals["missing_roles"])
    yield pairs("", {**entries, "review hash": result["review_hash"]})
    if result["notice"]:
        yield sentence(result["notice"], "yellow")
    if result["status"] == "approved":
        yield next_step(f"chancellor versions activate {result['version']}")


def withdrawn(result: Document) -> Iterator[RenderableType]:
    """Show that an approval was withdrawn.

    Parameters
    ----------
    result : dict
        What ``withdraw_approval`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    left = result["approvals"]
    yield sentence(
        f"{result['actor']} withdrew the approval of {result['version']}; it is now "
        f"{result['status']}, with {left['given']} of {counted(left['required'], 'approval')}.",
        "bold",
    )
    if left.get("missing_roles"):
        yield sentence(f"Missing by role: {', '.join(left['missing_roles'])}.")


def commented(result: Document) -> Iterator[RenderableType]:
    """Show that a comment is on the record.

    Parameters
    ----------
    result : dict
        What ``comment`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    yield sentence(f"{result['actor']} on {result['version']}: {result['text']}", "bold")
    yield pairs("", {"review hash": result["review_hash"]})


def acknowledged(result: Document) -> Iterator[RenderableType]:
    """Show which emergency rollbacks were acknowledged.

    Parameters
    ----------
    result : dict
        What ``acknowledge_emergency`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    for entry in result["acknowledged"]:
        yield sentence(
            f"{result['actor']} acknowledged the emergency rollback to {entry['version']} by "
            f"{entry['actor']} on {numbers.moment(entry['at'])}: {result['reason']}",
            "bold",
        )


def activated(result: Document) -> Iterator[RenderableType]:
    """Show that a version decides from now on.

    Parameters
    ----------
    result : dict
        What ``activate_version`` or ``rollback`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    before = f" in place of {result['previous_version']}" if result["previous_version"] else ""
    yield sentence(
        f"{result['version']} is active since {numbers.moment(result['activated_at'])}{before}.",
        "bold",
    )
    if result["notice"]:
        yield sentence(result["notice"], "yellow")
    if result["kind"] == "activate" and result["previous_version"]:
        yield sentence(
            f"To go back: chancellor versions rollback {result['previous_version']} --reason TEXT"
        )


def active_at(result: Document) -> Iterator[RenderableType]:
    """Show which version decided at a time.

    Parameters
    ----------
    result : dict
        What ``active_at`` returned, and whether the moment is the end of a whole day.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    moment = numbers.moment(result["at"])
    if result["end_of_day"]:
        moment = f"the end of {numbers.day(result['at'])} ({moment})"
    yield sentence(
        f"{result['version']} was active at {moment}, "
        f"since {numbers.moment(result['since'])} ({result['kind']} by {result['actor']}"
        f"{': ' + result['reason'] if result['reason'] else ''}); now it is {result['status']}.",
        "bold",
    )
    yield from _warnings(result["emergencies"])


def _warnings(emergencies: Sequence[Document]) -> Iterator[RenderableType]:
    for entry in emergencies:
        yield sentence(f"Warning: {entry['sentence']}", "yellow")


def _headline(result: Document) -> str:
    words = f"{result['version']} is {result['status']}: {result['name']}"
    if result["base_version"]:
        words += f", refines {result['base_version']}"
    if result["model_id"]:
        words += f", made by {result['model_id']}"
    if result["despite_advice"]:
        words += ", drafted despite the advice keep"
    return words + "."


def _reviews(reviews: Sequence[Document]) -> Iterator[RenderableType]:
    rows = [
        (
            numbers.moment(review["at"]),
            review["reviewer"],
            f"{review['kind']}, withdrawn" if review["withdrawn"] else review["kind"],
            review["withdrawn"]["reason"] if review["withdrawn"] else review["reason"],
        )
        for review in reviews
    ]
    if rows:
        yield table("Reviews", ("at", "reviewer", "decision", "reason"), rows)


def _what_next(result: Document) -> Iterator[RenderableType]:
    version = result["version"]
    if result["status"] == "draft":
        if result["base_version"]:
            yield next_step(f"chancellor versions compare {result['base_version']} {version}")
        yield next_step(
            f'chancellor versions approve {version} --reason "..." '
            f"--expected-hash {result['review_hash']}"
        )
    elif result["status"] == "approved":
        yield next_step(f"chancellor versions activate {version}")
