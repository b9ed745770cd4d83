"""`scripts/setup-browser` finds the browser, installs it as root, or says what to run."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "setup-browser"
INSTALL = "apt-get update && apt-get install -y --no-install-recommends chromium fonts-dejavu-core"
NEEDED = ("bash", "sh", "env", "mktemp", "rm", "tail", "chmod", "touch")


def _machine(folder: Path, **programs: str) -> Path:
    """Make a folder that is the whole PATH, with programs of our own beside the shell's."""
    folder.mkdir()
    for name in NEEDED:
        place = next(p for p in (Path("/bin"), Path("/usr/bin")) if (p / name).exists())
        (folder / name).symlink_to(place / name)
    for name, body in programs.items():
        file = folder / name.replace("_", "-")
        file.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        file.chmod(0o755)
    return folder


def _run(path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SCRIPT)],
        env={"PATH": str(path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_browser_that_is_there_is_named(tmp_path: Path) -> None:
    machine = _machine(tmp_path / "bin", google_chrome="exit 0")
    done = _run(machine)
    assert (done.returncode, done.stdout) == (0, f"{machine / 'google-chrome'}\n")
    named = _run(machine, CHROMIUM=str(machine / "sh"))
    assert (named.returncode, named.stdout) == (0, f"{machine / 'sh'}\n")
    wrong = _run(machine, CHROMIUM="/nowhere/chromium")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "CHROMIUM=/nowhere/chromium is no program" in wrong.stderr


def test_an_ordinary_user_is_told_the_exact_command(tmp_path: Path) -> None:
    done = _run(_machine(tmp_path / "bin", id="echo 1000", apt_get="exit 9"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == f"setup-browser: sudo sh -c '{INSTALL}'"


def test_where_there_is_no_apt_a_person_is_told_what_to_bring(tmp_path: Path) -> None:
    done = _run(_machine(tmp_path / "bin"))
    assert done.returncode == 1
    assert "CHROMIUM=/path/to/chromium" in done.stderr


@pytest.mark.parametrize("works", [True, False])
def test_root_gets_the_browser_installed_or_the_reason_why_not(tmp_path: Path, works: bool) -> None:  # noqa: FBT001 - a case
    bin_folder, said = tmp_path / "bin", tmp_path / "said"
    make = f'touch "{bin_folder}/chromium"; chmod +x "{bin_folder}/chromium"'
    install = make if works else "echo no such package >&2; exit 100"
    apt = f'echo "$@" >> "{said}"; [ "$1" = update ] || {{ {install}; }}'
    done = _run(_machine(bin_folder, id="echo 0", apt_get=apt))
    assert said.read_text(encoding="utf-8").splitlines() == [
        "update",
        "install -y --no-install-recommends chromium fonts-dejavu-core",
    ]
    if works:
        assert (done.returncode, done.stdout) == (0, f"{bin_folder / 'chromium'}\n")
    else:
        assert done.returncode == 1
        assert "no such package" in done.stderr
