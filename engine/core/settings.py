"""Settings of an analysis, declared once as data; every run and every JSON carries them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from engine.core.channels import SCENE, SCENE_ATTRIBUTES


@dataclass(frozen=True)
class MotionSettings:
    """How motion is measured.

    Attributes:
        analysis_area: largest picture, in pixels, on which motion is measured; never upscaled.
        cell: edge of a square cell of the raw maps, in analysis pixels.
        chunk_seconds: length of the frames committed together.
        flow_preset: preset of dense inverse search (`ultrafast`, `fast`, `medium`).
        flow_finest_scale: the finest pyramid level that is searched; 0 is full size.
        mean_seconds: span over which flow is averaged, so that swinging legs cancel.
        activity_threshold: change between two frames, in grey levels, that calls for flow.
        foreground_threshold: least difference to the background, in grey levels.
        foreground_noise: the same difference in standard deviations of the picture's noise.
    """

    analysis_area: int = 110_592
    cell: int = 8
    chunk_seconds: float = 10.0
    flow_preset: str = "fast"
    flow_finest_scale: int = 1
    mean_seconds: float = 0.2
    activity_threshold: float = 5.0
    foreground_threshold: float = 20.0
    foreground_noise: float = 6.0


@dataclass(frozen=True)
class SceneSettings:
    """How the scene channel judges motion.

    Attributes:
        box_cells: edge of the box, in cells, over which foreground speed is averaged.
        foreground_share: least share of foreground in a box that is judged at all.
        smoothing_seconds: sigma of the Gaussian over time on the heatmap.
        smoothing_cells: sigma of the Gaussian over space on the heatmap.
        score_smoothing_seconds: sigma of the Gaussian over time on the frame score.
        held_out_quantile: share of normal frames, held out, that must stay below the limit.
        attributes: the attributes that may speak.
    """

    box_cells: int = 3
    foreground_share: float = 0.02
    smoothing_seconds: float = 0.12
    smoothing_cells: float = 0.5
    score_smoothing_seconds: float = 0.2
    held_out_quantile: float = 0.995
    attributes: tuple[str, ...] = tuple(SCENE_ATTRIBUTES)


@dataclass(frozen=True)
class TrackingSettings:
    """How regions, trajectories and events are cut.

    Attributes:
        region_score: least score of a region's cells.
        region_weak_share: cells of at least this share of `region_score` belong to a region that
            a stronger cell began, and go on with a trajectory.
        trajectory_least_seconds: shortest time for which a target must stand out.
        bridge_seconds: longest time for which a target may be out of sight or merged with others.
        follow_seconds: longest time for which a target is followed by its foreground alone,
            before and after it stands out.
        event_on: score at which an event starts.
        event_off: score below which it ends.
        event_least_seconds: shortest event that is kept.
        event_join_seconds: gap over which two events are one.
        region_cuts: scores at which evaluation cuts several regions a frame.
    """

    region_score: float = 0.5
    region_weak_share: float = 0.5
    trajectory_least_seconds: float = 0.3
    bridge_seconds: float = 1.0
    follow_seconds: float = 10.0
    event_on: float = 0.65
    event_off: float = 0.5
    event_least_seconds: float = 0.3
    event_join_seconds: float = 2.0
    region_cuts: tuple[float, ...] = (0.15, 0.3, 0.5, 0.7)


@dataclass(frozen=True)
class AnalysisSettings:
    """Everything that decides what a run finds, besides evidence and calibration."""

    stride: int = 1
    channels: tuple[str, ...] = (SCENE,)
    motion: MotionSettings = field(default_factory=MotionSettings)
    scene: SceneSettings = field(default_factory=SceneSettings)
    tracking: TrackingSettings = field(default_factory=TrackingSettings)

    def as_json(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
