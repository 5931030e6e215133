"""Actors that do one thing after another: a script of acts, and the figure at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from engine.lab.synthesis.people import carried_objects as carried_objects
from engine.lab.synthesis.people import gaits, postures
from engine.lab.synthesis.people.body import Pose, body_joints, body_parts
from engine.lab.synthesis.people.clothing import Look
from engine.lab.synthesis.people.cyclist import cyclist_figure
from engine.lab.synthesis.people.routes import GroundPoint, Route
from engine.lab.synthesis.people.vehicles import vehicle
from engine.lab.synthesis.people.walker import LEFT, RIGHT, to_world
from engine.lab.synthesis.scene.camera import Floats
from engine.lab.synthesis.scene.figures import Colour, Figure

STILL = ("standing", "lying", "fighting", "sitting", "parked", "left", "crouching", "fallen")
"""Manners that keep to one place."""


@dataclass(frozen=True)
class Act:
    """A stretch of time in which an actor does one thing.

    Attributes:
        manner: `walking`, `running`, `riding`, `boarding`, `skating`, `driving`, `falling`, or one
            of `STILL`.
        start_s: when it begins; it lasts until the next act begins.
        route: along which it moves; of a still one, the heading is that of the route's start.
        begin: metres along the route at `start_s`.
        speed: metres per second; 0 when still.
        turn: radians by which it turns to the left within the first `turn_s` seconds.
        turn_s: see `turn`.
        detail: kind of fall or of vehicle.
        lasts_s: how long a fall takes, or a bend.
        intensity: of a fight, 0..1.
    """

    manner: str
    start_s: float
    route: Route
    begin: float = 0.0
    speed: float = 0.0
    turn: float = 0.0
    turn_s: float = 0.8
    detail: str = ""
    lasts_s: float = 0.8
    intensity: float = 0.5

    def at(self, seconds: float) -> tuple[GroundPoint, float, float]:
        """Returns place, heading and metres along the route at a time."""
        since = seconds - self.start_s
        distance = self.begin + since * self.speed
        position, heading = self.route.at(distance)
        if self.turn:
            heading += self.turn * min(1.0, max(0.0, since / self.turn_s))
        if self.manner == "fighting":
            position = _lunge(position, heading, seconds, 7 * position[0] + 3 * position[1])
        return position, heading, distance


@dataclass(frozen=True)
class Performer:
    """One actor of rendered footage.

    Attributes:
        number: object id in the truth, 1..255.
        kind: `person`, `cyclist`, `skater`, `vehicle` or `object`.
        class_name: action class of its abnormal stretch, otherwise of its usual one.
        action: what it does, in words.
        look: clothes and build; of a vehicle, of its driver.
        acts: in order of time; the first goes back for ever.
        phase: of everything that repeats, in radians.
        abnormal_s: spans in seconds in which it is abnormal.
        carried: what it has with it: "", or a key of `_ADDERS`, or of `carried_objects.BAGS` for
            an object.
        carried_colour: its colour.
        carried_words: what to call it.
        classes: action classes by the time at which they begin; `class_name` when empty.
        appears_s: when it comes into being.
        habit: `phoning`, `reading` or "".
    """

    number: int
    kind: str
    class_name: str
    action: str
    look: Look
    acts: tuple[Act, ...]
    phase: float = 0.0
    abnormal_s: tuple[tuple[float, float], ...] = ()
    carried: str = ""
    carried_colour: Colour = (90, 90, 90)
    carried_words: str = ""
    classes: tuple[tuple[float, str], ...] = ()
    appears_s: float = -math.inf
    habit: str = ""

    @property
    def abnormal(self) -> bool:
        """Whether it is abnormal at any time."""
        return bool(self.abnormal_s)

    @property
    def speed(self) -> float:
        """Metres per second while abnormal, otherwise of its first act."""
        at = max(self.abnormal_s[0][0], 0.0) if self.abnormal_s else 0.0
        return self.act(at + 1e-6).speed

    def words(self) -> dict[str, str]:
        """Returns what it looks like in words, by part."""
        if self.kind in ("vehicle", "object"):
            return {self.kind: self.carried_words}
        worn = self.look.words()
        return worn | {"with": self.carried_words} if self.carried_words else worn

    def doing(self, seconds: float) -> str:
        """Returns its action class at a time."""
        name = self.class_name
        for start, later in self.classes:
            if seconds >= start:
                name = later
        return name

    def abnormal_at(self, seconds: float) -> bool:
        """Whether it is abnormal at a time."""
        return any(start <= seconds <= end for start, end in self.abnormal_s)

    def act(self, seconds: float) -> Act:
        """Returns what it does at a time."""
        current = self.acts[0]
        for act in self.acts[1:]:
            if seconds >= act.start_s:
                current = act
        return current

    def position(self, seconds: float) -> GroundPoint:
        """Returns where it is on the ground, in metres."""
        return self.act(seconds).at(seconds)[0]

    def figure(self, seconds: float) -> Figure | None:
        """Returns its figure at a time; None before it appears."""
        if seconds < self.appears_s:
            return None
        act = self.act(seconds)
        position, heading, distance = act.at(seconds)
        if act.manner == "riding":
            # A cyclist of this project leans with speed; the phase turns the pedals.
            return cyclist_figure(position, heading, distance, act.speed, self.phase, self.look)
        if self.kind == "vehicle":
            assembly = vehicle(act.detail, self.carried_colour, self.look, distance, seconds)
            return replace(_figure(assembly, position, heading), smooth=True)
        if self.kind == "object":
            assembly = carried_objects.Assembly()
            carried_objects.add_bag(assembly, self.carried, (0.0, 0.0, 0.0), self.carried_colour)
            return _figure(assembly, position, heading)
        pose = self._pose(act, seconds, distance)
        return self._person(act, pose, position, heading, distance, seconds)

    def _person(
        self,
        act: Act,
        pose: Pose,
        position: GroundPoint,
        heading: float,
        distance: float,
        seconds: float,
    ) -> Figure:
        joints = body_joints(pose, self.look)
        if act.manner in ("falling", "fallen", "lying"):
            joints[:, :2] += _fall_offset(pose, self.look)
        assembly = carried_objects.Assembly()
        if self.carried == "board":
            joints[:, 2] += 0.12
            joints[:] = joints @ np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]).T
        if self.carried == "skates":
            joints[:, 2] += 0.08
        assembly.add(joints, body_parts(self.look))
        if self.carried:
            _ADDERS[self.carried](self, assembly, joints, distance, seconds)
        return _figure(assembly, position, heading)

    def _pose(self, act: Act, seconds: float, distance: float) -> Pose:
        pose = self._bare_pose(act, seconds, distance)
        if act.manner not in ("walking", "standing"):
            return pose
        if self.habit:
            pose = gaits.phoning(pose) if self.habit == "phoning" else gaits.reading(pose)
        if self.carried in _HOLDING_POSES and seconds < self._put_down_s():
            pose = _HOLDING_POSES[self.carried](pose)
        return pose

    def _put_down_s(self) -> float:
        """Returns when it puts down what it carries."""
        return next((a.start_s for a in self.acts if a.manner == "crouching"), math.inf)

    def _bare_pose(self, act: Act, seconds: float, distance: float) -> Pose:
        since, look = seconds - act.start_s, self.look
        if act.manner == "walking":
            step = gaits.step_length(act.speed, look.height)
            return gaits.walking(self.phase + math.pi * distance / step, act.speed)
        if act.manner == "running":
            step = gaits.step_length(act.speed, look.height, running=True)
            return gaits.running(self.phase + math.pi * distance / step, act.speed)
        if act.manner == "boarding":
            return gaits.skateboarding(seconds, self.phase, act.speed)
        if act.manner == "skating":
            return gaits.skating(self.phase + math.pi * seconds / 0.75, act.speed)
        if act.manner == "sitting":
            return gaits.sitting(seconds, self.phase)
        if act.manner == "fighting":
            return postures.fighting(seconds, self.phase, act.intensity)
        if act.manner == "lying":
            return postures.lying(act.detail, seconds, self.phase)
        if act.manner in ("falling", "fallen"):
            share = 1.0 if act.manner == "fallen" else min(1.0, since / act.lasts_s)
            before = self._pose_before(act)
            return postures.falling(act.detail, share, before, seconds, self.phase)
        still = gaits.standing(seconds, self.phase)
        if act.manner == "crouching":
            bent = math.sin(math.pi * min(1.0, max(0.0, since / act.lasts_s))) ** 0.7
            return still.blend(postures.crouching(), bent)
        return still

    def _pose_before(self, act: Act) -> Pose:
        index = self.acts.index(act)
        if index == 0:
            return gaits.standing(act.start_s, self.phase)
        earlier = self.acts[index - 1]
        return self._pose(earlier, act.start_s, earlier.at(act.start_s)[2])


def _figure(assembly: carried_objects.Assembly, position: GroundPoint, heading: float) -> Figure:
    joints, parts = assembly.whole()
    return Figure(to_world(joints, position, heading), parts, position)


def _lunge(position: GroundPoint, heading: float, seconds: float, phase: float) -> GroundPoint:
    """A fighter moves in and out and to the side."""
    ahead = 0.13 * math.sin(3.3 * seconds + phase) + 0.07 * math.sin(7.1 * seconds + 2 * phase)
    aside = 0.12 * math.sin(1.9 * seconds + 1.7 * phase)
    return (
        position[0] + ahead * math.cos(heading) - aside * math.sin(heading),
        position[1] + ahead * math.sin(heading) + aside * math.cos(heading),
    )


def _fall_offset(pose: Pose, look: Look) -> tuple[float, float]:
    """Returns how far a fall about the feet carries the pelvis: forward and left, metres."""
    reach = 0.5 * look.height
    return reach * math.sin(pose.tip), reach * math.sin(pose.side)


def _hand(joints: Floats, side: int) -> tuple[float, float, float]:
    x, y, z = joints[side + 6]
    return float(x), float(y), float(z)


def _add_trolley(
    p: Performer, assembly: carried_objects.Assembly, j: Floats, d: float, _s: float
) -> None:
    carried_objects.add_trolley(assembly, p.carried_colour, d)


def _add_pushchair(
    p: Performer, assembly: carried_objects.Assembly, j: Floats, d: float, _s: float
) -> None:
    carried_objects.add_pushchair(assembly, p.carried_colour, d)


def _add_suitcase(
    p: Performer, assembly: carried_objects.Assembly, j: Floats, d: float, _s: float
) -> None:
    carried_objects.add_suitcase(assembly, _hand(j, RIGHT), p.carried_colour, d)


def _add_umbrella(
    p: Performer, assembly: carried_objects.Assembly, j: Floats, d: float, _s: float
) -> None:
    carried_objects.add_umbrella(assembly, _hand(j, RIGHT), p.look.height, p.carried_colour)


def _add_bicycle(
    p: Performer, assembly: carried_objects.Assembly, j: Floats, d: float, _s: float
) -> None:
    carried_objects.add_bicycle(assembly, p.carried_colour, d, 0.42)


def _add_dog(
    p: Performer, assembly: carried_objects.Assembly, j: Floats, d: float, s: float
) -> None:
    size = 0.75 + 0.5 * (math.sin(p.phase) ** 2)
    carried_objects.add_dog(assembly, _hand(j, RIGHT), 5 * d / size, p.carried_colour, size)


def _add_board(
    p: Performer, assembly: carried_objects.Assembly, j: Floats, d: float, _s: float
) -> None:
    board = carried_objects.Assembly()
    carried_objects.add_board(board, p.carried_colour, d)
    joints, parts = board.whole()
    feet = (j[LEFT + 2] + j[RIGHT + 2]) / 2
    turned = joints @ np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]).T
    assembly.add(turned + np.array([feet[0], feet[1], 0.0]), parts)


def _add_skates(
    p: Performer, assembly: carried_objects.Assembly, j: Floats, d: float, _s: float
) -> None:
    for side in (LEFT, RIGHT):
        ankle, toe = j[side + 2], j[side + 3]
        assembly.hull(
            np.stack([ankle, toe, ankle + np.array([0.0, 0.0, 0.08])]),
            0.05,
            p.carried_colour,
            lift=0.03,
        )
        low = np.stack([ankle, toe]) + np.array([[-0.03, 0.0, -0.1], [0.02, 0.0, -0.05]])
        assembly.hull(low, 0.035, (60, 60, 64))


def _add_carried(
    p: Performer, assembly: carried_objects.Assembly, j: Floats, _d: float, s: float
) -> None:
    act = p.act(s)
    if act.manner == "crouching" and s - act.start_s > act.lasts_s / 2:
        return
    if s > p._put_down_s() + act.lasts_s and act.manner != "crouching":
        return
    x, y, z = _hand(j, RIGHT)
    height = carried_objects.BAGS[p.carried][2]
    carried_objects.add_bag(
        assembly, p.carried, (x, y - 0.06, max(0.0, z - height - 0.1)), p.carried_colour
    )


_Adder = Callable[[Performer, carried_objects.Assembly, Floats, float, float], None]
_ADDERS: dict[str, _Adder] = {
    "trolley": _add_trolley,
    "pushchair": _add_pushchair,
    "wheeled suitcase": _add_suitcase,
    "umbrella": _add_umbrella,
    "pushed bicycle": _add_bicycle,
    "dog": _add_dog,
    "board": _add_board,
    "skates": _add_skates,
    "bag": _add_carried,
    "suitcase": _add_carried,
    "backpack": _add_carried,
    "box": _add_carried,
}
_HOLDING_POSES: dict[str, Callable[[Pose], Pose]] = {
    "trolley": gaits.pushing,
    "pushchair": gaits.pushing,
    "wheeled suitcase": gaits.pulling,
    "umbrella": gaits.holding_up,
    "pushed bicycle": lambda pose: replace(
        pose, arm_l=0.75, out_l=0.25, elbow_l=0.35, arm_r=0.3, elbow_r=0.5, twist=0.1
    ),
    "bag": gaits.carrying,
    "suitcase": gaits.carrying,
    "backpack": gaits.carrying,
    "box": gaits.carrying,
}
