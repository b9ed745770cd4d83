"""The overview: what decides, what waits for whom, how scores moved; the same queries always."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow.parquet as pq
import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from app.db import open_session
from app.domain.stability import population_stability_index
from app.lake.store import open_lake
from app.models import ScoreSet
from app.queries.versions import require_active
from app.services.overview_service import OverviewService
from app.services.scorecard_version_service import ScorecardVersionService
from app.services.scoring_service import ScoringService, card_of
from tests.conftest import Store
from tests.support.desk_client import signed_in
from tests.support.furnished import ANALYST, APPROVER
from tests.support.service import Running


@contextmanager
def counted_queries(db: Session) -> Iterator[list[str]]:
    """Collect what a session asks its database."""
    asked: list[str] = []

    def note(*arguments: object) -> None:
        asked.append(str(arguments[2]))

    engine = db.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def _overview(db: Session, actor: str) -> dict[str, object]:
    return OverviewService(db, actor, open_lake()).get_overview()


def test_a_new_store_says_how_to_get_each_thing(empty_desk: Running) -> None:
    with signed_in(empty_desk, "viewer") as client:
        page = client.get("/").text
    assert "v1</a> decides since" in page
    for words in ("No draft waits", "No run yet", "No batch is scored yet", "was ever signed"):
        assert words in page
    for command in ("chancellor pipeline run", "chancellor batch import"):
        assert command in page


@pytest.mark.slow
def test_what_waits_depends_on_who_looks(furnished: Store, desk: Running) -> None:
    """By the same rules as the service: each step is the one that the version's page gives."""
    with open_session(furnished.database_url) as db:
        for actor in (ANALYST, APPROVER, "model:x"):
            versions = ScorecardVersionService(db, actor=actor)
            drafts = OverviewService(db, actor, open_lake()).list_drafts()
            assert [one["version"] for one in drafts] == ["ml_v5", "v4"]
            for one in drafts:
                full = versions.get_version(one["version"])
                assert one["steps"] == full["steps"]
                assert one["review_hash"] == full["review_hash"]
                assert sum(one["verdicts"].values()) == len(full["gates"])
    seen = {}
    for role in ("analyst", "approver"):
        with signed_in(desk, role) as client:
            seen[role] = client.get("/").text
    assert "Review v4" in seen["approver"]
    assert "Review v4" not in seen["analyst"]
    assert "3 things wait for you" in seen["approver"]
    assert "1 thing waits for you" in seen["analyst"]


@pytest.mark.slow
def test_the_psi_is_that_of_the_two_files(furnished: Store) -> None:
    with open_session(furnished.database_url) as db:
        found = _overview(db, ANALYST)["distribution"]
        assert isinstance(found, dict)
        scores = {}
        for name in ("after", "before"):
            wanted = select(ScoreSet).where(
                ScoreSet.batch_id == found[name]["name"], ScoreSet.version == found["version"]
            )
            row = db.scalars(wanted).one()
            scores[name] = pq.read_table(
                f"{furnished.lake_url}/{row.file_path}", columns=["score"]
            )["score"].to_numpy()
    edges = np.unique(np.quantile(scores["before"], np.arange(1, 10) / 10))
    limits = np.concatenate([[-np.inf], edges, [np.inf]])
    counts = [np.histogram(scores[name], limits)[0] for name in ("before", "after")]
    assert found["psi"] == pytest.approx(population_stability_index(counts[0], counts[1]))
    assert sum(found["after"]["shares"]) == pytest.approx(1)
    assert sum(found["before"]["shares"]) == pytest.approx(1)


@pytest.mark.slow
def test_a_file_of_scores_that_was_altered_is_named_and_the_page_stays(
    furnished: Store, desk: Running
) -> None:
    with open_session(furnished.database_url) as db:
        paths = [row.file_path for row in db.scalars(select(ScoreSet))]
    for path in paths:
        open_file = open_lake().place_of(path)
        with open(open_file, "ab") as file:  # noqa: PTH123 - a place of the lake is text
            file.write(b"x")
    with signed_in(desk, "viewer") as client:
        page = client.get("/")
    assert page.status_code == 200
    assert "cannot be read" in page.text
    assert "chancellor doctor" in page.text


@pytest.mark.slow
def test_the_number_of_queries_does_not_grow_with_the_store(furnished: Store) -> None:
    with open_session(furnished.database_url) as db:
        with counted_queries(db) as few:
            _overview(db, APPROVER)
        card = card_of(require_active(db))
        for place, name in enumerate(card.features):
            if place < 8:
                weights = {name: card.features[name].weight * 1.01}
                ScorecardVersionService(db, actor=ANALYST).add_version(card.with_weights(weights))
        for batch_id in ("DEMO_001", "SUPPLIERS_PILOT"):
            ScoringService(db, actor=ANALYST).score_batch(batch_id, version="v1")
        with counted_queries(db) as many:
            found = _overview(db, APPROVER)
    assert len(many) == len(few) <= 25
    assert found["n_drafts"] == 10


@pytest.mark.slow
def test_an_emergency_waits_until_an_approver_acknowledges_it(
    furnished: Store, desk: Running
) -> None:
    with open_session(furnished.database_url) as db:
        ScorecardVersionService(db, actor="Ada Moreau").rollback(
            "v1", reason="scores fell <b>overnight</b>", emergency=True
        )
    with signed_in(desk, "approver") as client:
        page = client.get("/").text
        assert "scores fell &lt;b&gt;overnight&lt;/b&gt;" in page
        assert "Acknowledge the emergency rollback" in page
        assert client.send("/emergencies/acknowledge", reason=" ").status_code == 422
        found = re.search('name="newest" value="([^"]+)"', page)
        assert found
        seen = {"newest": html.unescape(found[1]), "reason": "looked at it"}
        blind = client.send("/emergencies/acknowledge", reason="looked at none")
        assert "after you opened this page" in blind.text
        assert client.send("/emergencies/acknowledge", **seen).status_code == 303
        assert "Emergency rollback" not in client.get("/").text
        assert client.send("/emergencies/acknowledge", reason="again").status_code == 404
    with signed_in(desk, "viewer") as client:
        assert client.send("/emergencies/acknowledge", reason="x").status_code == 403
