"""Random edits of chain, lake and pages are caught and named; the full form is in docs/store.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.torture.corruption import corruption


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_random_edits_are_caught_and_named(engine: str, tmp_path: Path) -> None:
    n = 40
    found = corruption(engine, tmp_path, n=n, seed=11)
    assert [fault for study in found.values() for fault in study["faults"]] == []
    assert found["values"]["counts"]["caught by audit verify"] == n
    assert found["files"]["counts"]["caught by the hash check"] == n
    if engine == "sqlite":
        counts = found["pages"]["counts"]
        assert counts["flips"] == n
        assert counts["a value changed, reported"] > 0
        assert "a value changed, verifies" not in counts
        assert "cannot be read, verifies" not in counts
