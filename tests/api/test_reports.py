"""Papers over HTTP: the bytes that the shell writes."""

from __future__ import annotations

from typing import get_args

from app.cli.commands.reporting import PaperForm as FormOfShell
from app.paper.report import FORMS, PaperForm
from tests.api.conftest import Running
from tests.paper.conftest import Papers
from tests.support.desk_client import signed_in

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


def test_the_desk_hands_out_the_same_papers(sqlite_running: Running) -> None:
    papers = Papers(sqlite_running.store.home)
    with signed_in(sqlite_running, "viewer") as person:
        page = person.get("/versions/v1").text
        for query, is_card in (("to=pdf", False), ("to=pdf&amp;card=true", True)):
            assert f'href="/versions/v1/report?{query}"' in page
            answer = person.get(f"/versions/v1/report?{query.replace('&amp;', '&')}")
            assert answer.content == papers.write("v1", "pdf", is_card=is_card)
            assert answer.headers["content-disposition"].startswith("attachment;")
        assert person.get("/versions/v9/report").status_code == 404
