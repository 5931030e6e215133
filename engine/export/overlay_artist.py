"""Draws what a run found over the frames it found it in, upright as a player shows them."""

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
from engine.render.palette import OTHERS, target_colour
from engine.render.raster import Rgb

_PATH_SECONDS = 6.0
OPACITY = 0.5
"""Of the hottest place: what is under it must stay recognisable."""
COLOUR_MAP = "inferno"
"""Of the heat in every picture that leaves a case."""


@dataclass(frozen=True, eq=False)
class Findings:
    """What a run found in one frame.

    Attributes:
        seconds: stream time of the frame.
        heat: float32 [R, C], 0..1.
        score: 0..1.
        analysed: False when heat and score are interpolated between analysed frames.
        regions: of that frame.
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
            size: decoded width and height.
            rotation: degrees clockwise by which frames are turned for display.
            seconds: float64 [n], stream time of every frame.
            trajectories: of the run.
        """
        self._width, self._height = size
        self._turns = rotation // 90 % 4
        self._seconds = seconds
        self._trajectories = trajectories

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of what is drawn, in pixels."""
        turned = self._turns % 2 == 1
        return (self._height, self._width) if turned else (self._width, self._height)

    def draw(self, frame: Frame, found: Findings) -> Rgb:
        """Draws over one frame.

        Args:
            frame: in decoded size; without an image it becomes a grey one that says so.
            found: what the run found in it.

        Returns:
            uint8 [H, W, 3] of `size`.
        """
        picture = self._picture(frame)
        picture = overlay_heatmap(picture, self._turned(found.heat), OPACITY, COLOUR_MAP)
        shown = [one for one in self._trajectories if _spans(one, frame.index)]
        alone = [region for region in found.regions if region.trajectory is None]
        picture = draw_boxes(picture, [self._box(one.box) for one in alone], OTHERS, thickness=1)
        for one in shown:
            picture = self._draw_path(picture, one, frame.index)
        for one in shown:
            box, score = _state(one, frame.index)
            label = f"{one.number}: {score:.2f}"
            colour = target_colour(one.number)
            picture = draw_boxes(picture, [self._box(box)], colour, [label], self._thickness)
        picture = draw_legend(picture, COLOUR_MAP)
        return self._burn(picture, frame, found)

    def draw_compared(self, frame: Frame, found: Findings) -> Rgb:
        """Draws a frame as `draw` does, and the frame as it is to the left of it.

        Returns:
            uint8 [H, 2 W, 3] of `size`.
        """
        return np.concatenate([self._picture(frame), self.draw(frame, found)], axis=1)

    def draw_whole(
        self,
        frame: Frame,
        heat: NDArray[np.float32],
        trajectories: Sequence[Trajectory],
        lines: Sequence[str],
    ) -> Rgb:
        """Draws a whole event over one of its frames: all its heat and the whole of every path.

        Args:
            frame: in decoded size.
            heat: float32 [R, C], 0..1, the greatest of the event at each cell.
            trajectories: of the event.
            lines: written into the picture.

        Returns:
            uint8 [H, W, 3] of `size`.
        """
        plain = self._picture(frame)
        picture = overlay_heatmap(plain, self._turned(heat), OPACITY, COLOUR_MAP)
        for one in trajectories:
            x, y, w, h = one.boxes.astype(np.float64).T
            centres = self._points(np.stack([x + (w - 1) / 2, y + (h - 1) / 2], axis=1))
            ages = np.linspace(0.6, 0.0, len(centres))
            colour = target_colour(one.number)
            picture = draw_path(picture, centres, ages, colour, self._thickness + 1)
        return burn_text(draw_legend(picture, COLOUR_MAP), [*lines, *self._view])

    @property
    def _view(self) -> list[str]:
        """Names the settings with which pictures are shown, in pieces that a narrow one holds."""
        said = [f"heat {COLOUR_MAP}", f"at most {OPACITY:.0%} opaque"]
        return [*said, f"turned by {90 * self._turns} degrees"] if self._turns else said

    @property
    def _thickness(self) -> int:
        return max(1, round(min(self._width, self._height) / 360))

    def _picture(self, frame: Frame) -> Rgb:
        if frame.image is None:
            width, height = self.size
            return np.full((height, width, 3), 72, np.uint8)
        image = frame.image
        return np.ascontiguousarray(np.rot90(image, -self._turns))

    def _turned(self, heat: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.ascontiguousarray(np.rot90(heat, -self._turns))

    def _points(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turns points x, y float64 [n, 2] with the picture."""
        x, y = points[:, 0], points[:, 1]
        right, low = self._width - 1, self._height - 1
        turned = ((x, y), (low - y, x), (right - x, low - y), (y, right - x))[self._turns]
        return np.stack(turned, axis=1)

    def _box(self, box: Box) -> Box:
        x_min, y_min, x_max, y_max = box.corners
        corners = self._points(np.array([[x_min, y_min], [x_max, y_max]], np.float64))
        low, high = corners.min(0).astype(int), corners.max(0).astype(int)
        return Box.from_corners(int(low[0]), int(low[1]), int(high[0]), int(high[1]))

    def _draw_path(self, picture: Rgb, one: Trajectory, frame: int) -> Rgb:
        now = self._seconds[frame]
        seconds = self._seconds[one.frames]
        recent = (one.frames <= frame) & (seconds >= now - _PATH_SECONDS)
        x, y, w, h = one.boxes[recent].astype(np.float64).T
        centres = np.stack([x + (w - 1) / 2, y + (h - 1) / 2], axis=1)
        ages = (now - seconds[recent]) / _PATH_SECONDS
        return draw_path(
            picture, self._points(centres), ages, target_colour(one.number), self._thickness
        )

    def _burn(self, picture: Rgb, frame: Frame, found: Findings) -> Rgb:
        about = f"score {found.score:.2f}" + ("" if found.analysed else " interpolated")
        if frame.damaged:
            about += ", damaged" if frame.image is not None else ", cannot be decoded"
        lines = [format_time(found.seconds), f"frame {frame.index}", about, *self._view]
        return burn_text(picture, lines)


def _spans(one: Trajectory, frame: int) -> bool:
    return bool(one.frames[0] <= frame <= one.frames[-1])


def _state(one: Trajectory, frame: int) -> tuple[Box, float]:
    """Returns box and score at a frame inside a trajectory, interpolated where it skips."""
    corners = [float(np.interp(frame, one.frames, one.boxes[:, side])) for side in range(4)]
    score = float(np.interp(frame, one.frames, one.scores))
    x, y, w, h = (round(side) for side in corners)
    return Box(x, y, w, h), score
