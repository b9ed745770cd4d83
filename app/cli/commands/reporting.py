"""``chancellor report``: the evidence about a version as a paper."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.cli.files import write_whole_bytes
from app.cli.options import Actor, AsJson
from app.cli.output import Output
from app.cli.render import reporting as render
from app.cli.services import open_services


class PaperForm(StrEnum):
    """Forms of a paper."""

    html = "html"
    pdf = "pdf"
    xlsx = "xlsx"


Version = Annotated[
    str, typer.Argument(metavar="VERSION", help="Name of the version.", show_default=False)
]
To = Annotated[
    PaperForm, typer.Option("--to", metavar="FORM", help="html, pdf or xlsx, the data behind it.")
]
IsCard = Annotated[
    bool,
    typer.Option("--model-card", help="The short card for those who use the scores."),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Where it goes; an existing file is replaced.",
        show_default="VERSION-dossier.FORM here",
    ),
]


def report(
    version: Version,
    to: To = PaperForm.html,
    is_card: IsCard = False,
    out: Out = None,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Write the evidence about a version as a paper.

    html  one file without anything from elsewhere; prints well
    pdf   for a committee: contents, page numbers, hash in the footer
    xlsx  the data behind every table and figure

    Withdrawn evidence and failed gates come first. Every number comes from the
    record; the same record gives the same bytes. The paper claims no conformity
    with anything and says what it does not show.

    Example:
      chancellor report ml_v2 --to pdf --out ml_v2.pdf
    """
    from app.paper.report import PaperRequest, write_paper  # noqa: PLC0415 - charts

    output = Output(as_json)
    with open_services(actor) as services, output.progress() as progress:
        found = services.dossiers.dossier(version, progress)
    result = write_paper(found, PaperRequest(to.value, is_card))
    content: bytes = result.pop("content")
    path = out or Path(result["file_name"])
    write_whole_bytes(path, content)
    output.show({**result, "path": str(path), "n_bytes": len(content)}, render.written)
