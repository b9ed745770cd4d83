"""Score one party, under one version or two side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from fastapi import Query, Response

from app.charts.catalogue import Drawing
from app.domain.scorecard import Scorecard
from app.domain.types import Document
from app.edge.json_bodies import parse_json
from app.edge.problems import Refusal
from app.errors import ChancellorError, InvalidInputError
from app.services.party_explanations import (
    PartyExplanationService,
    describe_fields,
    explain_party,
    read_fields,
)
from app.web.figures import InlineFigure
from app.web.routing import Desk, OnDesk, go_to, page_router

router = page_router("/score")

PREFIX = "f."
Name = Annotated[str, Query(max_length=200)]


@router.get("")
def show_form(
    desk: OnDesk, version: Name = "", against: Name = "", decision: Name = ""
) -> Response:
    """Ask for a party's features, or show a recorded decision."""
    recorded = desk.use.decisions.get_decision(decision) if decision else None
    if recorded is not None:
        version = recorded["version"]
    cards = _cards(desk, (version, against))
    given = {} if recorded is None else recorded["features"]
    results = () if recorded is None else explain_party(cards, given)
    return _page(desk, cards, typed=_as_typed(given), results=results, recorded=recorded)


@router.post("")
def score(desk: OnDesk) -> Response:
    """Score what was typed or pasted; it is recorded only where the person asks for it."""
    cards = _cards(desk, (desk.text("version"), desk.text("against")))
    pasted, typed = desk.text("json"), _typed(desk)
    try:
        features = _parsed(pasted) if pasted else read_fields(cards.values(), typed)
        if pasted:
            typed = _as_typed(features)
        results = explain_party(cards, features)
        if desk.text("record"):
            party = {"party_id": desk.text("party_id"), "features": features}
            made = desk.use.decisions.decide([party], version=next(iter(cards)))
            return go_to(f"/score?decision={made[0]['id']}")
    except ChancellorError as error:
        return _page(desk, cards, typed=typed, pasted=pasted, refused=error)
    return _page(desk, cards, typed=typed, results=results)


def _page(desk: Desk, cards: Mapping[str, Scorecard], **context: Any) -> Response:
    names = [*cards, ""]
    refused = context.get("refused")
    shown = {"results": (), "recorded": None, "pasted": "", **context}
    waterfalls = [InlineFigure(Drawing("waterfall", one)) for one in shown["results"]]
    return desk.render(
        "score.html",
        **shown,
        waterfalls=waterfalls,
        fields=describe_fields(cards.values()),
        faults=_faults(refused, cards.values()),
        versions=PartyExplanationService(desk.db).versions(),
        version=names[0],
        against=names[1],
        prefix=PREFIX,
        party_id=desk.text("party_id") if desk.request.method == "POST" else "",
    )


def _cards(desk: Desk, names: Iterable[str]) -> dict[str, Scorecard]:
    return PartyExplanationService(desk.db).cards(name for name in names if name)


def _typed(desk: Desk) -> dict[str, str]:
    return {
        name.removeprefix(PREFIX): value
        for name, value in desk.form.items()
        if name.startswith(PREFIX) and isinstance(value, str)
    }


def _as_typed(features: Mapping[str, Any]) -> dict[str, str]:
    """Write features as a person would type them."""
    return {
        name: f"{value:.15g}" if isinstance(value, float) else str(value)
        for name, value in features.items()
        if value is not None
    }


def _parsed(text: str) -> Document:
    try:
        found = parse_json(text.encode())
    except Refusal as error:
        raise InvalidInputError(error.detail.replace("The body", "What was pasted")) from error
    if not isinstance(found, dict) or any(isinstance(v, dict | list) for v in found.values()):
        raise InvalidInputError('Paste one object from feature to value, such as {"age": 41}.')
    return found


def _faults(refused: ChancellorError | None, cards: Iterable[Scorecard]) -> dict[str, str]:
    """Give what is wrong with a feature, by its name."""
    lines = refused.message.split("\n") if refused is not None else ()
    names = [name for card in cards for name in card.features]
    return {
        name: line.removeprefix(f"{name}: ")
        for name in names
        for line in lines
        if line.startswith(f"{name}: ")
    }
