"""Label a batch on Spark, by the expression that labels on DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

from app.lake.spark import SparkEngine
from app.lake.store import Lake
from app.services.label_inputs import LabelInputs
from app.services.label_rows import LABEL_COLUMNS
from app.services.label_tables import FileName

if TYPE_CHECKING:
    import pyarrow as pa


def labels_on_spark(spark: SparkEngine, lake: Lake, inputs: LabelInputs) -> pa.Table:
    """Label and score every party of a batch; the label rows alone come to this process.

    Parameters
    ----------
    spark : SparkEngine
        Runs it.
    lake : Lake
        A folder that every executor sees; each file's hash is verified.
    inputs : LabelInputs
        What the labels are made of.

    Returns
    -------
    pyarrow.Table
        With the columns `LABEL_COLUMNS`, by party.

    Raises
    ------
    NotFoundError, FileHashError
        If a file is gone or not what was stored.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy import

    from app.domain.scorecard_table import score_expression  # noqa: PLC0415 - loads Ibis

    parties = spark.open(lake, [inputs.snapshot])
    scored = score_expression(inputs.card, parties, reasons=False, contributions=False)
    scored = scored.select("party_id", "scored_at", score_at_label=scored.score)
    labels = (
        _by_flags(spark, lake, parties, inputs.outcomes)
        if inputs.rule is None
        else _by_events(spark, lake, parties, inputs)
    )
    joined = labels.inner_join(scored, "party_id").select(*LABEL_COLUMNS).order_by("party_id")
    found = spark.gather(lake, "outcomes", joined)
    types = {"label_value": pa.int8(), "score_at_label": pa.int64()}
    fields = [pa.field(field.name, types.get(field.name, field.type)) for field in found.schema]
    return found.cast(pa.schema(fields))


def _by_events(spark: SparkEngine, lake: Lake, parties: Any, inputs: LabelInputs) -> Any:
    from app.domain.outcomes_table import label_expression  # noqa: PLC0415 - loads Ibis

    if inputs.rule is None:
        raise AssertionError(inputs.outcome_type)
    return label_expression(
        parties.select("party_id", scored_on=parties.scored_at.cast("date")),
        spark.open(lake, inputs.outcomes),
        definition=inputs.rule.definition,
        window_days=inputs.rule.window_days,
        data_through=inputs.rule.data_through,
        exposures=spark.open(lake, inputs.exposures) if inputs.exposures else None,
    )


def _by_flags(spark: SparkEngine, lake: Lake, parties: Any, flags: Sequence[FileName]) -> Any:
    """Take the newest flag of each party, as `app.services.label_tables.label_by_flags` does."""
    import ibis  # noqa: PLC0415 - heavy import

    tables = [
        table.filter(table.bad.notnull()).select("party_id", "bad", file=ibis.literal(place))
        for place, table in enumerate(spark.open(lake, [flag]) for flag in flags)
    ]
    stacked = reduce(lambda one, other: one.union(other), tables)
    newest = ibis.row_number().over(group_by=stacked.party_id, order_by=stacked.file.desc())
    placed = stacked.mutate(place=newest).view()
    flagged = placed.filter(placed.place == 0).select("party_id", "bad")
    joined = parties.select("party_id").left_join(flagged, "party_id").drop("party_id_right")
    return joined.select(
        "party_id",
        status=ibis.cases((joined.bad, "bad"), (~joined.bad, "good"), else_="immature"),
        label_value=ibis.cases((joined.bad, 1), (~joined.bad, 0)),
        observation_end=ibis.null("date"),
        event_type=ibis.null("string"),
        event_date=ibis.null("date"),
    )
