"""Write a paper about a version in one of its three forms."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from app.domain.types import Document
from app.paper.dossier import dossier
from app.paper.model_card import model_card
from app.paper.parts import Paper

PaperForm = Literal["html", "pdf", "xlsx"]


@dataclass(frozen=True, slots=True)
class PaperRequest:
    """Say which paper is wanted.

    Parameters
    ----------
    to : str
        ``html``, ``pdf`` or ``xlsx``.
    is_card : bool
        Whether it is the model card instead of the dossier.
    """

    to: PaperForm
    is_card: bool = False

    def command(self, version: str) -> str:
        """Give the command that writes the same bytes again.

        Examples
        --------
        >>> PaperRequest("pdf", is_card=True).command("ml_v2")
        'chancellor report ml_v2 --to pdf --model-card'
        """
        words = ["chancellor", "report", version, "--to", self.to]
        return shlex.join(words + (["--model-card"] if self.is_card else []))


def write_paper(found: Document, request: PaperRequest) -> Document:
    """Write a paper about a version.

    Parameters
    ----------
    found : dict
        From :meth:`app.services.dossier_service.DossierService.dossier`.
    request : PaperRequest
        Which paper, in which form.

    Returns
    -------
    dict
        version, status, content_hash, as_of, kind, to, made_by (the command that gives the same
        bytes), media_type, file_name and content (bytes). The same record gives the same bytes.
    """
    version = found["version"]["version"]
    command = request.command(version)
    paper = (model_card if request.is_card else dossier)(found, command)
    form = FORMS[request.to]
    stem = f"{version}-model-card" if request.is_card else f"{version}-dossier"
    return {
        "version": version,
        "status": paper.status,
        "content_hash": paper.content_hash,
        "as_of": paper.as_of,
        "kind": paper.kind,
        "to": request.to,
        "made_by": command,
        "media_type": form.media_type,
        "file_name": f"{stem}.{request.to}",
        "content": form.write(paper),
    }


def _html(paper: Paper) -> bytes:
    from app.paper.html import html  # noqa: PLC0415 - only what is asked for

    return html(paper)


def _pdf(paper: Paper) -> bytes:
    from app.paper.pdf import pdf  # noqa: PLC0415 - only what is asked for

    return pdf(paper)


def _xlsx(paper: Paper) -> bytes:
    from app.paper.workbook import workbook  # noqa: PLC0415 - only what is asked for

    return workbook(paper)


@dataclass(frozen=True, slots=True)
class _Form:
    media_type: str
    write: Callable[[Paper], bytes]


FORMS = MappingProxyType(
    {
        "html": _Form("text/html; charset=utf-8", _html),
        "pdf": _Form("application/pdf", _pdf),
        "xlsx": _Form("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _xlsx),
    }
)
"""Every form of a paper by its name."""
