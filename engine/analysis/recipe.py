"""What decides the result of a run, as one JSON value that is stored and compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

from engine.analysis.normal import NormalFootage
from engine.core.settings import AnalysisSettings, MotionSettings, SceneSettings, TrackingSettings
from engine.core.times import Span

_Settings = TypeVar("_Settings", MotionSettings, SceneSettings, TrackingSettings)


@dataclass(frozen=True)
class Recipe:
    """Settings and calibration sources of a run.

    Attributes:
        settings: of the analysis.
        normal: footage marked normal; empty when the evidence calibrates itself.
        normal_spans: spans of the evidence marked normal.
        fps: frame rate of folders of images; None for 25.
    """

    settings: AnalysisSettings
    normal: tuple[NormalFootage, ...] = ()
    normal_spans: tuple[Span, ...] = ()
    fps: float | None = None

    @property
    def calibration(self) -> Literal["normal", "span", "self"]:
        """Where the calibration comes from: `normal`, `span` or `self`."""
        if self.normal:
            return "normal"
        return "span" if self.normal_spans else "self"

    def as_json(self) -> dict[str, Any]:
        """Returns JSON values that decide the result, and nothing else."""
        return {
            **self.settings.as_json(),
            "calibration": self.calibration,
            "normal": [piece.as_source() for piece in self.normal],
            "normal_spans": [[span.start, span.end] for span in self.normal_spans],
            "fps": self.fps,
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
        return cls(settings, tuple(normal), tuple(spans), values["fps"])


def _restored(kind: type[_Settings], values: dict[str, Any]) -> _Settings:
    known = {field.name for field in fields(kind)}
    return kind(**{key: _tuple(value) for key, value in values.items() if key in known})


def _tuple(value: Any) -> Any:  # noqa: ANN401
    return tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
