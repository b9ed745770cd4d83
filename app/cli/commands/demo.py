"""``chancellor demo``: the main job on a simulated portfolio."""

from __future__ import annotations

from app.cli.options import AsJson


def demo(as_json: AsJson = False) -> None:
    """Show the main job on a simulated portfolio."""
    raise NotImplementedError(as_json)
