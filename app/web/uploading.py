"""Files that a form brings: set aside, looked at, and stored when the person says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Response
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from app.domain.types import Document
from app.edge.aside import HeldFile, find_held, put_aside
from app.edge.import_job import Kind
from app.edge.imports import import_received
from app.edge.problems import Refusal
from app.errors import ChancellorError, IntakeError
from app.web.fault_words import fault_rows, fault_title
from app.web.routing import Desk, go_to

DATE_FORMATS = (
    ("", "2026-03-31 (ISO)"),
    ("%d/%m/%Y", "31/03/2026"),
    ("%m/%d/%Y", "03/31/2026"),
    ("%d.%m.%Y", "31.03.2026"),
    ("%d-%b-%Y", "31-Mar-2026"),
    ("%d-%b-%y", "31-Mar-26"),
    ("%Y%m%d", "20260331"),
)
"""How dates are written in files, by an example of each."""

Refused = ChancellorError | Refusal
_REFUSED = (ChancellorError, Refusal)


@dataclass(frozen=True, slots=True)
class Intake:
    """How one kind of file comes in: a page to choose it, one to look at it, and its storing.

    Attributes
    ----------
    kind, preview : str
        What stores the file, and what looks at it.
    choose_page, shown_page : str
        Templates.
    given : callable
        What a form says about the file, as the preview takes it.
    options : callable
        The same as the import takes it.
    next_address : callable
        Where to go once it is stored, from what the service answered.
    context : mapping
        What the templates show beside it.
    """

    kind: Kind
    preview: Kind
    choose_page: str
    shown_page: str
    given: Callable[[Desk], Document]
    options: Callable[[Document], Document]
    next_address: Callable[[Document], str]
    context: Mapping[str, Any]

    def choose(self, desk: Desk, refused: Refused | None = None) -> HTMLResponse:
        """Ask for a file.

        Parameters
        ----------
        desk : Desk
            Who asks, with the form that was refused, or none.
        refused : ChancellorError or Refusal or None
            Why it was refused.

        Returns
        -------
        HTMLResponse
            The page.
        """
        given = self.given(desk) if desk.request.method == "POST" else {}
        return desk.render(self.choose_page, refused=refused, given=given, **self.context)

    async def look(self, desk: Desk) -> HTMLResponse:
        """Show what a file holds before anything is stored.

        Parameters
        ----------
        desk : Desk
            With a form that brings the file, or names one that waits.

        Returns
        -------
        HTMLResponse
            The page.
        """
        try:
            held = await _received(desk)
        except _REFUSED as error:
            return self.choose(desk, error)
        return await self._shown(desk, held)

    async def store(self, desk: Desk) -> Response:
        """Store the file that was looked at.

        Parameters
        ----------
        desk : Desk
            With a form that names it.

        Returns
        -------
        Response
            To where it can be seen; or the look at it again, with what is wrong.
        """
        try:
            held = await _received(desk)
        except _REFUSED as error:
            return self.choose(desk, error)
        options = self.options(self.given(desk))
        try:
            stored = await import_received(desk.request, desk.use, self.kind, held.path, **options)
        except IntakeError:
            return await self._shown(desk, held)  # which shows the faults as a table
        except _REFUSED as error:
            return await self._shown(desk, held, error)
        held.discard()
        return go_to(self.next_address(stored))

    async def _shown(
        self, desk: Desk, held: HeldFile, refused: Refused | None = None
    ) -> HTMLResponse:
        given = self.given(desk)
        try:
            found = await import_received(desk.request, desk.use, self.preview, held.path, **given)
        except _REFUSED as error:
            return self.choose(desk, refused or error)
        answer = desk.render(
            self.shown_page,
            refused=refused,
            found=found,
            held=held.name,
            given=given,
            faults=fault_rows(found["faults"]),
            title=fault_title(found["file"], found["n_faults"]),
            date_formats=DATE_FORMATS,
            **self.context,
        )
        if found["faults"] and refused is None:
            answer.status_code = 422
        return answer


async def _received(desk: Desk) -> HeldFile:
    """Take the file of a form, or find the one that was set aside before."""
    session = desk.request.state.session_token
    file = desk.form.get("file")
    if isinstance(file, UploadFile) and (file.filename or file.size):
        return await run_in_threadpool(put_aside, file.file, file.filename, session)
    if desk.text("held"):
        return await run_in_threadpool(find_held, desk.text("held"), session)
    raise Refusal(422, "no_file", "Choose a file first: CSV, CSV.gz or Parquet.")
