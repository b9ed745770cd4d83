"""Which methods a path knows: the router names only those of the first route that fits."""

from __future__ import annotations

from starlette.routing import compile_path

from app.domain.access import ENDPOINTS, OPEN_ENDPOINTS

_PATTERNS = tuple(
    (method, compile_path(path)[0]) for method, path in sorted({*ENDPOINTS, *OPEN_ENDPOINTS})
)


def methods_of(path: str) -> tuple[str, ...]:
    """List the methods that a path is served with.

    Parameters
    ----------
    path : str
        As it was asked for, without the query.

    Returns
    -------
    tuple of str
        In alphabetical order.

    Examples
    --------
    >>> methods_of("/api/policy"), methods_of("/nowhere")
    (('GET', 'PUT'), ())
    """
    return tuple(method for method, pattern in _PATTERNS if pattern.match(path))
