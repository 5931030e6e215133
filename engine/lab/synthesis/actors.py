"""Who moves, where and how; and the figure an actor makes at a given time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from engine.lab.synthesis.people.clothing import Look
from engine.lab.synthesis.people.cyclist import cyclist_figure
from engine.lab.synthesis.people.routes import Route
from engine.lab.synthesis.people.walker import walker_figure
from engine.lab.synthesis.scene.figures import Figure

_FIGURES: dict[str, Callable[[tuple[float, float], float, float, float, float, Look], Figure]] = {
    "walker": walker_figure,
    "cyclist": cyclist_figure,
}


class Actor(Protocol):
    """Whatever has an object id in a video."""

    @property
    def number(self) -> int:
        """Object id in the truth, 1..255."""

    @property
    def kind(self) -> str:
        """What it is, in a word."""

    @property
    def class_name(self) -> str:
        """Its action class, one of `phrases.CLASSES`."""

    @property
    def abnormal(self) -> bool:
        """Whether the truth counts it as abnormal at any time."""

    @property
    def action(self) -> str:
        """What it does, in words."""

    @property
    def speed(self) -> float:
        """Metres per second while it does so."""

    def words(self) -> dict[str, str]:
        """Returns what it looks like in words, by part."""

    def doing(self, seconds: float) -> str:
        """Returns its action class at a time."""

    def abnormal_at(self, seconds: float) -> bool:
        """Whether the truth counts it as abnormal at a time."""

    def figure(self, seconds: float) -> Figure | None:
        """Returns its figure at a time; None before it is there."""


@dataclass(frozen=True)
class ActorSpec:
    """One actor of a video.

    Attributes:
        number: object id in the truth, 1..255.
        kind: `walker` or `cyclist`.
        abnormal: whether the truth counts it as abnormal.
        action: what it does, in one word (`walking`, `cycling`).
        route: where it goes.
        speed: metres per second.
        start_s: time at which it is at the route's start; it moves before and after as well.
        phase: of its gait at the route's start, in radians.
        look: what it wears.
    """

    number: int
    kind: str
    abnormal: bool
    action: str
    route: Route
    speed: float
    start_s: float
    phase: float
    look: Look

    @property
    def class_name(self) -> str:
        """Its action class: that of its one action."""
        return self.action

    def words(self) -> dict[str, str]:
        """Returns what it wears in words."""
        return self.look.words()

    def doing(self, _seconds: float) -> str:
        """Returns its action class, which never changes."""
        return self.action

    def abnormal_at(self, _seconds: float) -> bool:
        """Whether it is abnormal, which never changes."""
        return self.abnormal

    def travelled(self, seconds: float) -> float:
        """Returns metres along the route at a time; negative before its start."""
        return (seconds - self.start_s) * self.speed

    def place(self, seconds: float) -> tuple[float, float]:
        """Returns where it stands on the ground, in metres."""
        return self.route.at(self.travelled(seconds))[0]

    def figure(self, seconds: float) -> Figure:
        """Returns its figure at a time."""
        distance = self.travelled(seconds)
        place, heading = self.route.at(distance)
        make = _FIGURES[self.kind]
        return make(place, heading, distance, self.speed, self.phase, self.look)
