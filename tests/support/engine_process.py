"""Run commands of Chancellor on one Spark; started in the environment `.spark` by the tests.

Reads a JSON list of ``{"home": ..., "commands": [[...], ...]}`` and prints the exit codes.
Where a job has a ``request``, Dagster's training job runs with it as run configuration, into
``run.json``.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

from app.cli.main import main
from app.domain.pipelines import TRAINING
from app.lake.spark import open_spark
from app.pipeline.definitions import defs
from app.pipeline.home import open_instance
from app.pipeline.request import batches
from app.pipeline.result import result_document


def run(jobs: list[dict[str, Any]]) -> list[list[object]]:
    open_spark()
    found = []
    for job in jobs:
        os.environ["CHANCELLOR_HOME"] = str(job["home"])
        for words in job["commands"]:
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                code = main([*words, "--json"])
            found.append([code, said.getvalue()])
        if "request" in job:
            with contextlib.redirect_stdout(sys.stderr):
                document = run_on_dagster(job["request"])
            Path(job["home"], "run.json").write_text(json.dumps(document), encoding="utf-8")
    return found


def run_on_dagster(request: dict[str, Any]) -> dict[str, Any]:
    """Run the training job as Dagster's own pages do: all that it is told is its configuration."""
    with open_instance() as instance:
        instance.add_dynamic_partitions(str(batches.name), request["batch_ids"])
        result = defs.resolve_job_def(TRAINING).execute_in_process(
            instance=instance,
            partition_key=request["batch_ids"][-1],
            run_config={"resources": {"request": {"config": request}}},
            raise_on_error=False,
        )
    return result_document(TRAINING, result)


if __name__ == "__main__":
    answer = run(json.load(sys.stdin))
    sys.stdout.write(json.dumps(answer))
