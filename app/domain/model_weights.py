"""A model's coefficients on the scale of the card, so that they stand beside its weights."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.types import Document

_Z95 = 1.959963984540054


def weights_on_the_card(
    parameters: Document, base: Mapping[str, float], expert: Mapping[str, float]
) -> dict[str, Document]:
    """Scale coefficients so that they sum to the weights of the card.

    Parameters
    ----------
    parameters : dict
        As the registry holds them; coefficients in log-odds per unit of goodness.
    base : mapping of str to float
        The baseline's weights.
    expert : mapping of str to float
        The expert's weights.

    Returns
    -------
    dict of str to dict
        By feature, in the order of the fit: ``base_weight``, ``expert_weight`` (None where the
        expert's card lacks it), ``coefficient`` and ``standard_error`` as fitted,
        ``model_weight`` with its 95 % ``interval``, and ``data_only_weight`` with
        ``data_only_interval``, of the fit without the pull towards the expert. None where the
        coefficients sum to nothing, or the data alone do not say.

    Notes
    -----
    The model's interval is of an anchored fit, which is pulled towards the expert: it is narrower
    than what the data alone say.

    Examples
    --------
    >>> parameters = {"features": ["a", "b"], "coefficients": [3.0, 1.0],
    ...     "standard_errors": [0.5, 0.5],
    ...     "data_only": {"coefficients": [4.0, None], "standard_errors": [1.0, None]}}
    >>> found = weights_on_the_card(parameters, {"a": 50, "b": 50}, {"a": 50, "b": 50})
    >>> found["a"]["model_weight"], found["a"]["data_only_weight"], found["b"]["data_only_weight"]
    (75.0, 100.0, None)
    """
    names = parameters["features"]
    total = sum(parameters["coefficients"])
    scale = total / sum(base[name] for name in names) if total else None
    alone = parameters["data_only"]
    found = {}
    for place, name in enumerate(names):
        fitted = parameters["coefficients"][place], parameters["standard_errors"][place]
        weight, interval = _scaled(*fitted, scale)
        data_only, data_only_interval = _scaled(
            alone["coefficients"][place], alone["standard_errors"][place], scale
        )
        found[name] = {
            "base_weight": base[name],
            "expert_weight": expert.get(name),
            "coefficient": fitted[0],
            "standard_error": fitted[1],
            "model_weight": weight,
            "interval": interval,
            "data_only_weight": data_only,
            "data_only_interval": data_only_interval,
        }
    return found


def _scaled(
    estimate: float | None, error: float | None, scale: float | None
) -> tuple[float | None, list[float] | None]:
    if estimate is None or scale is None:
        return None, None
    if error is None:
        return estimate / scale, None
    return estimate / scale, [
        (estimate - _Z95 * error) / scale,
        (estimate + _Z95 * error) / scale,
    ]
