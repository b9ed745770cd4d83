"""The scorecard: a frozen value that validates itself, knows its hash and scores one party."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from app.domain.canonical import content_hash
from app.domain.counted import counted
from app.domain.document import parse_document, raise_problems
from app.domain.party_score import ScoreResult, score_party
from app.domain.scorecard_file import is_exported, opened
from app.domain.scorecard_parts import (
    Feature,
    Part,
    ScoreRange,
    Text,
    Whole,
    band_problems,
    feature_problems,
    sum_of_weights,
)
from app.domain.scorecard_problems import scorecard_problems
from app.domain.transforms import refuse
from app.domain.types import Document, Floats
from app.errors import DocumentError, InvalidInputError, NotFoundError

__all__ = [
    "Feature",
    "ScoreRange",
    "ScoreResult",
    "Scorecard",
    "default_card",
    "load_scorecard",
    "score_party",
]

SCHEMA_NUMBER = 1
"""Part of every content hash; raised when the meaning of a document changes."""


class Scorecard(Part):
    """Hold one scorecard document.

    Two cards are equal if their content hashes are; build one with `from_document` or
    `load_scorecard`, which name every fault by its place.

    Parameters
    ----------
    name : str
        For people.
    range : ScoreRange, default 300 to 900
        Lowest and highest score.
    bands : mapping of str to int
        Name to lower bound in points, lowest first; the first starts at ``range.min``.
    features : mapping of str to Feature
        In card order, which breaks ties between reason codes.

    Examples
    --------
    >>> card = default_card()
    >>> len(card.features), card.total_weight, card.band_of(710)
    (16, 120.0, 'good')
    >>> score_party(card, {"kyc_verified": True, "has_tax_id": 1}).score
    425
    """

    name: Text
    range: ScoreRange = ScoreRange()
    bands: Annotated[Mapping[Text, Whole], Field(min_length=1), AfterValidator(MappingProxyType)]
    features: Annotated[
        Mapping[Text, Feature], Field(min_length=1), AfterValidator(MappingProxyType)
    ]

    @field_validator("bands")
    @classmethod
    def _check_bands(cls, bands: Mapping[str, int], info: ValidationInfo) -> Mapping[str, int]:
        refuse(band_problems(bands, info.data.get("range")), "Scorecard")
        return bands

    @field_validator("features")
    @classmethod
    def _check_features(cls, features: Mapping[str, Feature]) -> Mapping[str, Feature]:
        refuse(feature_problems(features), "Scorecard")
        return features

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Scorecard:
        """Build a card from plain values, as read from YAML or JSON.

        Parameters
        ----------
        document : mapping
            With ``name``, ``range``, ``bands`` and ``features``.

        Returns
        -------
        Scorecard
            The validated card.

        Raises
        ------
        DocumentError
            Names every fault by its place, such as ``features.age.transform.edges[2]``.
        """
        if not isinstance(document, Mapping):
            raise DocumentError("", "a scorecard is a mapping with name, range, bands and features")
        try:
            return cls.model_validate(dict(document))
        except ValidationError as error:
            models: dict[tuple[str, ...], type[BaseModel]]
            models = {(): Scorecard, ("range",): ScoreRange, ("features",): Feature}
            problems = scorecard_problems(error, models)
        raise_problems(problems)
        raise AssertionError(problems)  # pragma: no cover - pydantic reports at least one error

    def to_document(self) -> Document:
        """Give the fields that were set as plain values, in card order.

        Returns
        -------
        dict
            From which `from_document` builds an equal card.
        """
        document = _fields_set(self)
        document["bands"] = dict(self.bands)
        document["features"] = {
            name: _feature_document(feature) for name, feature in self.features.items()
        }
        return document

    @cached_property
    def content_hash(self) -> str:
        """Give the SHA-256 of the fields set, 64 hex digits; order of features and bands counts."""
        document = self.to_document()
        document["bands"] = list(document["bands"].items())
        document["features"] = list(document["features"].items())
        return content_hash({"schema": SCHEMA_NUMBER, "scorecard": document})

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """Give the names of the features, in card order."""
        return tuple(self.features)

    @cached_property
    def band_names(self) -> tuple[str, ...]:
        """Give the names of the bands, lowest first."""
        return tuple(self.bands)

    @property
    def weights(self) -> Floats:
        """Give the weights in card order, ndarray of shape (n_features,)."""
        return np.array([feature.weight for feature in self.features.values()], dtype=np.float64)

    @cached_property
    def total_weight(self) -> float:
        """Give the sum of the weights, added in card order as both evaluators add."""
        return sum_of_weights(self.features)

    def with_weights(self, weights: Sequence[float] | Floats | Mapping[str, float]) -> Scorecard:
        """Give the same card with other weights.

        Parameters
        ----------
        weights : sequence of shape (n_features,), or mapping
            In card order, or by name; features that a mapping leaves out keep theirs.

        Returns
        -------
        Scorecard
            A new card, validated.

        Raises
        ------
        InvalidInputError
            If the number of weights or a name does not fit the card.
        DocumentError
            If a weight is negative or not finite, or all are 0.
        """
        document = self.to_document()
        for name, weight in self._named(weights).items():
            document["features"][name]["weight"] = float(weight)
        return Scorecard.from_document(document)

    def _named(
        self, weights: Sequence[float] | Floats | Mapping[str, float]
    ) -> Mapping[str, float]:
        if isinstance(weights, Mapping):
            unknown = [name for name in weights if name not in self.features]
            if unknown:
                raise InvalidInputError(f"the card has no feature {', '.join(unknown)}")
            return weights
        if len(weights) != len(self.features):
            has = f"the card has {counted(len(self.features), 'feature')}"
            message = f"{has}, {counted(len(weights), 'weight')} given"
            raise InvalidInputError(message)
        return dict(zip(self.feature_names, weights, strict=True))

    def band_of(self, score: int) -> str:
        """Give the band of a score.

        Parameters
        ----------
        score : int
            In points, within the range.

        Returns
        -------
        str
            The highest band whose lower bound does not exceed the score.

        Raises
        ------
        InvalidInputError
            If the score lies outside the range.
        """
        if not self.range.min <= score <= self.range.max:
            message = f"score {score} lies outside {self.range.min} to {self.range.max}"
            raise InvalidInputError(message)
        return next(name for name in reversed(self.band_names) if self.bands[name] <= score)

    def model_copy(
        self, *, update: Mapping[str, Any] | None = None, deep: bool = False
    ) -> Scorecard:
        """Give a copy with other fields, validated and hashed anew.

        Parameters
        ----------
        update : mapping of str to Any or None
            Fields to replace.
        deep : bool, default False
            Ignored: a card never changes, so nothing in it needs copying.

        Returns
        -------
        Scorecard
            A new card.
        """
        del deep
        fields = {name: getattr(self, name) for name in self.model_fields_set}
        return Scorecard.model_validate({**fields, **(update or {})})

    def __copy__(self) -> Scorecard:
        return self

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Scorecard:
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scorecard) and self.content_hash == other.content_hash

    def __hash__(self) -> int:
        return hash(self.content_hash)

    def __reduce__(self) -> tuple[Any, ...]:
        return Scorecard.from_document, (self.to_document(),)


def _fields_set(part: BaseModel) -> Document:
    return {
        name: _fields_set(value) if isinstance(value, BaseModel) else value
        for name in type(part).model_fields
        if name in part.model_fields_set
        for value in (getattr(part, name),)
    }


def _feature_document(feature: Feature) -> Document:
    document = _fields_set(feature)
    transform = document["transform"]
    for name, value in transform.items():
        if isinstance(value, tuple):
            transform[name] = list(value)
        elif isinstance(value, Mapping):
            transform[name] = dict(value)
    return document


def load_scorecard(source: str | Path) -> Scorecard:
    """Read a scorecard from a file or a text, or from what ``chancellor export`` wrote as JSON.

    Parameters
    ----------
    source : str or Path
        A path, or the text itself: a str of several lines or that starts with ``{`` is a text.

    Returns
    -------
    Scorecard
        The validated card.

    Raises
    ------
    NotFoundError
        If there is no such file.
    DocumentError
        If the file cannot be read, or what it says is not a scorecard, every fault at once; or
        if an exported card no longer has the hash that the file names.

    Examples
    --------
    >>> load_scorecard("{name: x, bands: {all: 300}, features: {a: {weight: 1}}}")
    Traceback (most recent call last):
    ...
    app.errors.DocumentError: features.a.transform: is missing
    """
    if isinstance(source, str) and ("\n" in source or source.lstrip().startswith("{")):
        return _parsed(source)
    try:
        text = Path(source).read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise NotFoundError(f"there is no file {source}", path=str(source)) from error
    except (OSError, UnicodeDecodeError) as error:
        problem = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise DocumentError(str(source), f"cannot be read: {problem}") from error
    return _parsed(text)


def _parsed(text: str) -> Scorecard:
    document = parse_document(text)
    if not is_exported(document):
        return Scorecard.from_document(document)
    inner, recorded = opened(document)
    card = Scorecard.from_document(inner)
    if card.content_hash != recorded:
        problem = f"is {recorded}, but the card in the file has {card.content_hash}"
        raise DocumentError("content_hash", f"{problem}: something changed, or its order")
    return card


def default_card() -> Scorecard:
    """Read the card that Chancellor ships: buyers and suppliers in a supply chain.

    Returns
    -------
    Scorecard
        Sixteen features, range 300 to 900.
    """
    resource = files("app") / "cards" / "supply_chain.yaml"
    return load_scorecard(resource.read_text(encoding="utf-8"))
