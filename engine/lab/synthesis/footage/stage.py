"""Room for actors: where they may be, and whether they meet anyone on their way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.lab.synthesis.footage.settings import PERSON_M, Setting, aside
from engine.lab.synthesis.footage.wardrobes import as_seen, dress, shade, tone_name
from engine.lab.synthesis.people.clothing import Look
from engine.lab.synthesis.people.performers import Performer
from engine.lab.synthesis.people.routes import GroundPoint, Route
from engine.lab.synthesis.render_video import VideoSpec
from engine.lab.synthesis.scene.figures import Colour
from engine.lab.synthesis.scene.sensor import MIXES

_STEP_S = 0.25  # seconds between the positions at which distances are looked at: 0.3 m on foot
_HALF_ROUTE_M = 60.0  # metres of a route before and after its spot: beyond any view


@dataclass
class Stage:
    """The actors drawn so far, and what the next one needs to know.

    Attributes:
        rng: draws everything.
        setting: where.
        split: whose wardrobes are used.
        seconds: duration of the video.
        stream: heading that all walkers share, or None.
        actors: those drawn so far.
    """

    rng: np.random.Generator
    setting: Setting
    split: str
    seconds: float
    stream: float | None = None
    actors: list[Performer] = field(default_factory=list)
    _paths: list[tuple[NDArray[np.float64], float]] = field(default_factory=list)

    @property
    def number(self) -> int:
        """The next free object id."""
        return len(self.actors) + 1

    def look(self, riding: bool = False, child: bool = False) -> Look:
        """Draws clothes, with the colour names that the camera shows."""
        look = dress(self.rng, self.split, riding, child)
        mix = MIXES.get(self.setting.sensor.look)
        return as_seen(look, mix) if mix else look

    def paint(self, *names: str) -> tuple[Colour, str]:
        """Draws a colour among names; returns its RGB and the name that the camera shows."""
        name = str(self.rng.choice(names))
        colour = shade(self.rng, self.split, name)
        mix = MIXES.get(self.setting.sensor.look)
        return colour, tone_name(colour, mix) if mix else name

    def spot(self, margin: float = 0.08, on_way: bool | None = None) -> GroundPoint:
        """Draws a place on the ground well inside the view.

        Args:
            margin: share of the view kept free on every side.
            on_way: whether it must lie on the way (True) or beside it (False).
        """
        scene, rng = self.setting.scene, self.rng
        camera = scene.camera
        best: GroundPoint = scene.way
        for _ in range(60):
            pixel = (
                rng.uniform(margin, 1 - margin) * camera.width,
                rng.uniform(margin + 0.05, 1 - margin / 2) * camera.height,
            )
            x, y = (float(v) for v in camera.ground(np.array(pixel)))
            if not 0 < y < scene.wall - 0.8 or not self._head_in_view((x, y)):
                continue
            best = (x, y)
            near = abs(aside(scene, best)) < scene.way_width / 2
            if on_way is None or near == on_way:
                return best
        return best

    def heading(self, free: float = 0.3) -> float:
        """Draws a heading: along the way, or any with a share of `free`."""
        if self.stream is not None:
            return self.stream + float(self.rng.normal(0, 0.13))
        scene = self.setting.scene
        if self.rng.random() < (free if scene.layout not in ("hall", "plaza") else 2 * free):
            return float(self.rng.uniform(0, 2 * math.pi))
        back = math.pi * float(self.rng.integers(2))
        return scene.way_turn + back + float(self.rng.normal(0, 0.12))

    def through(self, spot: GroundPoint, heading: float, bend: float = 0.0) -> Route:
        """Returns a long route whose middle, `middle` metres after its start, is the spot."""
        dx, dy = math.cos(heading) * _HALF_ROUTE_M, math.sin(heading) * _HALF_ROUTE_M
        return Route((spot[0] - dx, spot[1] - dy), (spot[0] + dx, spot[1] + dy), bend)

    @property
    def middle(self) -> float:
        """Metres from the start of a route of `through` to its spot."""
        return _HALF_ROUTE_M

    def admit(self, actors: Sequence[Performer], gap: float) -> bool:
        """Takes actors in when they keep their distance from walls, props and all others.

        Args:
            actors: who belongs together; they may touch each other.
            gap: metres kept from anyone else's place.
        """
        paths = [self._path(actor) for actor in actors]
        if not all(self._free(path, gap) for path in paths):
            return False
        self.actors += actors
        self._paths += [(path, gap) for path in paths]
        return True

    def _path(self, actor: Performer) -> NDArray[np.float64]:
        times = np.arange(0.0, self.seconds + _STEP_S, _STEP_S)
        nowhere = (math.nan, math.nan)
        return np.array([actor.position(t) if t >= actor.appears_s else nowhere for t in times])

    def _free(self, path: NDArray[np.float64], gap: float) -> bool:
        scene = self.setting.scene
        if bool((path[:, 1] > scene.wall - 0.45).any()):
            return False
        for prop in scene.props:
            if bool((np.hypot(*(path - np.array(prop.position)).T) < 0.35 + 0.3 * gap).any()):
                return False
        for other, others in self._paths:
            n = min(len(path), len(other))
            apart = np.hypot(*(path[:n] - other[:n]).T)
            if bool((apart < max(gap, others)).any()):
                return False
        return True

    def video(self) -> VideoSpec:
        """Returns the video that its actors, where it is and how it is filmed make."""
        setting = self.setting
        return VideoSpec(
            scene=setting.scene,
            fps=setting.fps,
            seconds=self.seconds,
            actors=tuple(self.actors),
            noise=setting.noise,
            blur=setting.blur,
            grey=setting.sensor.colourless,
            sensor=setting.sensor,
        )

    def shows(self, actor: Performer) -> bool:
        """Whether an abnormal actor is in view while it is abnormal."""
        camera = self.setting.scene.camera
        for seconds in np.arange(0.0, self.seconds, _STEP_S):
            if seconds < actor.appears_s or not actor.abnormal_at(seconds):
                continue
            pixel, depth = camera.project(np.array([*actor.position(seconds), 0.3 * PERSON_M]))
            x, y = float(pixel[0]), float(pixel[1])
            if depth > 1 and 0 < x < camera.width and 0 < y < camera.height:
                return True
        return False

    def _head_in_view(self, position: GroundPoint) -> bool:
        head = self.setting.scene.camera.project(np.array([*position, 0.6 * PERSON_M]))[0]
        return float(head[1]) > 0
