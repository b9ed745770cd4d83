"""Papers over HTTP: the bytes that the shell writes."""

from __future__ import annotations

from typing import get_args

from app.cli.commands.reporting import PaperForm as FormOfShell
from app.paper.report import FORMS, PaperForm
from tests.api.conftest import Running
from tests.paper.conftest import Papers

REPORT = "/api/scoring/versions/{}/report"


def test_every_face_knows_every_form() -> None:
    assert [form.value for form in FormOfShell] == list(FORMS) == list(get_args(PaperForm))


def test_a_paper_is_what_the_shell_writes(sqlite_running: Running) -> None:
    papers = Papers(sqlite_running.store.home)
    with sqlite_running.client("viewer") as client:
        for to, form in FORMS.items():
            answer = client.get(REPORT.format("v1"), params={"to": to})
            assert answer.status_code == 200, answer.text
            assert answer.headers["content-type"] == form.media_type
            named = f'attachment; filename="v1-dossier.{to}"'
            assert answer.headers["content-disposition"] == named
            assert answer.content == papers.write("v1", to)
        card = client.get(REPORT.format("v1"), params={"to": "pdf", "card": "true"})
        assert card.content == papers.write("v1", "pdf", is_card=True)
        assert client.get(REPORT.format("v9")).status_code == 404
        assert client.get(REPORT.format("v1"), params={"to": "docx"}).status_code == 422
    with sqlite_running.client("service") as client:
        assert client.get(REPORT.format("v1")).status_code == 403
