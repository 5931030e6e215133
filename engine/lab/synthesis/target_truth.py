"""What is known about each target of a rendered video, gathered from its ids."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box, cell_name, direction_name
from engine.lab.synthesis.actors import Actor
from engine.lab.synthesis.scene.figures import Bytes

MIN_VISIBLE_PIXELS = 12
"""An actor is visible in a frame when at least this many pixels show it."""


@dataclass(frozen=True)
class RenderedTarget:
    """The truth about one actor.

    Attributes:
        object_id: its value in the id pictures.
        kind: what it is, in a word.
        abnormal: whether it counts as abnormal in any frame in which it is in view.
        action: what it does, in words.
        appearance: what it looks like in words, by part.
        from_cell: name of the 3x3 cell that holds the centre of its box (of its visible pixels)
            in the first frame in which it is visible.
        to_cell: likewise in the last such frame.
        direction: on screen, from the first box centre to the last.
        speed_m_s: metres per second over the ground.
        first_frame: the first frame in which it is visible, 0-based.
        last_frame: the last one, inclusive.
        class_name: its action class; of an abnormal target that of its abnormal stretch.
        abnormal_spans: first and last frame, both inclusive, of each stretch in which it is in
            view and abnormal.
        class_spans: action class with first and last frame, one after another over the time in
            which it is in view.
    """

    object_id: int
    kind: str
    abnormal: bool
    action: str
    appearance: dict[str, str]
    from_cell: str
    to_cell: str
    direction: str
    speed_m_s: float
    first_frame: int
    last_frame: int
    class_name: str
    abnormal_spans: tuple[tuple[int, int], ...]
    class_spans: tuple[tuple[str, int, int], ...]

    def as_json(self) -> dict[str, object]:
        """Returns the truth with the names of the JSON files (`from`, `to`, `class`, `motion`)."""
        fields = asdict(self)
        fields["class"] = fields.pop("class_name")
        fields["from"] = fields.pop("from_cell")
        fields["to"] = fields.pop("to_cell")
        fields["motion"] = {
            "direction": fields.pop("direction"),
            "speed_m_s": fields.pop("speed_m_s"),
        }
        return fields


class TruthRecorder:
    """Looks at the ids of every frame in turn and sums up each actor's visible stretch.

    Args:
        actors: whose ids they are.
        fps: frames a second.
    """

    def __init__(self, actors: tuple[Actor, ...], fps: int) -> None:
        self._actors, self._fps = actors, fps
        self._first: dict[int, tuple[int, Box]] = {}
        self._last: dict[int, tuple[int, Box]] = {}
        self._size = (0, 0)

    def add(self, frame: int, ids: Bytes) -> None:
        """Adds a frame's ids, uint8 [h, w]; frames come in order."""
        self._size = (ids.shape[1], ids.shape[0])
        counts = np.bincount(ids.ravel(), minlength=256)
        for actor in self._actors:
            if counts[actor.number] < MIN_VISIBLE_PIXELS:
                continue
            box = _box(np.asarray(ids == actor.number, dtype=np.uint8))
            self._first.setdefault(actor.number, (frame, box))
            self._last[actor.number] = (frame, box)

    def targets(self) -> list[RenderedTarget]:
        """Returns the truth about every actor that was ever visible, by object id."""
        return [self._target(a) for a in self._actors if a.number in self._first]

    def _target(self, actor: Actor) -> RenderedTarget:
        first, start = self._first[actor.number]
        last, end = self._last[actor.number]
        times = [(frame, frame / self._fps) for frame in range(first, last + 1)]
        doing = _stretches([(frame, actor.doing(at)) for frame, at in times])
        odd = _stretches([(frame, "x" if actor.abnormal_at(at) else "") for frame, at in times])
        dx, dy = end.centre[0] - start.centre[0], end.centre[1] - start.centre[1]
        return RenderedTarget(
            object_id=actor.number,
            kind=actor.kind,
            abnormal=any(name for name, _, _ in odd),
            action=actor.action,
            appearance=actor.words(),
            from_cell=cell_name(*start.centre, *self._size),
            to_cell=cell_name(*end.centre, *self._size),
            direction=direction_name(dx, dy),
            speed_m_s=round(actor.speed, 2),
            first_frame=first,
            last_frame=last,
            class_name=actor.class_name,
            abnormal_spans=tuple((begin, until) for name, begin, until in odd if name),
            class_spans=tuple(doing),
        )


def _stretches(named: list[tuple[int, str]]) -> list[tuple[str, int, int]]:
    """Joins frames in order that carry the same name: name, first and last frame."""
    joined: list[tuple[str, int, int]] = []
    for frame, name in named:
        if joined and joined[-1][0] == name:
            joined[-1] = (name, joined[-1][1], frame)
        else:
            joined.append((name, frame, frame))
    return joined


def _box(mask: NDArray[np.uint8]) -> Box:
    x, y, width, height = cv2.boundingRect(mask)
    return Box(int(x), int(y), int(width), int(height))
