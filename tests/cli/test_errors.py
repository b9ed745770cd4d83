"""Every error has an exit code, and looks the same to a program."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import errors
from app.cli.errors import EXIT_CODES, UNEXPECTED, exit_code_of, exit_code_of_name
from app.edge.errors import error_code
from tests.cli.command_line import CommandLine

DRAWN = {
    errors.InvalidInputError: 3,
    errors.QualityGateError: 4,
    errors.NotFoundError: 5,
    errors.ConflictError: 6,
    errors.NotPermittedError: 6,
    errors.TamperingError: 7,
    errors.UnavailableError: 1,
}
"""The codes that the docstring of ``app.errors`` draws."""


def _leaves(kind: type[errors.ChancellorError]) -> list[type[errors.ChancellorError]]:
    below = kind.__subclasses__()
    return [leaf for child in below for leaf in _leaves(child)] if below else [kind]


@pytest.mark.parametrize("leaf", _leaves(errors.ChancellorError), ids=lambda kind: kind.__name__)
def test_every_leaf_of_the_error_tree_has_its_exit_code_in_the_table(leaf):
    assert leaf in EXIT_CODES
    branch = next(kind for kind in leaf.__mro__ if kind in DRAWN)
    assert EXIT_CODES[leaf] == DRAWN[branch]


def test_an_error_that_nobody_mapped_yet_takes_the_code_of_its_parent():
    class NewError(errors.ConflictError):
        """A leaf that the table does not know."""

    assert exit_code_of(NewError) == 6


@pytest.mark.parametrize("kind", EXIT_CODES, ids=lambda kind: kind.__name__)
def test_the_code_of_an_error_that_is_known_by_name_is_that_of_its_class(kind):
    assert exit_code_of_name(error_code(kind)) == EXIT_CODES[kind]


def test_a_name_that_is_no_error_of_ours_is_unexpected():
    assert exit_code_of_name("unexpected") == UNEXPECTED


def test_without_a_store_a_command_says_how_to_get_one(chancellor: CommandLine):
    ran = chancellor("versions", "list", code=5)
    assert "chancellor init" in ran.err
    assert ran.out == ""


def test_an_error_is_one_json_document_on_stdout_where_json_is_asked_for(chancellor: CommandLine):
    ran = chancellor("versions", "list", "--json", code=5)
    assert set(ran.document["error"]) == {"code", "message", "facts"}
    assert ran.document["error"]["code"] == "store_not_initialised"
    assert ran.err == ""


@pytest.mark.parametrize(
    "words",
    [
        ("versions", "shwo", "v1"),
        ("versions", "show"),
        ("versions", "show", "v1", "--no-such-option"),
        ("train", "A", "--validation", "coin"),
        ("labels", "generate", "A", "--window", "0"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_where_help_is(chancellor: CommandLine, words):
    ran = chancellor(*words, code=2)
    assert "--help" in ran.err
    assert ran.out == ""
    assert chancellor(*words, "--json", code=2).document["error"]["code"] == "usage"


def test_a_fault_of_our_own_ends_with_1_and_shows_its_traceback(chancellor, monkeypatch):
    def broken(_actor: str | None) -> None:
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr("app.cli.commands.versions.open_services", broken)
    ran = chancellor("versions", "list", code=1)
    assert "Traceback" in ran.err
    assert "ZeroDivisionError: a fault" in ran.err
    assert chancellor("versions", "list", "--json", code=1).document["error"]["code"] == (
        "unexpected"
    )


@pytest.mark.parametrize("thing", ["nothing", "folder"])
@pytest.mark.parametrize(
    "words",
    [
        ("init", "--card", "{}"),
        ("init", "--policy", "{}"),
        ("policy", "set", "{}"),
        ("definitions", "add", "{}"),
        ("versions", "add", "{}"),
        ("batch", "import", "{}", "--batch", "B", "--party-id", "id", "--scored-at", "on"),
        ("exposures", "import", "{}", "--party-id", "id"),
        ("score", "{}", "--out", "out.csv"),
        ("audit", "verify", "--checkpoint", "{}", "--public-key", "{}"),
    ],
    ids=" ".join,
)
def test_a_file_that_is_not_there_ends_with_5_whatever_it_would_have_been(
    chancellor: CommandLine, tmp_path: Path, words: tuple[str, ...], thing: str
):
    if words[0] != "init":
        chancellor("init")
    (tmp_path / "folder").mkdir()
    where = str(tmp_path / thing)
    error = chancellor.json(*(word.format(where) for word in words), code=5)["error"]
    assert error["code"] == "not_found"
    assert error["message"] == f"there is no file {where}"
    assert error["facts"]["path"] == where


@pytest.mark.parametrize(
    "url", ["nonsense", "nosuch://host/db", "postgresql://nobody@localhost:1/x"]
)
def test_a_database_that_cannot_be_used_is_unavailable_without_a_traceback(
    chancellor, monkeypatch, url
):
    monkeypatch.setenv("CHANCELLOR_DATABASE_URL", url)
    ran = chancellor("versions", "list", code=1)
    assert "Traceback" not in ran.err
    assert chancellor.json("versions", "list", code=1)["error"]["code"] == "unavailable"


def test_an_interrupt_ends_with_130(chancellor, monkeypatch):
    def interrupted(_actor: str | None) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("app.cli.commands.versions.open_services", interrupted)
    assert "Interrupted" in chancellor("versions", "list", code=130).err
