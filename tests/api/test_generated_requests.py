"""Thousands of requests that nobody thought of; the full form is in the module that sends them."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.access import ENDPOINTS, OPEN_ENDPOINTS
from app.edge.links import LINKS
from tests.support.generated_requests import send_generated_requests

LEAST = 1_000


@pytest.mark.slow
def test_no_generated_request_meets_a_fault_or_an_answer_that_is_not_documented(
    home: Path, tmp_path: Path
) -> None:
    """Stateful, with every check on; ``make generated`` sends 5,000 and more."""
    found = send_generated_requests(tmp_path, examples=5, seed=1)
    assert found.ended_well, found.report
    assert found.n_faults == 0
    assert found.n_cases >= LEAST


def test_links_are_between_operations_that_are_served() -> None:
    served = {f"{method} {path}" for method, path in {*ENDPOINTS, *OPEN_ENDPOINTS}}
    assert {link.source for link in LINKS} | {link.target for link in LINKS} <= served
