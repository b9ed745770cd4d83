"""Conventions of the code that no tool of the trade checks."""

from __future__ import annotations

import ast
import inspect
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from numpydoc.docscrape import FunctionDoc

from app import errors

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(ROOT.glob("app/**/*.py"))
MAX_LINES = 400
MAX_FUNCTION_STATEMENTS = 40
COMMITS_IN = "app/db/transaction.py"
ALEMBIC = "app/migrations/env.py"
CLOCKS = {"now", "utcnow", "today"}


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _calls(path: Path, methods: set[str]) -> list[str]:
    """List ``place: method`` for every call of an attribute of these names."""
    return [
        f"{_name(path)}:{node.lineno}: .{node.func.attr}()"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in methods
    ]


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_no_module_is_longer_than_a_person_reads(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{_name(path)}:{node.lineno}: {node.name} has {count} statements"
        for path in SOURCES
        if "migrations" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        and (count := sum(isinstance(part, ast.stmt) for part in ast.walk(node)))
        > MAX_FUNCTION_STATEMENTS
    ]
    assert long == []


def test_one_place_commits() -> None:
    """Alembic's own connection is not a session of ours."""
    commits = [call for path in SOURCES for call in _calls(path, {"commit"})]
    assert {call.split(":")[0] for call in commits} - {ALEMBIC} == {COMMITS_IN}


def test_the_core_reads_no_clock() -> None:
    core = [path for path in SOURCES if _name(path).startswith("app/domain/")]
    assert [call for path in core for call in _calls(path, CLOCKS)] == []


def test_the_core_takes_chance_only_from_a_seed() -> None:
    core = [path for path in SOURCES if _name(path).startswith("app/domain/")]
    unseeded = [
        _name(path)
        for path in core
        if re.search(r"default_rng\(\s*\)|np\.random\.(seed|rand|randn|shuffle|permutation)\b",
                     path.read_text(encoding="utf-8"))
    ]  # fmt: skip
    assert unseeded == []


def test_every_suppression_says_why() -> None:
    bare = [
        f"{_name(path)}:{number}: {line.strip()}"
        for path in [*SOURCES, *sorted(ROOT.glob("tests/**/*.py"))]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(r"# (noqa|type: ignore|ruff: noqa|pragma)", line)
        and not re.search(
            r"# (noqa: [A-Z0-9, ]+|type: ignore\[[^]]+\]|ruff: noqa: [A-Z0-9, ]+"
            r"|pragma: no cover|pragma: no branch)\s+(-|#|because)\s*\w",
            line,
        )
        and "re.search" not in line
    ]
    assert bare == []


def _modules(package: str) -> Iterator[ModuleType]:
    root = import_module(package)
    yield root
    for found in pkgutil.walk_packages(root.__path__, prefix=f"{package}."):
        yield import_module(found.name)


def _public_functions(package: str) -> Iterator[tuple[str, FunctionDoc, inspect.Signature]]:
    for module in _modules(package):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if name.startswith("_") or function.__module__ != module.__name__:
                continue
            yield f"{module.__name__}.{name}", FunctionDoc(function), inspect.signature(function)


@pytest.mark.parametrize("package", ["app.domain", "app.services"])
def test_every_public_function_documents_what_it_takes_and_gives(package: str) -> None:
    missing = []
    for name, doc, signature in _public_functions(package):
        told = {
            part.strip().lstrip("*")
            for entry in doc["Parameters"]
            for part in entry.name.split(",")
        }
        missing += [f"{name}: parameter {one}" for one in signature.parameters if one not in told]
        gives = signature.return_annotation not in {None, "None", inspect.Signature.empty}
        if gives and not (doc["Returns"] or doc["Yields"]):
            missing.append(f"{name}: what it returns")
    assert missing == []


def test_most_of_the_core_shows_an_example_that_runs() -> None:
    shown = [bool(doc["Examples"]) for _, doc, _ in _public_functions("app.domain")]
    assert sum(shown) >= 0.5 * len(shown)


def _leaves(root: type[Exception]) -> Iterator[type[Exception]]:
    below = root.__subclasses__()
    if not below:
        yield root
    for one in below:
        yield from _leaves(one)


def test_every_error_has_its_own_exit_code() -> None:
    from app.cli.errors import EXIT_CODES  # noqa: PLC0415 - the command line is what is tested

    leaves = set(_leaves(errors.ChancellorError))
    assert sorted(leaf.__name__ for leaf in leaves - set(EXIT_CODES)) == []
    assert set(EXIT_CODES.values()) <= {1, 3, 4, 5, 6, 7}


def test_every_error_has_its_own_status() -> None:
    from app.edge.problems import STATUSES  # noqa: PLC0415 - the API is what is tested

    leaves = set(_leaves(errors.ChancellorError))
    assert sorted(leaf.__name__ for leaf in leaves - set(STATUSES)) == []


def test_every_error_is_drawn_in_the_tree() -> None:
    drawing = errors.__doc__ or ""
    assert [leaf.__name__ for leaf in _leaves(errors.ChancellorError)
            if leaf.__name__ not in drawing] == []  # fmt: skip


def test_errors_import_nothing_of_ours() -> None:
    assert "from app" not in Path(errors.__file__).read_text(encoding="utf-8")


def test_every_folder_of_code_is_a_package() -> None:
    """So that import-linter, mypy and a wheel see the same modules."""
    folders = sorted({path.parent for path in SOURCES})
    bare = [_name(folder) for folder in folders if not (folder / "__init__.py").exists()]
    assert bare == []
