"""The review of a version: what would change and why, what was said, and the decision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import Path, Query, Response
from fastapi.responses import HTMLResponse

from app.charts.reviewed import review_drawings
from app.domain.types import Document, Progress
from app.edge.access import open_store, require_right
from app.edge.prepared import Computing, Failed, Ready
from app.edge.routes import takes_seconds
from app.edge.services import Services
from app.errors import ChancellorError, InvalidInputError, UnavailableError
from app.findings import review as findings
from app.findings.actions import action_words
from app.findings.tables import evidence_tables
from app.findings.texts import figure_texts
from app.paper.report import PaperForm, PaperRequest, write_paper
from app.web.figures import Drawings, figure_source, figures
from app.web.review_forms import (
    Typed,
    last_decision,
    offered_steps,
    require_unchanged,
)
from app.web.routing import Desk, OnDesk, go_to, page_router

router = page_router()

VersionName = Annotated[str, Path(min_length=1, max_length=200)]
Against = Annotated[str | None, Query(min_length=1, max_length=200)]
_PATIENCE = 0.05
_FIGURE_PATIENCE = 60.0
"""A figure that another process was asked for waits until its evidence is computed here too."""
_LOOK_AGAIN = "2"


@router.get("/versions/{version}/review")
def review(desk: OnDesk, version: VersionName, against: Against = None) -> HTMLResponse:
    """Show everything that a reviewer looks at, top to bottom."""
    return _page(desk, version, against)


@router.get("/versions/{version}/report")
@takes_seconds
def report(
    desk: OnDesk, version: VersionName, to: PaperForm = "html", *, card: bool = False
) -> Response:
    """Give the evidence as a paper to take away."""
    found = desk.use.dossiers.dossier(version)
    desk.db.rollback()  # typesetting holds no transaction
    paper = write_paper(found, PaperRequest(to, card))
    named = {"Content-Disposition": f'attachment; filename="{paper["file_name"]}"'}
    return Response(paper["content"], media_type=paper["media_type"], headers=named)


@router.post("/versions/{version}/comment")
def comment(desk: OnDesk, version: VersionName) -> Response:
    """Put a comment on record."""
    return _do(
        desk, version, "comment", lambda: desk.use.versions.comment(version, desk.text("text"))
    )


@router.post("/versions/{version}/approve")
def approve(desk: OnDesk, version: VersionName) -> Response:
    """Approve what the page showed."""
    return _decide(
        desk,
        version,
        "approve",
        lambda: desk.use.versions.approve(
            version,
            reason=desk.text("reason"),
            expected_hash=desk.text("review_hash"),
            acknowledge=desk.texts("acknowledge"),
            override_reason=_override(desk),
        ),
    )


@router.post("/versions/{version}/reject")
def reject(desk: OnDesk, version: VersionName) -> Response:
    """Reject what the page showed, for good."""
    return _decide(
        desk,
        version,
        "approve",
        lambda: desk.use.versions.reject(
            version, reason=desk.text("reason"), expected_hash=desk.text("review_hash")
        ),
    )


@router.post("/versions/{version}/activate")
def activate(desk: OnDesk, version: VersionName) -> Response:
    """Make the version decide from now on; its name is typed to confirm."""

    def act() -> Document:
        if desk.text("confirm") != version:
            raise InvalidInputError(f"Type {version} to confirm that it decides from now on.")
        return desk.use.versions.activate_version(
            version,
            reason=desk.text("reason"),
            expected_hash=desk.text("review_hash"),
            acknowledge=desk.texts("acknowledge"),
            override_reason=_override(desk),
        )

    return _decide(desk, version, "activate", act)


@router.post("/versions/{version}/withdraw-approval")
def withdraw_approval(desk: OnDesk, version: VersionName) -> Response:
    """Take one's own approval back."""
    return _decide(
        desk,
        version,
        "withdraw_approval",
        lambda: desk.use.versions.withdraw_approval(version, reason=desk.text("reason")),
    )


@router.post("/versions/{version}/rollback")
def rollback(desk: OnDesk, version: VersionName) -> Response:
    """Make an earlier version decide again; in an emergency an admin does it alone."""

    def act() -> Document:
        if desk.text("confirm") != version:
            raise InvalidInputError(f"Type {version} to confirm that it decides again.")
        emergency = desk.text("emergency") == "yes"
        if emergency:
            require_right(desk.caller, "override")
        return desk.use.versions.rollback(version, reason=desk.text("reason"), emergency=emergency)

    return _decide(desk, version, "rollback", act)


