"""What computes here: the libraries that numbers depend on, and the machine below them."""

from __future__ import annotations

import platform
from importlib.metadata import version as installed_version

LIBRARIES = (
    "chancellor",
    "numpy",
    "scipy",
    "scikit-learn",
    "glum",
    "clarabel",
    "ibis-framework",
    "duckdb",
    "pyarrow",
)


def library_versions() -> dict[str, str]:
    """Give the versions that are recorded with each model.

    Returns
    -------
    dict of str to str
        By name: the libraries, ``python``, ``machine``, and ``blas``, the kernels of linear
        algebra that were chosen for this processor.
    """
    return {
        **{name: installed_version(name) for name in LIBRARIES},
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "blas": _blas(),
    }


def _blas() -> str:
    """Name the linear algebra that is loaded; without its numerics nothing is."""
    import numpy  # noqa: F401, ICN001, PLC0415 - loads its linear algebra
    import scipy.linalg  # noqa: F401, PLC0415 - the same
    from threadpoolctl import threadpool_info  # noqa: PLC0415 - goes with glum

    found = {
        " ".join(str(pool.get(part) or "") for part in ("internal_api", "version", "architecture"))
        for pool in threadpool_info()
        if pool.get("user_api") == "blas"
    }
    return ", ".join(sorted(" ".join(one.split()) for one in found)) or "none"
