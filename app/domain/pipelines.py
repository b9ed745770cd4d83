"""The three pipelines: their assets and checks in order, their tags, and the settings of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from app.domain.gates import WEIGHT_GATES
from app.domain.types import Document
from app.errors import InvalidInputError, NotFoundError

TRAINING = "ml_training_pipeline"
SCORING = "scoring_pipeline"
MONITORING = "monitoring_pipeline"

ACTOR_TAG = "chancellor/actor"
RUN_TAG = "chancellor/run_id"
REQUEST_TAG = "chancellor/request_id"

LABEL_GATES = ("sample_size", "default_rate")
TRAINING_GATES = ("expert_ranks", "auc_roc", "improves_on_baseline")
DRAFT_GATES = WEIGHT_GATES

CHECKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "score_batch": (),
        "generate_scorecard_labels": LABEL_GATES,
        "monitoring_report": (),
        "train_model_asset": TRAINING_GATES,
        "refine_scorecard": DRAFT_GATES,
    }
)
"""The checks of each asset, in the order of the way."""

PIPELINES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        TRAINING: tuple(CHECKS),
        SCORING: ("score_batch", "monitoring_report"),
        MONITORING: ("monitoring_report",),
    }
)
"""The assets of each pipeline, in order."""

VALIDATIONS = ("auto", "out_of_time", "cross_validation")
MAX_WINDOW_DAYS = 36_500

_DEFAULTS: Mapping[str, Document] = MappingProxyType(
    {
        TRAINING: {
            "observation_window_days": 180,
            "outcome_type": "default",
            "validation": "auto",
            "base_version": None,
        },
        SCORING: {"base_version": None},
        MONITORING: {},
    }
)


def pipeline_settings(pipeline: str, config: Mapping[str, Any]) -> Document:
    """Complete the settings of a run, and refuse what it does not know.

    Parameters
    ----------
    pipeline : str
        Name of the pipeline.
    config : mapping
        What was asked for. ``ml_training_pipeline`` takes ``observation_window_days``,
        ``outcome_type``, ``validation`` and ``base_version``; ``scoring_pipeline`` takes
        ``base_version``, the version to score with; ``monitoring_pipeline`` takes nothing.

    Returns
    -------
    dict
        Every setting of the pipeline, with its default where none was named.

    Raises
    ------
    NotFoundError
        If there is no such pipeline; it lists them.
    InvalidInputError
        If a setting is unknown or its value unusable; it says what is allowed.

    Examples
    --------
    >>> pipeline_settings("scoring_pipeline", {"base_version": "v1"})
    {'base_version': 'v1'}
    >>> pipeline_settings("ml_training_pipeline", {"window": 90})
    Traceback (most recent call last):
        ...
    app.errors.InvalidInputError: ml_training_pipeline has no setting 'window'; it takes \
observation_window_days, outcome_type, validation and base_version.
    """
    if pipeline not in PIPELINES:
        raise NotFoundError(
            f"There is no pipeline {pipeline!r}. There is: {', '.join(PIPELINES)}.",
            pipeline=pipeline,
            allowed=list(PIPELINES),
        )
    known = _DEFAULTS[pipeline]
    for name in config:
        if name not in known:
            raise InvalidInputError(
                f"{pipeline} has no setting {name!r}; it takes {_listed(tuple(known))}.",
                setting=name,
                allowed=list(known),
            )
    settings = {**known, **config}
    for name, value in settings.items():
        rule, is_usable = _RULES[name]
        if not is_usable(value):
            raise InvalidInputError(f"{name} is {rule}, not {value!r}.", setting=name, rule=rule)
    return settings


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]


def _is_window(value: object) -> bool:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return is_whole and 1 <= value <= MAX_WINDOW_DAYS  # type: ignore[operator]  # a whole number


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value != ""


_RULES: Mapping[str, tuple[str, Callable[[object], bool]]] = MappingProxyType(
    {
        "observation_window_days": (f"a whole number from 1 to {MAX_WINDOW_DAYS}", _is_window),
        "outcome_type": ("the name of an outcome definition, or final_flag", _is_name),
        "validation": (f"one of {', '.join(VALIDATIONS)}", VALIDATIONS.__contains__),
        "base_version": (
            "the name of a version, or null for the active one",
            lambda value: value is None or _is_name(value),
        ),
    }
)