def _override(desk: Desk) -> str | None:
    reason = desk.text("override_reason")
    if reason:
        require_right(desk.caller, "override")
    return reason or None


def _decide(desk: Desk, version: str, form: str, act: Callable[[], Document]) -> Response:
    """Take a step unless others were faster than this page."""

    def unless_overtaken() -> Document:
        conversation = desk.use.versions.conversation(version)
        require_unchanged(version, conversation, desk.text("seen"))
        return act()

    return _do(desk, version, form, unless_overtaken)


def _do(desk: Desk, version: str, form: str, act: Callable[[], Document]) -> Response:
    """Take a step; a refusal shows the page again, with what was typed."""
    try:
        act()
    except ChancellorError as error:
        desk.db.rollback()
        return _page(desk, version, refused=error, typed=Typed.of(desk.form, form))
    at = "conversation" if form == "comment" else "decide"
    return go_to(f"/versions/{version}/review#{at}")


def _page(
    desk: Desk,
    version: str,
    against: str | None = None,
    *,
    refused: ChancellorError | None = None,
    typed: Typed | None = None,
) -> HTMLResponse:
    found = desk.use.versions.get_version(version)
    conversation = desk.use.versions.conversation(version)
    is_first = against is None and found["base_version"] is None
    evidence = None if is_first else _evidence(desk, version, against)
    response = desk.render(
        "review.html",
        refused=refused,
        version=found,
        against=against or found["base_version"],
        conversation=conversation,
        seen=last_decision(conversation),
        action_words=action_words,
        steps=offered_steps(
            found,
            may_decide=desk.may("decide"),
            may_override=desk.may("override"),
            roles=sorted(desk.caller.roles),
        ),
        typed=typed or Typed(),
        gates_finding=findings.of_gates(found["gates"]),
        **_shown(evidence, version, against),
    )
    if isinstance(evidence, Computing) and refused is None:
        response.headers["Refresh"] = _LOOK_AGAIN
    return response


def _evidence(
    desk: Desk, version: str, against: str | None, patience: float = _PATIENCE
) -> Ready | Computing | Failed:
    """Take what was prepared of the evidence, or have it prepared beside the requests."""
    service, actor = desk.service, desk.caller.actor
    key = ("review", *desk.use.versions.review_key(version, against))
    desk.db.rollback()  # no transaction is held by a request that waits

    def compute(progress: Progress) -> Document:
        with open_store(service) as db:
            versions = Services(db, actor, service.lake).versions
            return versions.review_evidence(version, against, progress)

    return service.prepared.take(key, compute, patience)


@figure_source("review")
def _drawings(desk: Desk, facts: Mapping[str, str]) -> Drawings:
    """Draw the figures of a review again, in a process that did not make its page."""
    taken = _evidence(desk, facts.get("version", ""), facts.get("against"), _FIGURE_PATIENCE)
    if isinstance(taken, Failed):
        raise taken.error
    if isinstance(taken, Computing):
        raise UnavailableError("The evidence behind this figure is still being computed.")
    return review_drawings(taken.document)


def _shown(
    evidence: Ready | Computing | Failed | None, version: str, against: str | None
) -> Document:
    """Give the template what it shows of the evidence, whatever state it is in."""
    shown: Document = dict.fromkeys(
        ("evidence", "computing", "failed_evidence", "advice_word", "labelled")
    )
    if isinstance(evidence, Computing):
        return shown | {"computing": evidence}
    if isinstance(evidence, Failed):
        known = isinstance(evidence.error, ChancellorError)
        why = str(evidence.error) if known else "A fault of this service; its log says more."
        return shown | {"failed_evidence": {"why": why, "at": evidence.at.isoformat()}}
    if evidence is None:
        return shown
    document = evidence.document
    word, sentence = findings.recommendation(
        document["advice"], version, document["old"]["version"]
    )
    facts = {"version": version} | ({} if against is None else {"against": against})
    return {
        **shown,
        "evidence": document,
        "seconds": evidence.seconds,
        "advice_word": word,
        "advice_sentence": sentence,
        "untold": findings.untold(document),
        "labelled": findings.made_from(document["lineage"]),
        "figures": figures("review", facts, review_drawings(document)),
        "texts": figure_texts(document),
        "tables": evidence_tables(document),
    }
