"""The charts of a review, drawn from the evidence of real versions."""

from __future__ import annotations

import pytest

from app.charts.reviewed import review_drawings
from app.charts.svg import draw_svg
from app.charts.theme import Look
from app.db import open_session
from app.lake.store import open_lake
from app.queries.versions import list_versions
from app.services.review_evidence import review_evidence
from tests.conftest import Store

ALWAYS = {"weights", "shift", "band_shares", "migration"}
JUDGED = {"roc", "ks_old", "ks_new", "calibration", "calibration_bands", "periods"}


@pytest.mark.slow
def test_every_version_made_from_another_has_its_charts(furnished: Store) -> None:
    with open_session(furnished.database_url) as db:
        versions = [row for row in list_versions(db) if row.base_version is not None]
        assert {row.model_id is None for row in versions} == {True, False}
        for row in versions:
            evidence = review_evidence(db, open_lake(), row.version)
            drawings = review_drawings(evidence)
            path = {"path"} if row.model_id is not None else set()
            of_groups = {name for name in drawings if name.startswith("groups_")}
            assert set(drawings) == ALWAYS | JUDGED | path | of_groups
            for drawing in drawings.values():
                draw_svg(drawing.chart.draw(drawing.document, Look()))
            table = drawings["weights"].chart.tabulate(drawings["weights"].document)
            assert {line[0] for line in table.rows} == set(evidence["features"])
            roc = drawings["roc"].document["curves"][1]
            assert roc["auc"] == pytest.approx(evidence["discrimination"]["new"]["auc_roc"])
