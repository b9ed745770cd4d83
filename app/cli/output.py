"""Where a command's words go: results to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType
from rich.text import Text

from app.cli.progress import progress_on

if TYPE_CHECKING:
    from app.domain.types import Document, Progress

NARROWEST_FILE_WIDTH = 140


def stdout_console() -> Console:
    """Build the console for results; a file or pipe gets wide, uncoloured lines."""
    console = Console(file=sys.stdout, highlight=False, soft_wrap=False, emoji=False)
    if not console.is_terminal:
        console.width = max(console.width, NARROWEST_FILE_WIDTH)
    return console


def stderr_console() -> Console:
    """Build the console for messages and progress."""
    console = Console(file=sys.stderr, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = max(console.width, NARROWEST_FILE_WIDTH)
    return console


@dataclass(slots=True)
class Output:
    """Print one command's result, as a document or for a person.

    Parameters
    ----------
    as_json : bool
        Whether the result is printed as one JSON document.
    """

    as_json: bool
    _out: Console = field(default_factory=stdout_console)
    _err: Console = field(default_factory=stderr_console)

    def show(
        self,
        document: Document | Sequence[Document],
        render: Callable[[Any], Iterable[RenderableType]],
    ) -> None:
        """Print a result.

        Parameters
        ----------
        document : dict or sequence of dict
            What the service returned.
        render : callable
            Turns the document into what a person reads.
        """
        if self.as_json:
            print_json(document)
            return
        for part in render(document):
            is_long_line = isinstance(part, Text) and not self._out.is_terminal
            self._out.print(part, soft_wrap=is_long_line, crop=False)

    def note(self, message: str) -> None:
        """Print a message for the person on stderr; silent where ``--json`` is asked for.

        Parameters
        ----------
        message : str
            One or two plain sentences.
        """
        if not self.as_json:
            self._err.print(message, markup=False, soft_wrap=True)

    def warn(self, message: str) -> None:
        """Print what went wrong beside the command's own work on stderr, ``--json`` or not.

        Parameters
        ----------
        message : str
            One or two plain sentences.
        """
        self._err.print(message, markup=False, soft_wrap=True)

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """Yield a progress callback that draws on stderr."""
        with progress_on(self._err) as report:
            yield report


def print_json(document: Document | Sequence[Document]) -> None:
    """Print one JSON document on stdout.

    Parameters
    ----------
    document : dict or sequence of dict
        JSON-ready values; dates and times are written in ISO form.
    """
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False, default=_as_text)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _as_text(value: object) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value)
