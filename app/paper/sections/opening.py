"""What a paper says first: how it stands with the version, what it is for, what it is not."""

from __future__ import annotations

from app.charts.tables import Column, as_code, table
from app.domain.counted import counted
from app.domain.types import Document
from app.edge import numbers
from app.findings import movement, review
from app.findings.tables import evidence_tables
from app.findings.words import listed, name_of, with_minus
from app.paper.parts import Block, Listing, Notice, Part, Section, Tone, flattened, said, section
from app.paper.writers import as_written

_MOST_NAMED = 3
_TONES: dict[str, Tone] = {"adopt": "pass", "wait": "unsure", "keep": "plain"}
_READS = (
    "This paper gathers what is on record about one version and computes no decision. It claims no "
    "conformity with any law, standard or guideline: the gates in it are rules of the policy on "
    "record, and whether they suffice is for the people who approve to judge."
)


def brief(found: Document) -> tuple[Part, ...]:
    """Say in a minute what would change, how well it is supported, and what is open.

    Parameters
    ----------
    found : dict
        From :meth:`app.services.dossier_service.DossierService.dossier`.

    Returns
    -------
    tuple of Part
        Withdrawn evidence first; then the advice, what stands in the way, and the figures.
    """
    return flattened([brief_notices(found), _at_a_glance(found), _untold(found), said(_READS)])


def brief_notices(found: Document) -> tuple[Part, ...]:
    """Say what must not be overlooked, withdrawn evidence first.

    Parameters
    ----------
    found : dict
        The record.

    Returns
    -------
    tuple of Part
        Notices.
    """
    return flattened(
        [_withdrawn(found), _standing(found), _advice(found), _gates(found), _alerts(found)]
    )


def standing_sentence(version: Document) -> str:
    """Say what became of a version.

    Parameters
    ----------
    version : dict
        The version's document.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> standing_sentence({"version": "ml_v2", "status": "draft", "activated_at": None,
    ...     "deactivated_at": None, "approvals": {"given": 0, "required": 1, "by": []},
    ...     "reviews": []})
    'ml_v2 is a draft with 0 of 1 approval that the policy in force asks for; it decides nothing.'
    """
    name, approvals = version["version"], version["approvals"]
    given = f"{approvals['given']} of {counted(approvals['required'], 'approval')}"
    if approvals["by"]:
        given += f" ({', '.join(approvals['by'])})"
    rejected = [one for one in version["reviews"] if one["kind"] == "reject"]
    if rejected:
        last = rejected[-1]
        return (
            f"{name} was rejected by {last['reviewer']} on {numbers.day(last['at'])}: "
            f"{last['reason']}"
        )
    since, until = numbers.day(version["activated_at"]), numbers.day(version["deactivated_at"])
    return {
        "draft": f"{name} is a draft with {given} that the policy in force asks for; it decides "
        "nothing.",
        "approved": f"{name} is approved, with {given}; it decides nothing until it is activated.",
        "active": f"{name} is the active version and decides since {since}.",
        "inactive": f"{name} decided once, last from {since} to {until}; it decides no more.",
    }.get(version["status"], f"{name} is {version['status']}.")


def purpose(found: Document) -> Section:
    """Say what the card is for, and what the record does not say about its use.

    Parameters
    ----------
    found : dict
        The record.

    Returns
    -------
    Section
        With the facts of the version.
    """
    version = found["version"]
    card = version["content"]
    low, high = found["odds"]["range"]
    bands = listed([name_of(name) for name in card["bands"]])
    return section(
        "Purpose and scope",
        said(
            f"The scorecard “{version['name']}” gives each party a score from {low} to {high}; a "
            "higher score is safer. It is a weighted sum of "
            f"{counted(len(card['features']), 'feature')}; its bands, from the lowest, are {bands}."
        ),
        said(
            "Decisions come from the active version alone. A model may propose weights; it decides "
            "nothing, and nothing is activated without a person."
        ),
        said(
            "The record holds no statement of the product, the market or the period that the card "
            "is meant for, nor of how bands become decisions. Whoever relies on this paper must "
            "know both from elsewhere."
        ),
        facts_block(found),
    )


def facts_block(found: Document) -> Block:
    """Give the facts of the version in a table.

    Parameters
    ----------
    found : dict
        The record.

    Returns
    -------
    Block
        Fact and what is on record.
    """
    version = found["version"]
    made = (
        f"model {version['model_id']}"
        if version["model_id"]
        else f"{version['created_by']} (a person)"
    )
    if version["despite_advice"]:
        made += f", asked for by {version['created_by']} despite the advice to keep"
    rows = [
        ("Version", version["version"]),
        ("Status", version["status"]),
        ("Weights by", made),
        ("Training asked for by" if version["model_id"] else "Proposed by",
         version["requested_by"]),
        ("Made against", version["base_version"] or "none: the first version"),
        ("Last card that a person wrote", found["expert"]),
        ("Proposed at", numbers.moment(version["created_at"])),
        ("Reason given", version["note"] or numbers.NONE),
    ]  # fmt: skip
    columns = (Column("Fact"), Column("On record"))
    return Block("The version", table(columns, rows), "Version")


