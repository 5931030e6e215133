"""The recipe of a run: everything that decides its results, as one JSON value."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from engine.case import DerivationRow, RunRow
from engine.core.errors import BadInputError
from engine.core.settings import AnalysisSettings, MotionSettings, SceneSettings, TrackingSettings
from engine.core.times import Span
from engine.detectors.text.text_recipe import TextRecipe
from engine.pipeline.normal_footage import NormalFootage
from engine.pipeline.region_mask import WHOLE_FRAME, RegionMask, parse_polygons

_Settings = TypeVar("_Settings", MotionSettings, SceneSettings, TrackingSettings)


@dataclass(frozen=True)
class VariantUse:
    """Names the variant that a run uses.

    Attributes:
        name: its name when the run began.
        sha256: of its weights, which decide the result.
    """

    name: str
    sha256: str

    def as_json(self) -> dict[str, Any]:
        """Returns JSON values, as a run's settings have them."""
        return dict(self.__dict__)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> VariantUse:
        """Restores what `as_json` gave.

        Raises:
            BadInputError: a value is missing.
        """
        try:
            return cls(str(values["name"]), str(values["sha256"]))
        except (KeyError, TypeError) as error:
            raise BadInputError(
                "the variant of a run cannot be read", str(error), "analyse again"
            ) from error


@dataclass(frozen=True)
class Recipe:
    """Settings and calibration sources of a run.

    Attributes:
        settings: of the analysis.
        normal: footage marked normal; empty when the evidence calibrates itself.
        normal_spans: spans of the evidence marked normal.
        fps: frame rate of folders of images; None for 25.
        mask: which parts of the frame are analysed.
        text: of the text channel; None without it.
        variant: that is used; None for the pack and the scene channel as they are.
    """

    settings: AnalysisSettings
    normal: tuple[NormalFootage, ...] = ()
    normal_spans: tuple[Span, ...] = ()
    fps: float | None = None
    mask: RegionMask = WHOLE_FRAME
    text: TextRecipe | None = None
    variant: VariantUse | None = None

    @property
    def prompts(self) -> tuple[str, ...]:
        """The abnormal prompts of the text channel; none without it."""
        return () if self.text is None else self.text.prompts.abnormal

    @property
    def calibration(self) -> Literal["normal", "span", "self"]:
        """Where the calibration comes from: `normal`, `span` or `self`."""
        if self.normal:
            return "normal"
        return "span" if self.normal_spans else "self"

    def as_json(self) -> dict[str, Any]:
        """Returns JSON values that decide the result, and nothing else.

        Regions, the text channel and a variant stand in it only when there are some: a run of an
        older version has none, and its settings must stay what they were.
        """
        regions = {"ignore": self.mask.ignore, "interest": self.mask.interest}
        return {
            **self.settings.as_json(),
            "calibration": self.calibration,
            "normal": [piece.as_source() for piece in self.normal],
            "normal_spans": [[span.start, span.end] for span in self.normal_spans],
            "fps": self.fps,
            **{name: _lists(polygons) for name, polygons in regions.items() if polygons},
            **({} if self.text is None else {"text": self.text.as_json()}),
            **({} if self.variant is None else {"variant": self.variant.as_json()}),
        }

    def changes(self, run: Recipe) -> dict[str, Any] | None:
        """Returns as JSON values what a recalibration changed; None when nothing."""
        if (self.normal_spans, self.mask) == (run.normal_spans, run.mask):
            return None
        return {
            "normal_spans": [[span.start, span.end] for span in self.normal_spans],
            "ignore": _lists(self.mask.ignore),
            "interest": _lists(self.mask.interest),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Recipe:
        """Restores what `as_json` gave."""
        settings = AnalysisSettings(
            stride=values["stride"],
            channels=tuple(values["channels"]),
            motion=_read_settings(MotionSettings, values["motion"]),
            scene=_read_settings(SceneSettings, values["scene"]),
            tracking=_read_settings(TrackingSettings, values["tracking"]),
        )
        normal = [NormalFootage(Path(piece["path"]), piece["sha256"]) for piece in values["normal"]]
        spans = [Span(*span) for span in values["normal_spans"]]
        mask = _read_mask(values)
        text = TextRecipe.from_json(values["text"]) if "text" in values else None
        variant = VariantUse.from_json(values["variant"]) if "variant" in values else None
        return cls(settings, tuple(normal), tuple(spans), values["fps"], mask, text, variant)


def recipe_of(run: RunRow, derivation: DerivationRow | None) -> Recipe:
    """Returns the recipe of a run's results: the run's, with what a recalibration changed."""
    recipe = Recipe.from_json(json.loads(run.settings))
    if derivation is None or derivation.settings is None:
        return recipe
    changes = json.loads(derivation.settings)
    spans = tuple(Span(*span) for span in changes["normal_spans"])
    normal = recipe.normal if spans == recipe.normal_spans else ()
    return replace(recipe, normal=normal, normal_spans=spans, mask=_read_mask(changes))


def _read_mask(values: dict[str, Any]) -> RegionMask:
    return RegionMask(
        parse_polygons(values.get("ignore", [])), parse_polygons(values.get("interest", []))
    )


def _lists(polygons: Sequence[Sequence[tuple[float, float]]]) -> list[list[list[float]]]:
    return [[list(corner) for corner in polygon] for polygon in polygons]


def _read_settings(kind: type[_Settings], values: dict[str, Any]) -> _Settings:
    known = {field.name for field in fields(kind)}
    return kind(**{key: _as_tuple(value) for key, value in values.items() if key in known})


def _as_tuple(value: Any) -> Any:  # noqa: ANN401
    return tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
