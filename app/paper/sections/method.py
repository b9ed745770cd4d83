"""How the weights came about and how they are judged, with the formulas."""

from __future__ import annotations

from app.charts.tables import Column, table
from app.domain.counted import counted
from app.domain.types import Document
from app.edge import numbers
from app.findings.words import with_minus
from app.paper.parts import Block, Formula, Heading, Part, Section, said, section
from app.paper.writers import weight_interval

_SCORE = (
    "Score of party i. wⱼ is the weight of feature j, gᵢⱼ in [0, 1] the goodness to which the card "
    "maps its raw value (1 is safest); min and max are the ends of the range."
)
_SOURCES = (
    "The full derivations with their sources stand in docs/statistics.md of the program; the "
    "program's version is among the libraries at the end."
)


def method(found: Document) -> Section:
    """Explain how the weights came about.

    Parameters
    ----------
    found : dict
        The record.

    Returns
    -------
    Section
        For a person's version: that nobody fitted anything.
    """
    model = found["model"]
    if model is None:
        return section(
            "Method",
            Formula("score", _SCORE),
            said(
                f"A person chose the weights of {found['version']['version']}; no model made it, "
                "and there is no fit, no validation of a procedure and no path to describe."
            ),
            said(_SOURCES),
        )
    return section(
        "Method",
        Formula("score", _SCORE),
        Heading("What the expert's score says about risk"),
        _calibration(model),
        Heading("The fit, held near the expert"),
        _fit(model),
        Heading("The draft within the guard-rails"),
        _refinement(found),
        _coefficients(model),
        said(_SOURCES),
    )


def _calibration(model: Document) -> list[Part]:
    fitted = model["parameters"]
    return [
        Formula(
            "calibration",
            f"Fitted on the labelled rows, {model['base_version']} as it is: a = "
            f"{numbers.auc(fitted['expert_intercept'])}, s = "
            f"{numbers.auc(fitted['expert_slope'], 4)}. s turns weights into log-odds: what the "
            "expert believes of feature j is the coefficient s wⱼ.",
        )
    ]


def _fit(model: Document) -> list[Part]:
    fitted, advice = model["parameters"], model["validation"]["advice"]
    losses = len(fitted["tau_losses"])
    return [
        Formula(
            "fit",
            "ℓ is the log-likelihood, a sum over rows. The second term pulls each coefficient to "
            f"the expert's, with relative standard deviation τ\u00a0=\u00a0{fitted['tau']:g}, the "
            f"strongest of {counted(losses, 'candidate')} within one standard error of the best in "
            "cross-validated log-loss: where the data say little, the expert stays.",
        ),
        said(
            f"Registered as {model['model_id']}: fitted on "
            f"{counted(model['validation']['n_rows'], 'labelled row')} of "
            f"{counted(model['n_labelled'], 'party')}, {numbers.count(model['n_bad'])} bad; seed "
            f"{model['seed']}. The advice is {advice['advice']}, {_looks(advice)}"
        ),
    ]


def _looks(advice: Document) -> str:
    level = f"{100 * advice['level']:.3g} %"
    if not advice["n_looks"]:
        return f"by the {level} interval: it is the first look at these rows."
    looks = counted(advice["n_looks"], "earlier look")
    return f"by the {level} interval, widened for {looks} at overlapping rows."


def _refinement(found: Document) -> list[Part]:
    policy = found["policy"]["content"]
    parts: list[Part] = [
        Formula(
            "refinement",
            "b is the fit, g and H gradient and Hessian of its penalised negative log-likelihood: "
            "the point nearest to the model, in the metric of its own evidence, that keeps the "
            "guard-rails:",
        ),
        Formula(
            "rails",
            "S = LᵀL is the covariance of goodness. The bounds d and ρ lie just inside the gates: "
            f"no weight moves by {numbers.rate(policy['max_weight_change'])} or more against "
            f"{found['version']['base_version']}, none by "
            f"{numbers.rate(policy['max_cumulative_change'])} or more against the expert, and old "
            f"and new scores correlate above {numbers.auc(policy['min_score_correlation'])}.",
        ),
    ]
    refined = found["evidence"].get("refinement")
    if refined is not None:
        parts.append(
            Formula(
                "path",
                "From the end backwards, the first step at which every gate passes is taken; no "
                f"AUC takes part in the choice. Taken: t\u00a0=\u00a0{refined['t']:.2f}.",
            )
        )
    return parts


def _coefficients(model: Document) -> Block:
    importance = model["feature_importance"]
    rows = [
        (
            name, one["base_weight"], one["coefficient"], one["standard_error"],
            one["model_weight"], one["interval"], one["data_only_weight"],
            one["data_only_interval"], importance.get(name),
        )
        for name, one in model["weights"].items()
    ]  # fmt: skip
    columns = (
        Column("Feature"), Column(f"{model['base_version']} weight", numbers.weight),
        Column("b", numbers.auc), Column("SE", numbers.auc), Column("As weight", numbers.weight),
        Column("95 % interval", weight_interval), Column("Data alone", numbers.weight),
        Column("Its 95 % interval", weight_interval), Column("Importance", numbers.rate),
    )  # fmt: skip
    source = with_minus(
        f"Model {model['model_id']}. As weight: scaled to the sum of the card's weights. Data "
        "alone: the same likelihood without the pull to the expert, shown and never used. "
        "Importance: coefficient times the standard deviation of goodness, as a share."
    )
    title = "What the model estimates beside the card, before the guard-rails"
    return Block(title, table(columns, rows), "Coefficients", source)
