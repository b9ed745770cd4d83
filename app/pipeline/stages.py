"""Small documents that pass from asset to asset: ids and counts, pooled over batches."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.types import Document

_COUNTS = (
    "n_parties", "n_labelled", "n_bad", "n_good", "n_indeterminate", "n_excluded", "n_immature",
)  # fmt: skip


def scores_stage(score_sets: Sequence[Document]) -> Document:
    """Pool the score sets of a run's batches.

    Parameters
    ----------
    score_sets : sequence of dict
        What ``ScoringService.score_batch`` returned, one per batch.

    Returns
    -------
    dict
        batch_ids, version, n_rows, mean_score, band_shares (both weighted by rows), file_hashes.

    Examples
    --------
    >>> stage = scores_stage([
    ...     {"batch_id": "A", "version": "v1", "n_rows": 1, "mean_score": 500.0,
    ...      "band_shares": {"poor": 1.0}, "file_hash": "a"},
    ...     {"batch_id": "B", "version": "v1", "n_rows": 3, "mean_score": 700.0,
    ...      "band_shares": {"poor": 0.0}, "file_hash": "b"}])
    >>> stage["n_rows"], stage["mean_score"], stage["band_shares"]
    (4, 650.0, {'poor': 0.25})
    """
    n_rows = sum(score_set["n_rows"] for score_set in score_sets)
    bands = score_sets[0]["band_shares"]

    def mean(values: Sequence[float]) -> float:
        rows = [score_set["n_rows"] for score_set in score_sets]
        total = sum(row * value for row, value in zip(rows, values, strict=True))
        return float(total / max(n_rows, 1))

    return {
        "batch_ids": [score_set["batch_id"] for score_set in score_sets],
        "version": score_sets[0]["version"],
        "n_rows": n_rows,
        "mean_score": mean([score_set["mean_score"] for score_set in score_sets]),
        "band_shares": {
            band: mean([score_set["band_shares"][band] for score_set in score_sets])
            for band in bands
        },
        "file_hashes": [score_set["file_hash"] for score_set in score_sets],
    }


def labels_stage(label_sets: Sequence[Document]) -> Document:
    """Pool the label sets of a run's batches.

    Parameters
    ----------
    label_sets : sequence of dict
        What ``LabelGenerationService.generate_labels`` returned, one per batch.

    Returns
    -------
    dict
        batch_ids, label_set_ids, summed counts, default_rate (a fraction; None where nothing is
        labelled), the earliest data_through, warnings, and gates, each with its batch_id.
    """
    counts = {name: sum(label_set[name] for label_set in label_sets) for name in _COUNTS}
    through = [str(one["data_through"]) for one in label_sets if one["data_through"] is not None]
    return {
        "batch_ids": [label_set["batch_id"] for label_set in label_sets],
        "label_set_ids": [label_set["label_set_id"] for label_set in label_sets],
        "outcome_type": label_sets[0]["outcome_type"],
        **counts,
        "default_rate": counts["n_bad"] / counts["n_labelled"] if counts["n_labelled"] else None,
        "data_through": min(through, default=None),
        "has_exposures": all(label_set["has_exposures"] for label_set in label_sets),
        "warnings": list(
            dict.fromkeys(warning for one in label_sets for warning in one["warnings"])
        ),
        "gates": [
            {**gate, "batch_id": label_set["batch_id"]}
            for label_set in label_sets
            for gate in label_set["gates"]
        ],
    }


def gates_markdown(gates: Sequence[Document]) -> str:
    """Write verdicts as a Markdown table.

    Parameters
    ----------
    gates : sequence of dict
        Verdicts as stored.

    Returns
    -------
    str
        One row per gate: name, verdict, rule, sentence.

    Examples
    --------
    >>> print(gates_markdown([{"gate": "sample_size", "verdict": "pass",
    ...     "rule": "labelled >= 100", "sentence": "120 parties are labelled."}]))
    | gate | verdict | rule | what was found |
    |---|---|---|---|
    | sample_size | pass | labelled >= 100 | 120 parties are labelled. |
    """
    lines = ["| gate | verdict | rule | what was found |", "|---|---|---|---|"]
    for gate in gates:
        cells = (gate["gate"], gate["verdict"], gate["rule"], gate["sentence"])
        lines.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)
