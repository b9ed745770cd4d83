"""Stores that papers are written about, each made once by services."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.db import close_engine, open_session
from app.domain.scorecard import load_scorecard
from app.domain.types import Document
from app.paper.report import PaperForm, PaperRequest, write_paper
from app.services.alert_service import AlertService
from app.services.batch_service import BatchService
from app.services.dossier_service import DossierService
from app.services.label_generation_service import LabelGenerationService
from app.services.model_training_service import ModelTrainingService
from app.services.monitoring_service import MonitoringService
from app.services.outcome_service import OutcomeService
from app.services.scorecard_version_service import ScorecardVersionService
from app.services.store import initialise_store
from app.settings import get_settings
from tests.support.hostile import hostile_store
from tests.support.small_portfolio import THROUGH, write_portfolio


class Papers:
    """Write papers about the versions of one store."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._records: dict[str, Document] = {}

    def record(self, version: str) -> Document:
        """Gather once: nothing is added to the store between."""
        if version not in self._records:
            with self.environment(), open_session() as db:
                self._records[version] = DossierService(db).dossier(version)
        return self._records[version]

    def write(self, version: str, to: PaperForm, *, is_card: bool = False) -> bytes:
        content: bytes = write_paper(self.record(version), PaperRequest(to, is_card))["content"]
        return content

    @contextmanager
    def environment(self) -> Iterator[None]:
        """Name the store in the environment, for as long as the block lasts."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CHANCELLOR_HOME", str(self.home))
            yield
            close_engine(get_settings().database_url)


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """Give a store where every text is markup: v1 active, ml_v2 inactive, v3 rejected, v4 draft."""
    folder = tmp_path_factory.mktemp("hostile")
    hostile_store(folder / "files", folder / "home")
    return Papers(folder / "home")


@pytest.fixture(scope="session")
def overridden(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """Give a store whose ml_v2 was drafted despite the advice, activated over a failed gate, and
    monitored on a batch that has drifted; its first batch declares groups."""
    folder = tmp_path_factory.mktemp("overridden")
    papers = Papers(folder / "home")
    with papers.environment():
        files = write_portfolio(folder / "files", "keeps", n=700)
        later = write_portfolio(folder / "later", "keeps", n=300, seed=6, prefix="L")
        for file in (files.batch, later.batch):
            _rewrite(file, is_drifted=file == later.batch)
        initialise_store(card=load_scorecard(files.card), actor="ada")
        with open_session() as db:
            BatchService(db, "ada").import_file(
                files.batch, batch_id="B1", party_id="party", scored_at="scored",
                groups=["region"],
            )  # fmt: skip
            OutcomeService(db, "ada").import_events(
                files.outcomes, party_id="party", event_date="written_off",
                event_type="write_off", through=THROUGH,
            )  # fmt: skip
            LabelGenerationService(db, "ada").generate_labels("B1")
            model = ModelTrainingService(db, "ada").train_model("B1", validation="cross_validation")
            versions = ScorecardVersionService(db, "ada")
            draft = versions.refine_from_model(model["model_id"], despite_advice=True)
            assert (model["advice"], draft["version"]) == ("keep", "ml_v2")
            ScorecardVersionService(db, "ben").activate_version(
                "ml_v2", reason="The committee wants it", override_reason="A pilot of one month"
            )
            BatchService(db, "ada").import_file(
                later.batch, batch_id="B2", party_id="party", scored_at="scored"
            )
            made = MonitoringService(db, "ada").monitor("B2", "ml_v2")
            assert made["alerts"]
            AlertService(db, "ben").acknowledge(1, note="A campaign; we look again in May")
    return papers


def _rewrite(file: Path, *, is_drifted: bool) -> None:
    """Give a batch a column of groups, and of the later one a feature that has moved."""
    with file.open(encoding="utf-8", newline="") as read:
        header, *rows = csv.reader(read)
    for number, row in enumerate(rows):
        row.append(("north", "south", "far <b>east</b>")[number % 3])
        if is_drifted:
            row[2] = f"{float(row[2]) / 4:.4f}"
    with file.open("w", encoding="utf-8", newline="") as written:
        csv.writer(written).writerows([[*header, "region"], *rows])


@pytest.fixture(scope="session")
def withdrawn(overridden: Papers, tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """Give the same store after its batch turned out wrong."""
    home = tmp_path_factory.mktemp("withdrawn") / "home"
    shutil.copytree(overridden.home, home)
    papers = Papers(home)
    with papers.environment(), open_session() as db:
        BatchService(db, "ben").withdraw("B1", reason="Scored with last year's file")
    return papers
