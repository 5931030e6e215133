"""What decides the result of a run, as one JSON value that is stored and compared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from engine.case import DerivationRow, RunRow
from engine.core.settings import AnalysisSettings, MotionSettings, SceneSettings, TrackingSettings
from engine.core.times import Span
from engine.detectors.text.text_recipe import TextRecipe
from engine.pipeline.calibration.normal_footage import NormalFootage
from engine.pipeline.region_mask import WHOLE_PICTURE, PictureParts, parse_polygons
from engine.pipeline.variant import VariantUse

_Settings = TypeVar("_Settings", MotionSettings, SceneSettings, TrackingSettings)


@dataclass(frozen=True)
class Recipe:
    """Settings and calibration sources of a run.

    Attributes:
        settings: of the analysis.
        normal: footage marked normal; empty when the evidence calibrates itself.
        normal_spans: spans of the evidence marked normal.
        fps: frame rate of folders of images; None for 25.
        parts: which parts of the picture count.
        text: of the text channel; None without it.
        variant: what marks taught; None for the pack and the channel as they are.
    """

    settings: AnalysisSettings
    normal: tuple[NormalFootage, ...] = ()
    normal_spans: tuple[Span, ...] = ()
    fps: float | None = None
    parts: PictureParts = WHOLE_PICTURE
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

        Parts of the picture, the text channel and a variant stand in it only when there are some:
        a run of an older version has none, and its settings must stay what they were.
        """
        parts = {"ignore": self.parts.ignore, "interest": self.parts.interest}
        return {
            **self.settings.as_json(),
            "calibration": self.calibration,
            "normal": [piece.as_source() for piece in self.normal],
            "normal_spans": [[span.start, span.end] for span in self.normal_spans],
            "fps": self.fps,
            **{name: _lists(polygons) for name, polygons in parts.items() if polygons},
            **({} if self.text is None else {"text": self.text.as_json()}),
            **({} if self.variant is None else {"variant": self.variant.as_json()}),
        }

    def changes(self, run: Recipe) -> dict[str, Any] | None:
        """Returns as JSON values what a recalibration changed; None when nothing."""
        if (self.normal_spans, self.parts) == (run.normal_spans, run.parts):
            return None
        return {
            "normal_spans": [[span.start, span.end] for span in self.normal_spans],
            "ignore": _lists(self.parts.ignore),
            "interest": _lists(self.parts.interest),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Recipe:
        """Restores what `as_json` gave."""
        settings = AnalysisSettings(
            stride=values["stride"],
            channels=tuple(values["channels"]),
            motion=_restored(MotionSettings, values["motion"]),
            scene=_restored(SceneSettings, values["scene"]),
            tracking=_restored(TrackingSettings, values["tracking"]),
        )
        normal = [NormalFootage(Path(one["path"]), one["sha256"]) for one in values["normal"]]
        spans = [Span(*span) for span in values["normal_spans"]]
        parts = PictureParts(
            parse_polygons(values.get("ignore", [])), parse_polygons(values.get("interest", []))
        )
        text = TextRecipe.from_json(values["text"]) if "text" in values else None
        variant = VariantUse.from_json(values["variant"]) if "variant" in values else None
        return cls(settings, tuple(normal), tuple(spans), values["fps"], parts, text, variant)


def recipe_of(run: RunRow, derivation: DerivationRow | None) -> Recipe:
    """Returns the recipe of a run's results: the run's, with what a recalibration changed."""
    recipe = Recipe.from_json(json.loads(run.settings))
    if derivation is None or derivation.settings is None:
        return recipe
    said = json.loads(derivation.settings)
    spans = tuple(Span(*span) for span in said["normal_spans"])
    parts = PictureParts(parse_polygons(said["ignore"]), parse_polygons(said["interest"]))
    normal = recipe.normal if spans == recipe.normal_spans else ()
    return replace(recipe, normal=normal, normal_spans=spans, parts=parts)


def _lists(polygons: Sequence[Sequence[tuple[float, float]]]) -> list[list[list[float]]]:
    return [[list(corner) for corner in polygon] for polygon in polygons]


def _restored(kind: type[_Settings], values: dict[str, Any]) -> _Settings:
    known = {field.name for field in fields(kind)}
    return kind(**{key: _tuple(value) for key, value in values.items() if key in known})


def _tuple(value: Any) -> Any:  # noqa: ANN401
    return tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
