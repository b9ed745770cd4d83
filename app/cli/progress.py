"""Progress on stderr: a bar on a terminal, otherwise a quiet line now and then."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from app.domain.types import Progress


FIRST_LINE_AFTER = 1.0
LINE_EVERY = 5.0


@contextmanager
def progress_on(console: Console) -> Iterator[Progress]:
    """Yield a progress callback that draws on ``console`` until the block ends.

    Parameters
    ----------
    console : Console
        Where to draw: a console on stderr.

    Yields
    ------
    Progress
        Called as ``progress(stage, done, total)``; a total of 0 is "not known".
    """
    if console.is_terminal:
        with _bars(console) as report:
            yield report
    else:
        yield QuietLines(console).report


@contextmanager
def _bars(console: Console) -> Iterator[Progress]:
    from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn  # noqa: PLC0415 - only on a terminal, 30 ms
    from rich.progress import Progress as Bars  # noqa: PLC0415 - the same

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=console, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=max(total, done, 1))
            bars.update(tasks[stage], completed=done, total=max(total, done, 1))

        yield report


class QuietLines:
    """Print a stage's progress as plain lines, only for work over a second.

    Parameters
    ----------
    console : Console
        Where the lines go: a console on stderr.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._stage = ""
        self._next = 0.0

    def report(self, stage: str, done: int, total: int) -> None:
        """Take note of progress and print a line when one is due.

        Parameters
        ----------
        stage : str
            What is being done.
        done, total : int
            Steps finished, and steps in all (0 is "not known").
        """
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._next = stage, now + FIRST_LINE_AFTER
        elif now >= self._next:
            self._next = now + LINE_EVERY
            of_total = f" of {total:,}" if total else ""
            self._console.print(f"{stage}: {done:,}{of_total}", markup=False, highlight=False)