def _withdrawn(found: Document) -> Notice | None:
    files = [one["what"] for one in found["lineage"]["files"] if one["is_withdrawn"]]
    if not files:
        return None
    reasons = [
        f"{one['batch_id']}: {one['withdrawn']['reason']} ({one['withdrawn']['actor']})"
        for one in found["batches"]
        if one["withdrawn"]
    ]
    why = f" Reason: {'; '.join(reasons)}." if reasons else ""
    return Notice(
        "Withdrawn", f"{listed(files)}. What rests on it may be wrong.{why}", "fail"
    )  # fmt: skip


def _standing(found: Document) -> Notice | None:
    version = found["version"]
    tone: Tone = "fail" if version["status"] == "rejected" else "plain"
    return Notice(version["status"].capitalize(), standing_sentence(version), tone)


def _advice(found: Document) -> list[Part]:
    version, evidence = found["version"], found["review"]
    if evidence is None:
        first = "It is the first version of this store: it replaced nothing, and no model made it."
        return [Notice("No advice", first)]
    old = evidence["old"]["version"]
    word, sentence = review.recommendation(evidence["advice"], version["version"], old)
    tone = _TONES.get(word.lower(), "plain")
    given: list[Part] = [Notice(word or "No advice", with_minus(sentence), tone)]
    if version["despite_advice"]:
        text = (
            f"{version['created_by']} asked for this draft although the advice was to keep {old}."
        )
        given.append(Notice("Despite the advice", text, "unsure"))
    return given


def _gates(found: Document) -> list[Part]:
    version = found["version"]
    gates = version["gates"]
    verdicts = {one["verdict"] for one in gates}
    tone: Tone = "plain"
    if gates:
        tone = "fail" if "fail" in verdicts else "unsure" if len(verdicts) > 1 else "pass"
    said_of = f"{review.of_gates(gates)}."
    if version["origin"] == "person" and gates:
        said_of += " For a person's version the gates on weights inform; they block nothing."
    given: list[Part] = [Notice("Gates", said_of, tone)]
    overrides = {
        f"{one.get('reviewer') or one.get('actor')} passed over a failed gate on "
        f"{numbers.day(one['at'])}: {one['override_reason']}": None
        for one in (*version["reviews"], *version["activations"])
        if one["override_reason"]
    }
    return [*given, *(Notice("Overridden", text, "fail") for text in overrides)]


def _alerts(found: Document) -> Notice | None:
    still = [one for one in found["monitoring"]["alerts"] if one["status"] == "open"]
    if not still:
        return None
    sentences = " ".join(f"{one['batch_id']}: {one['sentence']}" for one in still[:_MOST_NAMED])
    n_open = counted(len(still), "alert is", "alerts are")
    return Notice("Alerts", with_minus(f"{n_open} open. {sentences}"), "unsure")


def _at_a_glance(found: Document) -> Block | None:
    evidence = found["review"]
    if evidence is None:
        return None
    old, new = (evidence[side]["version"] for side in ("old", "new"))
    rows: list[tuple[str | None, ...]] = [
        (one["name"], numbers.auc(one["old"][0]), numbers.auc(one["new"][0]),
         with_minus(numbers.gain(one["difference"])), numbers.interval(one["difference_interval"]))
        for one in evidence_tables(evidence)["measures"]
    ]  # fmt: skip
    if evidence["movement"]:
        moved = evidence["movement"]
        scores = [moved["mean_score"][side] for side in ("old", "new")]
        rows += [
            ("Mean score, points", *(numbers.tenths(one) for one in scores),
             with_minus(numbers.difference(scores[1] - scores[0])), None),
        ]  # fmt: skip
    if not rows:
        return None
    columns = (Column("Measure"), *(Column(name, as_written) for name in (
        old, new, "Difference", "Its 95 % interval")))  # fmt: skip
    return Block(_glance_title(evidence), table(columns, rows), "At a glance", _glance(evidence))


def _glance_title(evidence: Document) -> str:
    if evidence["movement"]:
        return with_minus(movement.of_migration(evidence["movement"]))
    return "The two cards on the same rows"


def _glance(evidence: Document) -> str:
    parts = []
    found = evidence["discrimination"]
    if found:
        parts.append(
            f"Ranking on {counted(found['n_parties'], 'party')}, "
            f"{numbers.count(found['n_bad'])} bad, with outcome."
        )
    if evidence["movement"]:
        parts.append(f"Scores: {evidence['movement']['source']['rows']}.")
    return " ".join(parts)


def _untold(found: Document) -> list[Part]:
    evidence = found["review"]
    if evidence is None:
        return []
    told = [one for one in review.untold(evidence) if not one.startswith("Withdrawn since")]
    return [said("What this does not tell:"), Listing(tuple(map(with_minus, told)))] if told else []


def hashes_block(version: Document) -> Block:
    """Give the three hashes of a version, and the model's.

    Parameters
    ----------
    version : dict
        The version's document.

    Returns
    -------
    Block
        A table of codes.
    """
    rows = [
        ("Content of the card", version["content_hash"]),
        ("Evidence", version["evidence_hash"]),
        ("Review: what an approval binds", version["review_hash"]),
    ]
    columns = (Column("Of"), Column("SHA-256", as_code))
    return Block("Hashes of the version", table(columns, rows), "Hashes of version")
