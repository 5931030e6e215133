"""What the renderer asks of whoever moves: its place in the truth, and its figure at a time."""

from __future__ import annotations

from typing import Protocol

from engine.lab.synthesis.scene.figures import Figure


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
