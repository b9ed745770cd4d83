"""Array and unit names, each with one meaning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
"""Real numbers in double precision; the shape is said where it is used."""

Ints: TypeAlias = NDArray[np.int64]
"""Whole numbers, such as group codes or 0/1 labels (1 is bad)."""

Bools: TypeAlias = NDArray[np.bool_]
"""A mask over rows or features."""

Dates: TypeAlias = NDArray[np.datetime64]
"""UTC calendar days, ``datetime64[D]``."""

Document: TypeAlias = dict[str, Any]
"""A JSON-ready mapping: text, numbers, booleans, None, lists and mappings of these."""

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called as ``progress(stage, done, total)`` by work that takes over a second."""
