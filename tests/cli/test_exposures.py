"""Exposure lists from the shell."""

from __future__ import annotations

from pathlib import Path

from tests.cli.command_line import CommandLine


def test_a_list_is_imported_listed_and_withdrawn(chancellor: CommandLine, tmp_path: Path) -> None:
    granted = tmp_path / "granted.csv"
    granted.write_text("customer\nP1\nP2\n", encoding="utf-8")
    chancellor("init")
    assert "every party counts as granted" in chancellor("exposures", "list").out
    done = chancellor("exposures", "import", granted, "--party-id", "customer")
    assert "2 parties were granted credit." in done.out
    ran = chancellor("exposures", "withdraw", "1", "--reason", "another portfolio")
    assert "Exposure list 1 is withdrawn: another portfolio." in ran.out
    assert "every party counts as granted credit" in ran.out
    assert "withdrawn" in chancellor("exposures", "list").out
    (listed,) = chancellor.json("exposures", "list")
    assert listed["withdrawn"]["reason"] == "another portfolio"
    chancellor("exposures", "withdraw", "1", "--reason", "again", code=6)
    chancellor("exposures", "withdraw", "2", "--reason", "none", code=5)


def test_sound_rows_of_a_list_and_of_flags_are_stored_where_the_person_says_so(
    chancellor: CommandLine, with_portfolio, tmp_path: Path
) -> None:
    files = with_portfolio()
    party = files.batch.read_text(encoding="utf-8").splitlines()[1].split(",")[0]
    rows = tmp_path / "rows.csv"
    rows.write_text(f"who,on,flag\n{party},31/01/2023,1\n,01/02/2023,0\n", encoding="utf-8")
    left = tmp_path / "left.csv"
    skip = ("--skip-bad-rows", "--rejects", left)
    dates = ("--granted-on", "on", "--date-format", "%d/%m/%Y")
    granted = ("exposures", "import", rows, "--party-id", "who", *dates)
    assert "the party id is blank" in chancellor(*granted, code=3).err
    said = " ".join(chancellor(*granted, *skip).out.split())
    assert "1 party was granted credit." in said
    assert "1 row was not stored; it is in" in said
    assert (
        left.read_text(encoding="utf-8").splitlines()[1]
        == "3,who: the party id is blank,,01/02/2023,0"
    )
    flags = (
        "outcomes",
        "import-flags",
        rows,
        "--batch",
        "B1",
        "--party-id",
        "who",
        "--flag",
        "flag",
    )
    assert "the party id is blank" in chancellor(*flags, "--bad", "1", code=3).err
    found = chancellor.json(*flags, "--bad", "1", *skip)
    assert (found["n_flagged"], found["n_bad"], found["n_rejected"]) == (1, 1, 1)
