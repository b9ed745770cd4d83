"""Merkle trees against the test vectors of certificate transparency.

The vectors are those of the reference implementations of RFC 6962 (``merkle_tree_test`` of Google's
certificate-transparency, ``testonly`` of transparency-dev/merkle): eight leaf entries, the root of
the tree over the first k of them, and audit paths in the tree of eight and of smaller ones.
"""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.merkle import inclusion_proof, leaf_hash, merkle_root, proves_inclusion
from app.errors import InvalidInputError

ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATHS = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


def test_the_root_of_nothing() -> None:
    assert merkle_root([]).hex() == EMPTY


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_published_vectors(size: int) -> None:
    assert merkle_root(ENTRIES[:size]).hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("index", "size"), PATHS)
def test_audit_paths_are_those_of_the_published_vectors(index: int, size: int) -> None:
    path = inclusion_proof(ENTRIES[:size], index)
    assert [part.hex() for part in path] == PATHS[index, size]
    assert proves_inclusion(ENTRIES[index], index, size, path, bytes.fromhex(ROOTS[size - 1]))


def _by_the_definition(entries: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word: split at the largest power of two below n."""
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = 1
    while 2 * k < len(entries):
        k *= 2
    left, right = _by_the_definition(entries[:k]), _by_the_definition(entries[k:])
    return hashlib.sha256(b"\x01" + left + right).digest()


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=70), st.data())
def test_any_tree_is_the_one_of_the_definition_and_proves_each_entry(
    entries: list[bytes], data: st.DataObject
) -> None:
    root = merkle_root(iter(entries))
    assert root == _by_the_definition(entries)
    index = data.draw(st.integers(0, len(entries) - 1))
    proof = inclusion_proof(entries, index)
    assert proves_inclusion(entries[index], index, len(entries), proof, root)
    assert not proves_inclusion(entries[index] + b"x", index, len(entries), proof, root)
    assert not proves_inclusion(entries[index], index, len(entries), (*proof, root), root)
    assert not proves_inclusion(entries[index], index, len(entries), proof, leaf_hash(b"x"))
    if proof:
        assert not proves_inclusion(entries[index], index, len(entries), proof[:-1], root)


@pytest.mark.parametrize("index", [-1, 2])
def test_there_is_no_proof_of_what_is_not_there(index: int) -> None:
    with pytest.raises(InvalidInputError, match="2 entries"):
        inclusion_proof([b"a", b"b"], index)
    assert not proves_inclusion(b"a", index, 2, [leaf_hash(b"b")], merkle_root([b"a", b"b"]))
