"""Where the store is follows from the environment alone, at each call."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

import pytest

from app.errors import InvalidInputError
from app.settings import complete_database_url, default_actor, get_settings


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder without any of our variables."""
    monkeypatch.delenv("CHANCELLOR_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_by_default_everything_is_in_a_folder_here(bare: Path) -> None:
    settings = get_settings()
    assert settings.home == bare / ".chancellor"
    assert settings.database_url == f"sqlite:///{bare}/.chancellor/chancellor.db"
    assert settings.lake_url == str(bare / ".chancellor" / "lake")
    assert settings.dagster_home == bare / ".chancellor" / "dagster"


def test_a_variable_that_is_empty_is_not_set(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = get_settings()
    for name in ("CHANCELLOR_HOME", "CHANCELLOR_DATABASE_URL", "CHANCELLOR_LAKE"):
        monkeypatch.setenv(name, "")
    assert get_settings() == expected


def test_every_place_is_independent_of_the_working_folder(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANCELLOR_HOME", "here")
    monkeypatch.setenv("CHANCELLOR_DATABASE_URL", "sqlite:///mine.db")
    monkeypatch.setenv("CHANCELLOR_LAKE", "files")
    settings = get_settings()
    assert settings.home == bare / "here"
    assert settings.database_url == f"sqlite:///{bare}/mine.db"
    assert settings.lake_url == str(bare / "files")


def test_the_environment_is_read_at_each_call(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        monkeypatch.setenv("CHANCELLOR_HOME", str(bare / name))
        assert get_settings().home == bare / name


def test_urls_of_a_lake_elsewhere_stay_as_they_are(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANCELLOR_LAKE", "s3://bucket/lake")
    assert get_settings().lake_url == "s3://bucket/lake"


@pytest.mark.parametrize(
    ("url", "complete"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql://h/d", "postgresql+psycopg://h/d"),
        ("postgresql+psycopg://h/d", "postgresql+psycopg://h/d"),
        ("sqlite:////abs/x.db", "sqlite:////abs/x.db"),
    ],
)
def test_database_urls_are_full(url: str, complete: str) -> None:
    assert complete_database_url(url) == complete


def test_the_actor_is_the_os_user() -> None:
    assert default_actor() == getpass.getuser()


def test_a_user_without_a_name_is_on_the_record_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container a process may run under a number that no name belongs to."""

    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert default_actor() == f"uid-{os.getuid()}"


def test_limits_of_duckdb_are_taken_as_they_are_written(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = get_settings()
    assert (settings.duckdb_memory, settings.duckdb_threads) == ("", 0)
    assert settings.duckdb_spill == bare / ".chancellor" / "spill"
    monkeypatch.setenv("CHANCELLOR_DUCKDB_SPILL", "disk")
    for memory in ("64MB", "1.5 GiB"):
        monkeypatch.setenv("CHANCELLOR_DUCKDB_MEMORY", memory)
        assert get_settings().duckdb_memory == memory
    assert get_settings().duckdb_spill == bare / "disk"


def test_every_variable_that_cannot_be_is_named(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANCELLOR_DUCKDB_THREADS", "-1")
    for memory in ("64", "0GB", "80%", "-1GB", "a lot"):
        monkeypatch.setenv("CHANCELLOR_DUCKDB_MEMORY", memory)
        with pytest.raises(InvalidInputError) as refused:
            get_settings()
        assert f"DUCKDB_MEMORY: {memory!r} is no amount of memory" in refused.value.message
        assert "CHANCELLOR_DUCKDB_THREADS: " in refused.value.message
