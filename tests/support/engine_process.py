"""Run commands of Chancellor on one Spark; started in the environment `.spark` by the tests.

Reads a JSON list of ``{"home": ..., "commands": [[...], ...]}`` and prints the exit codes.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from typing import Any

from app.cli.main import main
from app.lake.spark import open_spark


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
    return found


if __name__ == "__main__":
    answer = run(json.load(sys.stdin))
    sys.stdout.write(json.dumps(answer))
