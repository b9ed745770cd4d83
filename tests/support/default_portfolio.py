"""The simulated portfolio of the default card as two files, as the demo writes them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.domain.scorecard import default_card
from app.domain.simulation import simulate_portfolio
from app.services.demo import write_files


@dataclass(frozen=True, slots=True)
class DefaultPortfolio:
    """The files, and the day up to which the outcomes are complete."""

    batch: Path
    outcomes: Path
    through: str


def default_portfolio(folder: Path, *, seed: int = 1) -> DefaultPortfolio:
    """Simulate the supply-chain portfolio and write its batch and outcomes."""
    portfolio = simulate_portfolio(default_card(), np.random.default_rng(seed))
    files = write_files(portfolio, folder)
    return DefaultPortfolio(
        files["portfolio"], files["outcomes"], portfolio.data_through.isoformat()
    )
