"""Read the pair of versions that is compared: cards, rows with outcome, and all parties' scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.counted import counted
from app.domain.judged_cards import JudgedRows
from app.domain.scorecard import Scorecard
from app.domain.types import Document, Floats
from app.errors import ConflictError, InvalidInputError, NotFoundError
from app.lake.store import Lake
from app.models import LabelSet, ModelRegistry, ScorecardVersion
from app.queries.batches import list_withdrawals
from app.queries.versions import require_version
from app.services.comparison_rows import labelled_rows, population_scores, validated_rows
from app.services.version_drafts import newest_batch

_UNUSABLE = (ConflictError, InvalidInputError, NotFoundError)
_FINAL_CARDS = "the final cards {old} and {new}"


@dataclass(frozen=True, slots=True)
class ComparedPair:
    """Hold two versions, and the model that made one against the other, if one did.

    Attributes
    ----------
    rows : tuple of ScorecardVersion
        The old and the new version.
    cards : tuple of Scorecard
        Their cards.
    model : ModelRegistry or None
        Who made one of the two against the other.
    is_reversed : bool
        Whether it is the old one that the model made.
    """

    rows: tuple[ScorecardVersion, ScorecardVersion]
    cards: tuple[Scorecard, Scorecard]
    model: ModelRegistry | None
    is_reversed: bool

    @property
    def names(self) -> dict[str, str]:
        """Give the names of the versions as ``old`` and ``new``."""
        return {"old": self.rows[0].version, "new": self.rows[1].version}


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """Hold rows with outcome, and where they and the cards come from.

    Attributes
    ----------
    rows : JudgedRows
        The rows, old card first.
    source : dict
        ``cards``, ``rows``, ``in_sample``, ``batch_ids`` and ``label_set_ids``.
    limits : tuple of str
        What the figures do not show.
    """

    rows: JudgedRows
    source: Document
    limits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScoredPopulation:
    """Hold all parties' scores under the final cards, and where they come from.

    Attributes
    ----------
    scores : ndarray of shape (2, n)
        Unrounded points, old card first.
    source : dict
        ``cards``, ``rows`` and ``batch_ids``, for the line under a table.
    """

    scores: Floats
    source: Document


@dataclass(frozen=True, slots=True)
class ComparedSources:
    """Hold everything that a comparison rests on.

    Attributes
    ----------
    pair : ComparedPair
        The versions.
    judged : JudgedPair or None
        Rows with outcome, where there are any.
    population : ScoredPopulation or None
        All parties' scores, where there is a batch that holds what both cards need.
    lacking : tuple of dict
        What is not available, and why.
    """

    pair: ComparedPair
    judged: JudgedPair | None
    population: ScoredPopulation | None
    lacking: tuple[Document, ...]


def read_sources(
    db: Session, lake: Lake, pair: ComparedPair, report: Callable[[int], None]
) -> ComparedSources:
    """Read what two versions are compared on.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        The data plane.
    pair : ComparedPair
        The versions.
    report : callable
        Called with the number of steps done: 1 and 2.

    Returns
    -------
    ComparedSources
        Rows and scores.

    Raises
    ------
    FileHashError
        If a file is not what was stored.
    """
    lacking: list[Document] = []
    judged = read_judged(db, lake, pair, lacking)
    report(1)
    population = read_population(db, lake, pair, lacking)
    report(2)
    return ComparedSources(pair, judged, population, tuple(lacking))


def read_pair(db: Session, a: str, b: str) -> ComparedPair:
    """Read two versions to compare.

    Parameters
    ----------
    db : Session
        The store.
    a, b : str
        Names of the old and of the new version.

    Returns
    -------
    ComparedPair
        Versions, cards and model.

    Raises
    ------
    NotFoundError
        If there is no such version.
    InvalidInputError
        If both are the same.
    """
    if a == b:
        raise InvalidInputError(f"{a} cannot be compared with itself; name two versions.")
    rows = (require_version(db, a), require_version(db, b))
    cards = (Scorecard.from_document(rows[0].content), Scorecard.from_document(rows[1].content))
    for is_reversed, (base, made) in enumerate((rows, rows[::-1])):
        if made.model_id is not None and made.base_version == base.version:
            model = db.get_one(ModelRegistry, made.model_id)
            return ComparedPair(rows, cards, model, bool(is_reversed))
    return ComparedPair(rows, cards, None, is_reversed=False)


def read_judged(
    db: Session, lake: Lake, pair: ComparedPair, lacking: list[Document]
) -> JudgedPair | None:
    """Read the rows with outcome that the pair is judged on.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        The data plane.
    pair : ComparedPair
        The versions.
    lacking : list of dict
        Gets what is not available and why.

    Returns
    -------
    JudgedPair or None
        The model's validation rows where a model made one of the two, else the newest label
        set's; None where there is nothing to judge them on.

    Raises
    ------
    FileHashError
        If a file is not what was stored.
    """
    if pair.model is not None:
        return _validated(lake, pair, pair.model)
    label_set = newest_label_set(db)
    what = "AUC, Gini, KS, Brier, swap sets and bad rates"
    if label_set is None:
        lacking.append(lack(what, "There is no label set with good and bad parties yet."))
        return None
    try:
        rows = labelled_rows(db, lake, pair.cards, label_set)
    except _UNUSABLE as error:
        lacking.append(lack(what, error.message))
        return None
    lacking.append(
        lack(
            "figures on rows that neither card saw",
            f"No model made {pair.names['new']} against {pair.names['old']}, so there is no "
            "validation of this pair.",
        )
    )
    source = {
        "cards": _FINAL_CARDS.format(**pair.names) + ", each calibrated on the same rows",
        "rows": f"the labelled rows of batch {label_set.batch_id} (label set {label_set.id}, "
        f"{label_set.outcome_type}), each party once in swap sets",
        "in_sample": True,
        "batch_ids": [label_set.batch_id],
        "label_set_ids": [label_set.id],
    }
    limit = "In-sample: the rows may have shaped either card, so the figures may flatter it."
    return JudgedPair(rows, source, (limit,))


def newest_label_set(db: Session) -> LabelSet | None:
    """Find the newest label set with good and bad parties, of a batch that still holds.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    LabelSet or None
        None where there is none.
    """
    withdrawn = list_withdrawals(db, "batch")
    newest_first = db.scalars(
        select(LabelSet).where(LabelSet.n_bad > 0, LabelSet.n_good > 0).order_by(LabelSet.id.desc())
    )
    return next((row for row in newest_first if row.batch_id not in withdrawn), None)


def _validated(lake: Lake, pair: ComparedPair, model: ModelRegistry) -> JudgedPair:
    rows = validated_rows(lake, model)
    if pair.is_reversed:
        rows = replace(rows, scores=rows.scores[::-1], probabilities=rows.probabilities[::-1])
    names = [row.version for row in pair.rows]
    base, made = reversed(names) if pair.is_reversed else names
    mode, n_folds = model.validation["mode"], len(model.validation["folds"])
    if mode == "cross_validation":
        cards = (
            f"{base}, and for {made} out-of-fold cards: each row is judged by a card that the "
            f"same procedure refined without it ({n_folds} test parts)"
        )
        once = "each party once in swap sets, from the first repeat"
    else:
        cards = (
            f"{base}, and for {made} the card that the same procedure refined on the training part"
        )
        once = "each party once in swap sets"
    unseen = "scored after " + model.validation["cut"] if mode == "out_of_time" else "held out"
    source = {
        "cards": cards,
        "rows": f"{counted(model.validation['n_validated'], 'labelled party')} of "
        f"{', '.join(model.batch_ids)}, {unseen} ({mode.replace('_', ' ')} of {model.id}); {once}",
        "in_sample": False,
        "batch_ids": list(model.batch_ids),
        "label_set_ids": list(model.label_set_ids),
    }
    return JudgedPair(rows, source, tuple(model.validation["limits"]))


def read_population(
    db: Session, lake: Lake, pair: ComparedPair, lacking: list[Document]
) -> ScoredPopulation | None:
    """Score all rows of the model's batches, or of the newest batch, under both cards.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        The data plane.
    pair : ComparedPair
        The versions.
    lacking : list of dict
        Gets what is not available and why.

    Returns
    -------
    ScoredPopulation or None
        None where there is no batch that holds what both cards need.

    Raises
    ------
    FileHashError
        If a file is not what was stored.
    """
    what = "score correlation, band shares, migration, PSI"
    batch_ids: tuple[str, ...]
    if pair.model is not None:
        batch_ids = tuple(pair.model.batch_ids)
    else:
        newest = newest_batch(db)
        if newest is None:
            lacking.append(lack(what, "There is no batch yet."))
            return None
        batch_ids = (newest.batch_id,)
    try:
        scores = population_scores(db, lake, pair.cards, batch_ids)
    except _UNUSABLE as error:
        lacking.append(lack(what, error.message))
        return None
    return ScoredPopulation(
        scores,
        {
            "cards": _FINAL_CARDS.format(**pair.names),
            "rows": f"all {counted(scores.shape[1], 'row')} of {', '.join(batch_ids)}, "
            "labelled or not",
            "batch_ids": list(batch_ids),
        },
    )


def lack(what: str, why: str) -> Document:
    """Say what is not available, and why.

    Parameters
    ----------
    what, why : str
        For a person.

    Returns
    -------
    dict
        Both.
    """
    return {"what": what, "why": why}
