"""Gates, approvals and limits: what the policy asked, and what people said and did."""

from __future__ import annotations

from app.charts.tables import Column, as_code, table
from app.domain.types import Document
from app.edge import gate_words, numbers
from app.edge.policy_words import FIELDS
from app.findings import review
from app.findings.actions import action_words
from app.findings.words import with_minus
from app.paper.parts import Block, Listing, Part, Section, said, section
from app.paper.sections.opening import standing_sentence
from app.paper.writers import as_written

_ALWAYS = (
    "Figures on past parties do not promise the same on future ones.",
    "Nothing here examines how decisions are made of scores, or what they do to those declined.",
    "Names are those of the accounts under which people signed in or ran commands.",
)


def gates(found: Document) -> Section:
    """Show each gate: rule, value, verdict and one sentence.

    Parameters
    ----------
    found : dict
        The record.

    Returns
    -------
    Section
        With the policy that they were judged by.
    """
    given = found["version"]["gates"]
    return section(
        "Gates",
        said(f"{review.of_gates(given)}."),
        gates_block(given) if given else None,
        _policy(found["policy"]),
    )


def gates_block(given: list[Document]) -> Block:
    """Set the gates in a table.

    Parameters
    ----------
    given : list of dict
        Verdicts as stored.

    Returns
    -------
    Block
        Values in each gate's own unit.
    """
    rows = [
        (
            gate_words.GATE_TITLES.get(one["gate"], one["gate"]), one["verdict"],
            with_minus(gate_words.gate_value(one["gate"], one["value"], one["threshold"])),
            with_minus(gate_words.gate_interval(one["gate"], one["interval"])),
            _rule(one), one["n"], with_minus(one["sentence"]),
        )
        for one in given
    ]  # fmt: skip
    columns = (
        Column("Gate"), Column("Verdict"), Column("Value", as_written),
        Column("95 % interval", as_written), Column("Rule"), Column("Parties", numbers.count),
        Column("In words"),
    )  # fmt: skip
    raw = table(
        (Column("Gate"), Column("Verdict"), Column("Value", as_written),
         Column("Threshold", as_written), Column("95 % interval", numbers.interval),
         Column("Rule"), Column("Parties", numbers.count), Column("Judged on"),
         Column("In words")),
        [(one["gate"], one["verdict"], one["value"], one["threshold"], one["interval"],
          one["rule"], one["n"], one["judged_on"], one["sentence"]) for one in given],
    )  # fmt: skip
    title = gate_words.count_verdicts(given)
    return Block(f"Verdicts: {title}", table(columns, rows), "Gates", raw=raw)


def _rule(one: Document) -> str:
    rule = gate_words.gate_rule(one["gate"], one["rule"])
    return rule.replace(">=", "≥").replace("<=", "≤")


def _policy(policy: Document) -> Block:
    rows = [
        (field.title, field.write(policy["content"][field.name]), field.says) for field in FIELDS
    ]
    columns = (Column("Rule"), Column("Value"), Column("What follows"))
    which = "by which the gates were judged" if policy["judged"] else "in force"
    title = f"Policy no. {policy['policy_id']}, {which}"
    source = f"Set by {policy['created_by']} on {numbers.moment(policy['created_at'])}."
    return Block(title, table(columns, rows), "Policy", source)


def approvals(found: Document) -> Section:
    """Show who said and did what about the version, in time order.

    Parameters
    ----------
    found : dict
        The record.

    Returns
    -------
    Section
        Reviews, comments, activations and withdrawals.
    """
    version = found["version"]
    parts: list[Part] = [said(standing_sentence(version))]
    if version["to_acknowledge"]:
        names = ", ".join(version["to_acknowledge"])
        parts.append(said(f"Insufficient evidence, for the approver to acknowledge: {names}."))
    return section("Approvals and record", parts, _reviews(version), _said_and_done(found))


def _reviews(version: Document) -> Block | None:
    if not version["reviews"]:
        return None
    rows = [
        (
            numbers.moment(one["at"]), one["reviewer"],
            {"approve": "approved", "reject": "rejected"}[one["kind"]], one["reason"],
            ", ".join(one["acknowledged"]) or "none", one["override_reason"] or "none",
            _withdrawn(one["withdrawn"]), one["review_hash"],
        )
        for one in version["reviews"]
    ]  # fmt: skip
    columns = (
        Column("At"), Column("Reviewer"), Column("Decision"), Column("Reason"),
        Column("Acknowledged"), Column("Override"), Column("Withdrawn"),
    )  # fmt: skip
    raw = table((*columns, Column("Review hash", as_code)), rows)
    return Block("Reviews", table(columns, [row[:-1] for row in rows]), "Reviews", raw=raw)


def _withdrawn(one: Document | None) -> str:
    if one is None:
        return "no"
    return f"by {one['actor']} on {numbers.day(one['at'])}: {one['reason']}"


def _said_and_done(found: Document) -> Block | None:
    if not found["conversation"]:
        return None
    rows = [
        (
            numbers.moment(one["at"]), one["actor"],
            f"{action_words(one['action'])} {found['version']['version']}", _words(one),
            one["seq"], one["hash"],
        )
        for one in found["conversation"]
    ]  # fmt: skip
    columns = (
        Column("At"), Column("Who"), Column("Did"), Column("Said"), Column("Event", numbers.count),
    )  # fmt: skip
    raw = table((*columns, Column("Event hash", as_code)), rows)
    source = "Event: its number in the audit chain; “chancellor audit verify” checks the chain."
    return Block(
        "What was said and done", table(columns, [row[:-1] for row in rows]), "Record", source,
        raw=raw,
    )  # fmt: skip


def _words(one: Document) -> str:
    parts = [one["text"] or ""]
    if one["previous_version"]:
        parts.append(f"It replaced {one['previous_version']}.")
    if one["acknowledged"]:
        names = ", ".join(one["acknowledged"])
        parts.append(f"Acknowledged insufficient evidence on {names}.")
    if one["override_reason"]:
        parts.append(f"Passed over a failed gate: {one['override_reason']}")
    if one["notice"]:
        parts.append(str(one["notice"]))
    return " ".join(part for part in parts if part)


def limits(found: Document) -> Section:
    """List what the paper does not show.

    Parameters
    ----------
    found : dict
        The record.

    Returns
    -------
    Section
        What the evidence says of itself, what is not available, and what holds for any such paper.
    """
    return section("Limits", Listing(stated_limits(found)))


def stated_limits(found: Document) -> tuple[str, ...]:
    """Give every limit, each once.

    Parameters
    ----------
    found : dict
        The record.

    Returns
    -------
    tuple of str
        Sentences.
    """
    evidence = found["review"]
    told: list[str] = []
    if evidence is not None:
        told += review.untold(evidence)
        told += [f"Not available: {one['what']}. {one['why']}" for one in
                 evidence["not_available"]]  # fmt: skip
    if found["version"]["origin"] == "person":
        told.append("No model made these weights; their merit is a person's judgement.")
    told += _ALWAYS
    return tuple(dict.fromkeys(map(with_minus, told)))
