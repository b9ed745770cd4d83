"""Files that a form brings: set aside, looked at, and stored when the person says so."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from app.domain.types import Document
from app.edge.aside import HeldFile, find_held, put_aside
from app.edge.import_job import Kind
from app.edge.imports import import_received
from app.edge.problems import Refusal
from app.web.routing import Desk

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


async def received(desk: Desk) -> HeldFile:
    """Take the file of a form, or find the one that was set aside before.

    Parameters
    ----------
    desk : Desk
        Its form has ``file`` or ``held``.

    Returns
    -------
    HeldFile
        Where it lies.

    Raises
    ------
    Refusal
        422 if no file was chosen, 400 or 415 if it is none that is taken.
    ConflictError
        If what was set aside is kept no more.
    """
    session = desk.request.state.session_token
    file = desk.form.get("file")
    if isinstance(file, UploadFile) and (file.filename or file.size):
        return await run_in_threadpool(put_aside, file.file, file.filename, session)
    if desk.text("held"):
        return await run_in_threadpool(find_held, desk.text("held"), session)
    raise Refusal(422, "no_file", "Choose a file first: CSV, CSV.gz or Parquet.")


async def imported(desk: Desk, kind: Kind, held: HeldFile, **options: Any) -> Document:
    """Import a held file, or look at it.

    Parameters
    ----------
    desk : Desk
        Who asks.
    kind : str
        What is done with it.
    held : HeldFile
        The file.
    **options : Any
        Arguments of the service.

    Returns
    -------
    dict
        What the service answers.
    """
    return await import_received(desk.request, desk.use, kind, held.path, **options)
