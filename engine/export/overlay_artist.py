"""Draws the results of a run over its frames, upright as a player shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.findings import Region, Trajectory
from engine.core.geometry import Box
from engine.core.stream import Frame
from engine.core.times import format_time
from engine.render.overlay import (
    burn_text,
    draw_boxes,
    draw_legend,
    draw_path,
    overlay_heatmap,
)
from engine.render.palette import OTHER_COLOUR, target_colour
from engine.render.raster import Rgb

_PATH_S = 6.0  # Seconds of a path that stay visible behind its target; a choice.
OPACITY = 0.5
"""Opacity where the heatmap is 1: what lies below must stay recognisable."""
COLOUR_MAP = "inferno"
"""Colour map of the heatmap in every image that leaves a case."""


@dataclass(frozen=True, eq=False)
class FrameResults:
    """The results of a run in one frame.

    Attributes:
        seconds: stream time of the frame.
        heat: heatmap, float32 [R, C], 0..1.
        score: score of the frame, 0..1.
        analysed: False when heatmap and score are interpolated between analysed frames.
        regions: the regions of the frame.
    """

    seconds: float
    heat: NDArray[np.float32]
    score: float
    analysed: bool
    regions: Sequence[Region]


class OverlayArtist:
    """Draws heat, boxes, paths, time, frame number and score over frames of one stream."""

    def __init__(
        self,
        size: tuple[int, int],
        rotation: int,
        seconds: NDArray[np.float64],
        trajectories: Sequence[Trajectory],
    ) -> None:
        """Takes what does not change from frame to frame.

        Args:
            size: decoded width and height in pixels.
            rotation: degrees clockwise by which frames are turned for display.
            seconds: float64 [n], stream time of every frame.
            trajectories: the trajectories of the run.
        """
        self._width, self._height = size
        self._turns = rotation // 90 % 4
        self._seconds = seconds
        self._trajectories = trajectories

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the drawn image, in pixels."""
        turned = self._turns % 2 == 1
        return (self._height, self._width) if turned else (self._width, self._height)

    def draw(self, frame: Frame, results: FrameResults) -> Rgb:
        """Draws the results over one frame.

        Args:
            frame: in decoded size; a frame without an image becomes a grey one that says so.
            results: the results in the frame.

        Returns:
            uint8 [H, W, 3] of `size`.
        """
        picture = self._picture(frame)
        picture = overlay_heatmap(picture, self._turn_heatmap(results.heat), OPACITY, COLOUR_MAP)
        visible = [path for path in self._trajectories if _spans(path, frame.index)]
        alone = [region for region in results.regions if region.trajectory is None]
        picture = draw_boxes(
            picture, [self._box(region.box) for region in alone], OTHER_COLOUR, thickness=1
        )
        for trajectory in visible:
            picture = self._draw_path(picture, trajectory, frame.index)
        for trajectory in visible:
            box, score = _interpolate(trajectory, frame.index)
            label = f"{trajectory.number}: {score:.2f}"
            colour = target_colour(trajectory.number)
            picture = draw_boxes(picture, [self._box(box)], colour, [label], self._thickness)
        picture = draw_legend(picture, COLOUR_MAP)
        return self._burn(picture, frame, results)

    def draw_compared(self, frame: Frame, results: FrameResults) -> Rgb:
        """Draws a frame as `draw` does, and to the left of it the frame without overlay.

        Returns:
            uint8 [H, 2 W, 3] of `size`.
        """
        return np.concatenate([self._picture(frame), self.draw(frame, results)], axis=1)

    def draw_whole(
        self,
        frame: Frame,
        heat: NDArray[np.float32],
        trajectories: Sequence[Trajectory],
        lines: Sequence[str],
    ) -> Rgb:
        """Draws a whole event over one of its frames: its largest heat and every whole path.

        Args:
            frame: in decoded size.
            heat: float32 [R, C], 0..1, the largest heat of each cell during the event.
            trajectories: the trajectories of the event.
            lines: text that is written into the image.

        Returns:
            uint8 [H, W, 3] of `size`.
        """
        plain = self._picture(frame)
        picture = overlay_heatmap(plain, self._turn_heatmap(heat), OPACITY, COLOUR_MAP)
        for trajectory in trajectories:
            centres = self._points(_centres(trajectory.boxes))
            ages = np.linspace(0.6, 0.0, len(centres))
            colour = target_colour(trajectory.number)
            picture = draw_path(picture, centres, ages, colour, self._thickness + 1)
        return burn_text(draw_legend(picture, COLOUR_MAP), [*lines, *self._overlay_settings])

    @property
    def _overlay_settings(self) -> list[str]:
        """Returns the settings of the overlay, in pieces short enough for a narrow image."""
        settings = [f"heat {COLOUR_MAP}", f"at most {OPACITY:.0%} opaque"]
        return [*settings, f"turned by {90 * self._turns} degrees"] if self._turns else settings

    @property
    def _thickness(self) -> int:
        return max(1, round(min(self._width, self._height) / 360))

    def _picture(self, frame: Frame) -> Rgb:
        if frame.image is None:
            width, height = self.size
            return np.full((height, width, 3), 72, np.uint8)
        image = frame.image
        return np.ascontiguousarray(np.rot90(image, -self._turns))

    def _turn_heatmap(self, heat: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.ascontiguousarray(np.rot90(heat, -self._turns))

    def _points(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turns points x, y, float64 [n, 2], with the image."""
        x, y = points[:, 0], points[:, 1]
        right, low = self._width - 1, self._height - 1
        turned = ((x, y), (low - y, x), (right - x, low - y), (y, right - x))[self._turns]
        return np.stack(turned, axis=1)

    def _box(self, box: Box) -> Box:
        x_min, y_min, x_max, y_max = box.corners
        corners = self._points(np.array([[x_min, y_min], [x_max, y_max]], np.float64))
        low, high = corners.min(0).astype(int), corners.max(0).astype(int)
        return Box.from_corners(int(low[0]), int(low[1]), int(high[0]), int(high[1]))

    def _draw_path(self, picture: Rgb, trajectory: Trajectory, frame: int) -> Rgb:
        now = self._seconds[frame]
        seconds = self._seconds[trajectory.frames]
        recent = (trajectory.frames <= frame) & (seconds >= now - _PATH_S)
        ages = (now - seconds[recent]) / _PATH_S
        centres = self._points(_centres(trajectory.boxes[recent]))
        colour = target_colour(trajectory.number)
        return draw_path(picture, centres, ages, colour, self._thickness)

    def _burn(self, picture: Rgb, frame: Frame, results: FrameResults) -> Rgb:
        about = f"score {results.score:.2f}" + ("" if results.analysed else " interpolated")
        if frame.damaged:
            about += ", damaged" if frame.image is not None else ", cannot be decoded"
        lines = [format_time(results.seconds), f"frame {frame.index}", about]
        return burn_text(picture, [*lines, *self._overlay_settings])


def _spans(trajectory: Trajectory, frame: int) -> bool:
    return bool(trajectory.frames[0] <= frame <= trajectory.frames[-1])


def _interpolate(trajectory: Trajectory, frame: int) -> tuple[Box, float]:
    """Returns box and score at a frame of a trajectory, interpolated where it has no region."""
    frames = trajectory.frames
    sides = [float(np.interp(frame, frames, values)) for values in trajectory.boxes.T]
    score = float(np.interp(frame, frames, trajectory.scores))
    x, y, w, h = (round(side) for side in sides)
    return Box(x, y, w, h), score


def _centres(boxes: NDArray[np.int32]) -> NDArray[np.float64]:
    """Returns the middles x, y, float64 [n, 2], of boxes x, y, w, h, int32 [n, 4]."""
    x, y, w, h = boxes.astype(np.float64).T
    return np.stack([x + (w - 1) / 2, y + (h - 1) / 2], axis=1)
