"""What a run was asked to do, as Dagster run configuration."""
# No ``from __future__ import annotations``: Dagster reads the annotations of contexts and config.

import dagster as dg
from pydantic import Field

from app.domain.pipelines import ACTOR_TAG

batches = dg.DynamicPartitionsDefinition(name="batches")


class PipelineRequest(dg.ConfigurableResource[None]):
    """Hold the settings of one run; every asset reads them here.

    Attributes
    ----------
    batch_ids : list of str
        Batches that train together. Empty means the batch of the run's partition; with
        several, the run's partition is the last of them.
    observation_window_days : int
        Days after scoring in which outcomes count.
    outcome_type : str
        Name of the outcome definition, or ``final_flag``.
    model_type : str
        Kind of model.
    validation : str
        ``auto``, ``out_of_time`` or ``cross_validation``.
    base_version : str or None
        The version to refine; None is the active one.
    seed : int
        Seed of splits and folds.
    engine : str or None
        ``duckdb`` or ``spark``; None is the engine of the process (``CHANCELLOR_ENGINE``).
    """

    batch_ids: list[str] = Field(default_factory=list)
    observation_window_days: int = 180
    outcome_type: str = "default"
    model_type: str = "logistic_regression"
    validation: str = "auto"
    base_version: str | None = None
    seed: int = 0
    engine: str | None = None

    def batches_of(self, partition_key: str) -> list[str]:
        """Give the batches of a run: those named, or the one of its partition.

        Parameters
        ----------
        partition_key : str
            The run's partition.

        Returns
        -------
        list of str
            At least one batch id.
        """
        return list(self.batch_ids) or [partition_key]


def actor_of(run: dg.DagsterRun) -> str | None:
    """Give the person who asked for a run; None (the OS user) where nobody is named.

    Parameters
    ----------
    run : DagsterRun
        The run; its tag ``chancellor/actor`` names the person.

    Returns
    -------
    str or None
        The actor for the services.
    """
    return run.tags.get(ACTOR_TAG)
