"""What a report calls chance is what its alerts call chance."""

from __future__ import annotations

import numpy as np
import pytest

from app.domain.monitoring.population import Population, count_population, freeze_reference
from app.domain.monitoring.report import Thresholds, monitoring_report


@pytest.mark.parametrize("seed", range(6))
def test_a_moved_feature_alerts_just_where_its_psi_exceeds_the_quantile_shown(seed):
    """Shifts of every size, so that some are decided in a later step of Holm's procedure."""
    rng = np.random.default_rng(seed)
    n, bands = 150, {"all": 300}

    def population(shift):
        features = {f"f{place}": rng.normal(shift * place, 1, n) for place in range(12)}
        return Population(rng.normal(600 + 20 * shift, 50, n), features, bands)

    reference = freeze_reference(population(0.0))
    counted = count_population(population(0.09), reference)
    report = monitoring_report(counted, reference, None, Thresholds(0.1, 0.05, 0.05))
    alerts = {alert["subject"] for alert in report["alerts"]}
    lines = {"score": report["score"]} | {one["feature"]: one for one in report["features"]}
    past = {name for name, one in lines.items() if one["psi"] > max(0.1, one["quantile"])}
    assert alerts == past
    assert 0 < len(alerts) < len(lines)
