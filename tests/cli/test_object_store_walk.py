"""The main job with its lake in an object store, through the shell: nothing is kept in a folder."""

from __future__ import annotations

import os
from datetime import timedelta

import pyarrow.parquet as pq
import pytest

from app.db import open_session
from app.services.doctor import DoctorService
from tests.cli.command_line import CommandLine
from tests.support.faulty_proxy import Fault, faulty_proxy
from tests.support.object_store import SECRET, ObjectStore

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def lake_url(bucket: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name a prefix of a bucket as the lake."""
    url = f"{bucket}/risk/lake"
    monkeypatch.setenv("CHANCELLOR_LAKE", url)
    return url


def test_from_import_to_restore(chancellor, with_portfolio, home, tmp_path, lake_url, monkeypatch):
    files = with_portfolio()
    run = chancellor("pipeline", "run", "B1", "--actor", "ada").out
    assert "Adopt: " in run
    version = chancellor.json("versions", "show", "ml_v2")
    chancellor("versions", "approve", "ml_v2", "--reason", "gain holds", "--actor", "bob",
               "--expected-hash", version["review_hash"])  # fmt: skip
    chancellor("versions", "activate", "ml_v2", "--actor", "bob")
    scored = chancellor.json("score", files.batch, "--out", tmp_path / "scored.parquet")
    assert (scored["version"], scored["n_rows"]) == ("ml_v2", 1500)
    report = chancellor.json("monitor", "B1")
    assert report["batch_id"] == "B1"
    assert not (home / "lake").exists()

    examined = chancellor.json("doctor")
    assert examined["healthy"], examined
    assert examined["checked"]["files"] == examined["checked"]["rows_with_files"] >= 4
    kept = chancellor.json("backup", tmp_path / "backup")
    assert kept["n_files"] == examined["checked"]["files"] + 1

    monkeypatch.setenv("CHANCELLOR_HOME", str(tmp_path / "other"))
    monkeypatch.setenv("CHANCELLOR_LAKE", f"{lake_url}-restored")
    restored = chancellor.json("restore", tmp_path / "backup")
    assert restored["healthy"], restored
    assert chancellor.json("doctor")["healthy"]
    again = chancellor.json("score", files.batch, "--out", tmp_path / "again.parquet")
    assert again["version"] == "ml_v2"
    assert pq.read_table(tmp_path / "again.parquet").equals(
        pq.read_table(tmp_path / "scored.parquet")
    )


def test_the_doctor_finds_what_is_gone_changed_and_left_over(
    chancellor: CommandLine, with_portfolio, object_store: ObjectStore, lake_url: str
) -> None:
    with_portfolio()
    (batch,) = chancellor.json("batch", "list")
    client, root = object_store.client(), lake_url.removeprefix("s3://")
    place = f"{root}/{batch['file_path']}"
    with client.open_output_stream(f"{root}/batches/.writing-left-by-a-crash") as stream:
        stream.write(b"half of a file")
    (orphan,) = chancellor.json("doctor")["orphans"]
    assert (orphan["unfinished"], orphan["removable"]) == (True, False)  # too young
    with open_session() as db:
        removed = DoctorService(db).examine(remove_orphans=True, minimum_age=timedelta(0))
    assert removed["removed"] == [orphan["path"]] == ["batches/.writing-left-by-a-crash"]
    with client.open_output_stream(place) as stream:
        stream.write(b"other bytes")
    (finding,) = chancellor.json("doctor", code=7)["findings"]
    assert finding["kind"] == "changed_file"
    assert f"{lake_url}/{batch['file_path']}" in finding["problem"]
    chancellor("labels", "generate", "B1", code=7)
    client.delete_file(place)
    (finding,) = chancellor.json("doctor", code=7)["findings"]
    assert finding["kind"] == "missing_file"


def test_a_store_that_does_not_answer_is_one_clear_error(
    chancellor: CommandLine, with_portfolio, object_store: ObjectStore, monkeypatch
) -> None:
    with_portfolio()
    monkeypatch.setenv("CHANCELLOR_LAKE_ATTEMPTS", "2")
    with faulty_proxy(object_store.port) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)

        def broken(method: str, path: str, number: int) -> Fault | None:
            return "503"

        proxy.choose = broken
        ran = chancellor("labels", "generate", "B1", code=1)
    assert "cannot be used" in ran.err
    assert "Traceback" not in ran.err
    assert SECRET not in ran.err + ran.out


def test_a_bucket_that_is_not_there_is_named_before_anything_is_made(
    chancellor: CommandLine, lake_url: str, monkeypatch
) -> None:
    monkeypatch.setenv("CHANCELLOR_LAKE", "s3://no-such-bucket/lake")
    assert "there is no lake at s3://no-such-bucket/lake" in chancellor("init", code=1).err
    monkeypatch.setenv("CHANCELLOR_LAKE", f"s3://me:{SECRET}@bucket/lake")
    ran = chancellor("init", code=3)
    assert "carries no credentials" in ran.err
    assert SECRET not in ran.err + ran.out
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == SECRET
    monkeypatch.setenv("CHANCELLOR_LAKE", lake_url)
    assert lake_url in chancellor("init").out
