"""Merkle trees as in certificate transparency: one hash for many rows, and proofs of each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from app.errors import InvalidInputError

_LEAF, _NODE = b"\x00", b"\x01"


def leaf_hash(entry: bytes) -> bytes:
    """Hash one entry as a leaf, which no inner node can be mistaken for.

    Parameters
    ----------
    entry : bytes
        Whatever the leaf stands for.

    Returns
    -------
    bytes
        32 bytes: SHA-256 of 0x00 and the entry.

    References
    ----------
    .. [1] B. Laurie, A. Langley, E. Kasper, RFC 6962, Certificate Transparency, 2013, section
       2.1; the example is the leaf of the empty entry in the test vectors of its authors.

    Examples
    --------
    >>> leaf_hash(b"").hex()[:16]
    '6e340b9cffb37a98'
    """
    return hashlib.sha256(_LEAF + entry).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()


def merkle_root(entries: Iterable[bytes]) -> bytes:
    """Give the root of the tree over entries, in memory that grows with the logarithm of n.

    Parameters
    ----------
    entries : iterable of bytes
        In their order.

    Returns
    -------
    bytes
        32 bytes; for no entry the SHA-256 of nothing.

    References
    ----------
    .. [1] RFC 6962, section 2.1 (the Merkle tree hash MTH); the examples are of its test vectors.

    Examples
    --------
    >>> merkle_root([]).hex()[:16]
    'e3b0c44298fc1c14'
    >>> merkle_root([b"", bytes.fromhex("00"), bytes.fromhex("10")]).hex()[:16]
    'aeb6bcfe274b70a1'
    """
    whole: list[tuple[int, bytes]] = []
    for entry in entries:
        size, root = 1, leaf_hash(entry)
        while whole and whole[-1][0] == size:
            root = _node_hash(whole.pop()[1], root)
            size *= 2
        whole.append((size, root))
    if not whole:
        return hashlib.sha256(b"").digest()
    root = whole.pop()[1]
    while whole:
        root = _node_hash(whole.pop()[1], root)
    return root


def inclusion_proof(entries: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Give the hashes that lead from one entry to the root.

    Parameters
    ----------
    entries : sequence of bytes, shape (n,)
        All entries of the tree.
    index : int
        Position of the entry, from 0.

    Returns
    -------
    tuple of bytes
        The audit path, at most ceil(log2 n) hashes, the sibling of the leaf first.

    Raises
    ------
    InvalidInputError
        If there is no entry at this position.

    References
    ----------
    .. [1] RFC 6962, section 2.1.1 (Merkle audit paths).

    Examples
    --------
    >>> entries = [b"a", b"b", b"c"]
    >>> proof = inclusion_proof(entries, 2)
    >>> len(proof), proof[0] == merkle_root([b"a", b"b"])
    (1, True)
    """
    if not 0 <= index < len(entries):
        raise InvalidInputError(f"the tree has {len(entries)} entries, none at {index}")
    path: list[bytes] = []
    level = [leaf_hash(entry) for entry in entries]
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        pairs = [
            _node_hash(level[place], level[place + 1]) for place in range(0, len(level) - 1, 2)
        ]
        level = [*pairs, level[-1]] if len(level) % 2 else pairs
        index //= 2
    return tuple(path)


def proves_inclusion(
    entry: bytes, index: int, n_entries: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Say whether a proof leads from an entry to a root; the other entries are not needed.

    Parameters
    ----------
    entry : bytes
        What is said to be in the tree.
    index : int
        Where, from 0.
    n_entries : int
        How many entries the tree has.
    proof : sequence of bytes
        From ``inclusion_proof``.
    root : bytes
        From ``merkle_root``.

    Returns
    -------
    bool
        False also where index, size and length of the proof do not fit together.

    References
    ----------
    .. [1] B. Laurie, E. Messeri, R. Stradling, RFC 9162, Certificate Transparency 2.0, 2021,
       section 2.1.3.2 (verifying an inclusion proof).

    Examples
    --------
    >>> entries = [b"a", b"b", b"c"]
    >>> root = merkle_root(entries)
    >>> proves_inclusion(b"b", 1, 3, inclusion_proof(entries, 1), root)
    True
    >>> proves_inclusion(b"x", 1, 3, inclusion_proof(entries, 1), root)
    False
    """
    if not 0 <= index < n_entries:
        return False
    place, last, found = index, n_entries - 1, leaf_hash(entry)
    for sibling in proof:
        if last == 0:
            return False
        if place % 2 or place == last:
            found = _node_hash(sibling, found)
            while place % 2 == 0 and place:
                place, last = place // 2, last // 2
        else:
            found = _node_hash(found, sibling)
        place, last = place // 2, last // 2
    return last == 0 and found == root
