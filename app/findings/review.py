"""What is recommended, what stands in the way, and what it rests on."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.counted import counted
from app.domain.outcomes import FINAL_FLAG
from app.domain.types import Document
from app.edge import gate_words, numbers
from app.findings.words import listed


def of_gates(gates: Sequence[Document]) -> str:
    """Say whether anything stands in the way.

    Parameters
    ----------
    gates : sequence of dict
        Verdicts.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> of_gates([{"gate": "auc_roc", "verdict": "pass"}])
    'Every gate passes'
    >>> of_gates([{"gate": "auc_roc", "verdict": "fail"}, {"gate": "x", "verdict": "pass"}])
    '1 of 2 gates fails: The model ranks parties it never saw'
    """
    if not gates:
        return "No gate was judged"
    failed = [one["gate"] for one in gates if one["verdict"] == "fail"]
    unsure = [one["gate"] for one in gates if one["verdict"] == "insufficient evidence"]
    if not failed and not unsure:
        return "Every gate passes"
    parts = []
    for names, one, many in (
        (failed, "fails", "fail"),
        (unsure, "lacks evidence", "lack evidence"),
    ):
        if names:
            titles = listed([gate_words.GATE_TITLES.get(name, name) for name in names])
            parts.append(
                f"{len(names)} of {counted(len(gates), 'gate')} {one if len(names) == 1 else many}:"
                f" {titles}"
            )
    return "; ".join(parts)


def of_lineage(lineage: Document) -> str:
    """Say what the version rests on.

    Parameters
    ----------
    lineage : dict
        ``lineage`` of the evidence.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> of_lineage({"files": [{}, {}], "label_sets": [{"n_labelled": 3550, "n_bad": 551,
    ...     "data_through": "2025-11-28", "observation_window_days": 180}]})
    'Rests on 2 files and 3,550 labelled parties (551 bad), 180 days observed, data through \
2025-11-28'
    """
    sets, files = lineage["label_sets"], counted(len(lineage["files"]), "file")
    if not sets:
        return f"Rests on {files} and no label set"
    n, n_bad = (sum(one[key] for one in sets) for key in ("n_labelled", "n_bad"))
    first = sets[0]
    unit = "labelled party" if len(sets) == 1 else "labelled row"  # a party may be in several
    window = first["observation_window_days"]
    observed = "a final flag" if window is None else f"{window} days observed"
    through = sorted(one["data_through"] for one in sets if one["data_through"])
    until = (
        f", data through {' to '.join(dict.fromkeys((through[0], through[-1])))}" if through else ""
    )
    return (
        f"Rests on {files} and {counted(n, unit)} ({numbers.count(n_bad)} bad), {observed}{until}"
    )


def made_from(lineage: Document) -> str:
    """Name the batches behind a version, with how many of their parties are labelled.

    Parameters
    ----------
    lineage : dict
        ``lineage`` of the evidence.

    Returns
    -------
    str
        Empty where there is no label set.

    Examples
    --------
    >>> made_from({"label_sets": [{"batch_id": "B1", "n_labelled": 4210}]})
    'B1 (4,210 labelled)'
    """
    return listed(
        [
            f"{one['batch_id']} ({numbers.count(one['n_labelled'])} labelled)"
            for one in lineage["label_sets"]
        ]
    )


def recommendation(advice: Document | None, version: str, against: str) -> tuple[str, str]:
    """Give the advice as a word and a sentence.

    Parameters
    ----------
    advice : dict or None
        ``advice`` of a comparison; None where no model made the version.
    version, against : str
        Names of the new and the old version.

    Returns
    -------
    tuple of str
        The word, such as ``Adopt``, empty where nothing advises; and the sentence.

    Examples
    --------
    >>> recommendation({"advice": "adopt", "sentence": "Adopt: it ranks better."}, "ml_v2", "v1")
    ('Adopt', 'it ranks better.')
    >>> recommendation(None, "v3", "v1")[0]
    ''
    """
    if advice is None:
        return "", f"No model made {version} of {against}, so nothing advises for or against it."
    word, _, sentence = advice["sentence"].partition(": ")
    return word, sentence


def untold(document: Document) -> tuple[str, ...]:
    """List what the recommendation does not tell: withdrawn files, limits, earlier looks, exposure.

    Parameters
    ----------
    document : dict
        The evidence.

    Returns
    -------
    tuple of str
        Sentences.

    Examples
    --------
    >>> untold({"limits": ["In-sample."], "advice": None, "figures": None,
    ...         "lineage": {"files": [], "label_sets": [
    ...             {"outcome_type": "default", "has_exposures": False}]}})
    ('In-sample.', 'No exposure list was given: a party without a default counts as good, whether \
it was granted credit or not.')
    """
    withdrawn = [one["what"] for one in document["lineage"]["files"] if one["is_withdrawn"]]
    said = list(document["limits"])
    if withdrawn:
        said.insert(0, f"Withdrawn since: {listed(withdrawn)}. What rests on it may be wrong.")
    advice = document["advice"]
    if advice is not None and advice["n_looks"] == 0:
        said.append("It is the first look at these rows against this baseline.")
    if document["figures"] is not None:
        said += document["figures"]["warnings"]
    dated = [one for one in document["lineage"]["label_sets"] if one["outcome_type"] != FINAL_FLAG]
    if not all(one["has_exposures"] for one in dated):
        said.append(
            "No exposure list was given: a party without a default counts as good, whether it "
            "was granted credit or not."
        )
    return tuple(dict.fromkeys(said))
