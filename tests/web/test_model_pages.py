"""Models at the desk: the figures of the registry, and pages that ask the database little."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, event

from app.db import open_session
from app.domain.scorecard import load_scorecard
from app.edge import numbers
from app.services.batch_service import BatchService
from app.services.label_generation_service import LabelGenerationService
from app.services.model_training_service import ModelTrainingService
from app.services.outcome_service import OutcomeService
from app.services.pipeline_service import PipelineService
from app.services.store import initialise_store
from tests.conftest import Store
from tests.support.page_client import at_the_desk
from tests.support.service import running_service
from tests.support.small_portfolio import THROUGH, write_portfolio

pytestmark = pytest.mark.slow  # trains


def _bring_in(store: Store, folder: Path, *names: str) -> None:
    with open_session(store.database_url) as db:
        for seed, name in enumerate(names):
            files = write_portfolio(folder / name, seed=5 + seed, prefix=f"{name}-")
            BatchService(db).import_file(
                files.batch, batch_id=name, party_id="party", scored_at="scored"
            )
            OutcomeService(db).import_events(
                files.outcomes, party_id="party", event_date="written_off",
                event_type="write_off", through=THROUGH,
            )  # fmt: skip
            LabelGenerationService(db).generate_labels(batch_id=name)
            PipelineService(db).trigger(pipeline="scoring_pipeline", batch_ids=[name])


def _train(store: Store, name: str) -> dict[str, Any]:
    with open_session(store.database_url) as db:
        return dict(ModelTrainingService(db).train_model(batch_id=name))


@contextmanager
def _counted() -> Iterator[list[str]]:
    asked: list[str] = []

    def hear(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


def _least(client: httpx.Client, path: str) -> int:
    """Count what a page asks, at best: another thread may ask something beside it."""
    found = []
    for _ in range(3):
        with _counted() as asked:
            assert client.get(path).status_code == 200, path
        found.append(len(asked))
    return min(found)


def test_a_model_is_shown_as_the_registry_holds_it_and_more_of_them_cost_no_more_questions(
    store_url: str, home: Path, tmp_path: Path
) -> None:
    initialise_store(card=load_scorecard(write_portfolio(tmp_path / "card").card), actor="tester")
    store = Store(home, store_url, str(home / "lake"))
    _bring_in(store, tmp_path, "A1")
    model = _train(store, "A1")
    one = f"/models/{model['model_id']}"
    pages = (
        "/batches", "/batches/A1", "/outcomes", "/exposures", "/runs", "/models", one,
    )  # fmt: skip
    with running_service(store) as desk, at_the_desk(desk) as client:
        page = client.get(one)
        while "refresh" in page.headers:
            page = client.get(one)
        metrics = model["metrics"]
        for value in (metrics["auc_roc"], metrics["refined"]["auc_roc"], metrics["brier"]):
            assert f">{numbers.auc(value)}</td>" in page.text
        assert model["advice_sentence"] in page.text
        assert f"the model reaches AUC {numbers.auc(metrics['auc_roc'])}" in page.text
        assert model["validation_hash"] in page.text
        pictures = re.findall(r'<img src="(/figures/model/[^"]+)"', page.text)
        assert len(pictures) == 5
        for address in pictures:
            drawn = client.get(address.replace("&amp;", "&"))
            assert drawn.headers["content-type"] == "image/svg+xml"
            assert numbers.auc(metrics["auc_roc"]) in drawn.text or "/roc/" not in address
        before = {path: _least(client, path) for path in pages}
        _bring_in(store, tmp_path, "B1", "B2", "B3")
        _train(store, "B1")
        after = {path: _least(client, path) for path in pages}
        assert after == before
        assert max(after.values()) <= 25
        assert (
            "4 batches with 6,000 parties; every batch is labelled" in client.get("/batches").text
        )
