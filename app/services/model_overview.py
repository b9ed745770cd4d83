"""What people look at of models: how they ranked over time, and all that one of them measured."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.judged_calibration import calibration_tables
from app.domain.judged_curves import roc_curves, score_distributions
from app.domain.model_weights import weights_on_the_card
from app.domain.scorecard import Scorecard
from app.domain.types import Document, Progress
from app.lake.store import Lake
from app.models import ModelRegistry
from app.queries.models import model_document, model_summary, require_model
from app.queries.pages import DEFAULT_ROWS, read_page
from app.queries.policies import current_policy
from app.queries.versions import expert_ancestor, require_version
from app.services.comparison_rows import model_rows, validated_rows
from app.services.lineage import model_lineage

_STAGE, _STEPS = "Drawing the curves", 3
_JUDGED = ("refined", "baseline")


class ModelOverview:
    """Show models with what they measured.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        Where the validated rows are.
    """

    def __init__(self, db: Session, lake: Lake) -> None:
        self.db = db
        self.lake = lake

    def list_models(self, cursor: str | None = None) -> Document:
        """Give a page of models, each with its AUCs and their intervals.

        Parameters
        ----------
        cursor : str or None
            ``next_cursor`` of the page before; None is the first page.

        Returns
        -------
        dict
            ``items``, each as ``list_models`` with ``n_validated``, ``gain_interval`` and
            ``aucs``, by ``model``, ``refined`` and ``baseline`` the AUC and its interval;
            ``next_cursor``; and ``min_auc_roc`` of the policy in force.

        Raises
        ------
        InvalidInputError
            If the cursor is of another list.
        """
        page = read_page(
            self.db,
            select(ModelRegistry),
            (ModelRegistry.created_at, ModelRegistry.id),
            _with_aucs,
            cursor=cursor,
            limit=DEFAULT_ROWS,
        )
        return {**page, "min_auc_roc": current_policy(self.db)[1].min_auc_roc}

    def get_model(self, model_id: str) -> Document:
        """Describe one model: what the registry holds, its weights on the card, its lineage.

        Parameters
        ----------
        model_id : str
            Such as ``m-20260331-7f3a``.

        Returns
        -------
        dict
            As ``ModelTrainingService.get_model``, with ``weights`` by feature and ``lineage``.

        Raises
        ------
        NotFoundError
            If there is no such model.
        """
        row = require_model(self.db, model_id)
        return {
            **model_document(self.db, row),
            "weights": weights_on_the_card(
                row.parameters,
                _weights(require_version(self.db, row.base_version).content),
                _weights(expert_ancestor(self.db, row.base_version).content),
            ),
            "lineage": model_lineage(self.db, row),
        }

    def curves(self, model_id: str, progress: Progress) -> Document:
        """Measure a model's curves on the rows that it never saw.

        Parameters
        ----------
        model_id : str
            Such as ``m-20260331-7f3a``.
        progress : callable
            Called as ``progress(stage, done, total)``.

        Returns
        -------
        dict
            ``roc`` by ``model``, ``refined`` and ``baseline``; ``distributions`` of the scores by
            ``refined`` and ``baseline``; ``calibration``, where ``old`` is the baseline and
            ``new`` the model. As :mod:`app.domain.judged_curves` and
            :mod:`app.domain.judged_calibration` give them.

        Raises
        ------
        NotFoundError
            If there is no such model.
        FileHashError
            If the file of validated rows is not what was stored.
        """
        row = require_model(self.db, model_id)
        bands = Scorecard.from_document(require_version(self.db, row.base_version).content).bands
        self.db.rollback()  # computing holds no transaction
        progress(_STAGE, 0, _STEPS)
        cards, model = validated_rows(self.lake, row), model_rows(self.lake, row)
        progress(_STAGE, 1, _STEPS)
        of_cards, of_model = roc_curves(cards), roc_curves(model)
        spread = score_distributions(cards)
        progress(_STAGE, 2, _STEPS)
        return {
            "roc": {
                "model": of_model["new"],
                "refined": of_cards["new"],
                "baseline": of_cards["old"],
            },
            "distributions": {"refined": spread["new"], "baseline": spread["old"]},
            "calibration": calibration_tables(model, bands, bands),
        }


def _with_aucs(row: ModelRegistry) -> Document:
    metrics = row.metrics
    judged = {"model": metrics, **{name: metrics[name] for name in _JUDGED}}
    return {
        **model_summary(row),
        "n_validated": row.validation["n_validated"],
        "gain_interval": metrics["gain_interval"],
        "aucs": {
            name: {"auc": one["auc_roc"], "interval": one["auc_roc_interval"]}
            for name, one in judged.items()
        },
    }


def _weights(content: Document) -> dict[str, float]:
    return {name: one.weight for name, one in Scorecard.from_document(content).features.items()}
