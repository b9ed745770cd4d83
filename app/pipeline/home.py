"""Dagster's home inside the store: a persistent SQLite instance, telemetry off.

``python -m app.pipeline.home`` makes it where it does not exist yet and prints where it is, for
``DAGSTER_HOME="$(python -m app.pipeline.home)" dagster dev -m app.pipeline.definitions``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import dagster as dg

from app.settings import get_settings

CONFIGURATION = """\
# Written by Chancellor. Dagster keeps its runs and events in this directory.
telemetry:
  enabled: false
nux:
  enabled: false
# Captured output is followed by processes of their own, which outlive a run that is killed; what
# Chancellor has to say of a run is in its events.
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""


def dagster_home() -> Path:
    """Create Dagster's home where it does not exist yet.

    Returns
    -------
    Path
        An absolute directory that holds a ``dagster.yaml``; one that is already there is kept.
    """
    home = get_settings().dagster_home
    home.mkdir(parents=True, exist_ok=True)
    configuration = home / "dagster.yaml"
    if not configuration.exists():
        configuration.write_text(CONFIGURATION, encoding="utf-8")
    return home


def open_instance() -> dg.DagsterInstance:
    """Open the persistent Dagster instance of the store.

    Returns
    -------
    DagsterInstance
        To be used as a context manager. Runs, events and the small documents that pass
        between assets are kept in its home.
    """
    return dg.DagsterInstance.from_config(str(dagster_home()))


if __name__ == "__main__":
    sys.stdout.write(f"{dagster_home()}\n")
