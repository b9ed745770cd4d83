"""The model card: a version on two pages, for those who use its scores."""

from __future__ import annotations

from app.domain.types import Document
from app.paper.parts import Listing, Paper, Part, Section, said, section
from app.paper.sections.affected import bands_block
from app.paper.sections.card import figure, weights_block
from app.paper.sections.data import definition_sentences, labels_block
from app.paper.sections.fairness import fairness
from app.paper.sections.opening import brief_notices, facts_block, hashes_block
from app.paper.sections.record import stated_limits
from app.paper.sections.validation import calibration_block, lacking, measures_block

_USES = (
    "To rank parties by risk: a higher score is safer. The order is what was validated.",
    "As one input to decisions that people answer for, by the bands of the card.",
)
_NOT = (
    "Not for parties of another kind than those of the batches below, without evidence on them.",
    "Not as a probability of default, unless a calibration for this very card is stored.",
    "Not to refuse without a reason: each score comes with the features that cost most points.",
)


def model_card(found: Document, command: str) -> Paper:
    """Write the model card of a version.

    Parameters
    ----------
    found : dict
        From :meth:`app.services.dossier_service.DossierService.dossier`.
    command : str
        What to type to write the same bytes again.

    Returns
    -------
    Paper
        Neutral, shorter than the dossier, from the same record.
    """
    version = found["version"]
    return Paper(
        kind="Model card",
        version=version["version"],
        card_name=version["name"],
        status=version["status"],
        content_hash=version["content_hash"],
        as_of=found["as_of"],
        command=command,
        brief=brief_notices(found),
        sections=(
            _use(found),
            _data(found),
            _weights(found),
            _metrics(found),
            fairness(found, with_figures=False),
            section("Limits", Listing(stated_limits(found))),
            section("Hashes", hashes_block(version)),
        ),
    )


def _use(found: Document) -> Section:
    return section(
        "Intended use",
        Listing(_USES),
        said("What it is not for:"),
        Listing(_NOT),
        facts_block(found),
    )


def _data(found: Document) -> Section:
    if not found["label_sets"]:
        return section("Data", said("No outcome data is tied to this version."))
    return section("Data", definition_sentences(found), labels_block(found))


def _weights(found: Document) -> Section:
    return section("Weights", weights_block(found))


def _metrics(found: Document) -> Section:
    evidence = found["review"]
    if evidence is None or evidence["discrimination"] is None:
        why = [] if evidence is None else lacking(evidence, "AUC")
        return section("Metrics", why or said("How it ranks was not measured."))
    parts: list[Part | None] = [measures_block(evidence)]
    if evidence["calibration"]:
        parts.append(calibration_block(evidence))
    parts.append(bands_block(evidence))
    parts.append(figure(found, "calibration_bands", "Calibration figure", is_small=True))
    return section("Metrics", *parts)
