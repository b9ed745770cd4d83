"""Score one party at the desk: the same numbers as the API, recorded only when asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.db import open_session
from app.services.decision_service import DecisionService
from app.services.scoring_service import ScoringService
from tests.support.desk_client import DeskClient, signed_in
from tests.support.service import Running


@pytest.fixture
def client(empty_desk: Running) -> Iterator[DeskClient]:
    with signed_in(empty_desk, "analyst") as client:
        yield client


def test_fields_and_pasted_json_give_the_score_of_the_service(
    client: DeskClient, empty_desk: Running
) -> None:
    features = {"company_age_years": 7.0, "kyc_verified": 1.0}
    with open_session(empty_desk.store.database_url) as db:
        expected = ScoringService(db).score_party(features)
    sentence = f"v1 gives {expected['score']} points: {expected['band']}"
    typed = client.send(
        "/score", version="v1", **{"f.company_age_years": "7", "f.kyc_verified": "true"}
    )
    pasted = client.send(
        "/score", version="v1", json='{"company_age_years": 7, "kyc_verified": true}'
    )
    for page in (typed, pasted):
        assert page.status_code == 200
        assert sentence in page.text
        assert "Nothing was recorded" in page.text
        assert expected["reason_codes"][0]["reason"] in page.text
        assert 'value="7"' in page.text
    points = expected["contributions"]["company_age_years"]
    assert f">{points:.1f} <" in typed.text


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    client: DeskClient,
) -> None:
    page = client.send("/score", **{"f.company_age_years": "<old>", "f.network_size": "12"})
    assert page.status_code == 422
    assert "&#39;&lt;old&gt;&#39; is not a number</strong>" in page.text
    assert 'value="&lt;old&gt;"' in page.text
    assert 'value="12"' in page.text
    for text in ("[1]", '{"a": {"b": 1}}', '{"a": NaN}', "nonsense"):
        page = client.send("/score", json=text)
        assert page.status_code == 422
        assert "Not done." in page.text


def test_a_decision_is_recorded_only_where_it_is_asked_for(
    client: DeskClient, empty_desk: Running
) -> None:
    answer = client.send("/score", **{"f.network_size": "12", "party_id": "P-1", "record": "yes"})
    assert answer.status_code == 303
    page = client.get(answer.headers["location"])
    assert "for P-1" in page.text
    assert 'value="12"' in page.text
    refused = client.send("/score", **{"f.network_size": "12", "record": "yes"})
    assert refused.status_code == 422
    with open_session(empty_desk.store.database_url) as db:
        assert DecisionService(db).statistics()["n_decisions"] == 1
