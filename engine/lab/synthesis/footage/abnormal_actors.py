"""Draws what goes wrong: one function an action class."""

from __future__ import annotations

import math
from collections.abc import Callable

from engine.lab.synthesis.footage.normal_actors import TRIES, facing, walking_speed
from engine.lab.synthesis.footage.stage import Stage
from engine.lab.synthesis.people.performers import Act, Performer
from engine.lab.synthesis.people.postures import FALLS
from engine.lab.synthesis.people.routes import Route
from engine.lab.synthesis.phrases import ACTIONS

_EVER = math.inf


def add_abnormal(stage: Stage, class_name: str, when: float) -> bool:
    """Adds an abnormal target, or two who fight, or a bag with who leaves it.

    Args:
        stage: where, among whom.
        class_name: one of `phrases.ABNORMAL`.
        when: time in seconds around which it is in view and abnormal.

    Returns:
        Whether there was room.
    """
    gaps = {"driving": 2.1, "fighting": 1.2, "cycling": 0.9, "lying": 1.0}
    for attempt in range(2 * TRIES):
        actors = _DRAWN[class_name](stage, when)
        gap = gaps.get(class_name, 0.75) * (1.0 if attempt < TRIES else 0.7)
        if actors and stage.admit(actors, gap):
            return True
    return False


def _phase(stage: Stage) -> float:
    return float(stage.rng.uniform(0, 2 * math.pi))


def _passing(stage: Stage, manner: str, speed: float, when: float, detail: str = "") -> Act:
    """Returns a movement through a spot in view at a time."""
    route = stage.through(stage.spot(0.15), stage.heading(), float(stage.rng.normal(0, 0.6)))
    return Act(manner, 0.0, route, stage.middle - speed * when, speed, detail=detail)


def _running(stage: Stage, when: float) -> list[Performer]:
    rng, speed = stage.rng, float(stage.rng.uniform(2.5, 5.2))
    run = _passing(stage, "running", speed, when)
    acts: tuple[Act, ...] = (run,)
    start = -_EVER
    if rng.random() < 0.4:
        # Walks at first: the walk ends where the run is at that time.
        start, pace = when - float(rng.uniform(0.3, 1.0)), walking_speed(rng)
        begin = run.begin + speed * start
        walk = Act("walking", 0.0, run.route, begin - pace * start, pace)
        acts = (walk, Act("running", start, run.route, begin, speed))
    classes = ((-_EVER, "walking"), (start, "running")) if start > 0 else ()
    return [
        Performer(
            stage.number, "person", "running", ACTIONS["running"], stage.look(), acts,
            _phase(stage), ((start, _EVER),), classes=classes,
        )
    ]  # fmt: skip


def _cycling(stage: Stage, when: float) -> list[Performer]:
    slow = stage.rng.random() < 0.4
    speed = float(stage.rng.uniform(1.3, 2.2) if slow else stage.rng.uniform(2.6, 6.2))
    return [
        Performer(
            stage.number, "cyclist", "cycling", ACTIONS["cycling"], stage.look(riding=True),
            (_passing(stage, "riding", speed, when),), _phase(stage), ((-_EVER, _EVER),),
        )
    ]  # fmt: skip


def _skating(stage: Stage, when: float) -> list[Performer]:
    rng = stage.rng
    board = rng.random() < 0.6
    speed = float(rng.uniform(1.2, 2.0) if rng.random() < 0.4 else rng.uniform(2.0, 4.8))
    colour, name = stage.paint("black", "red", "blue", "brown", "grey", "white", "green")
    return [
        Performer(
            stage.number, "skater", "skating", ACTIONS["skating"], stage.look(),
            (_passing(stage, "boarding" if board else "skating", speed, when),), _phase(stage),
            ((-_EVER, _EVER),), "board" if board else "skates", colour,
            f"{name} {'skateboard' if board else 'skates'}",
        )
    ]  # fmt: skip


def _driving(stage: Stage, when: float) -> list[Performer]:
    rng = stage.rng
    kind = str(rng.choice(("car", "van", "cart", "utility cart"), p=(0.3, 0.15, 0.3, 0.25)))
    speed = float(rng.uniform(1.0, 2.0) if rng.random() < 0.35 else rng.uniform(2.0, 6.0))
    colour, name = stage.paint("white", "white", "grey", "black", "red", "blue", "green", "yellow")
    return [
        Performer(
            stage.number, "vehicle", "driving", ACTIONS["driving"], stage.look(),
            (_passing(stage, "driving", speed, when, kind),), _phase(stage), ((-_EVER, _EVER),),
            carried_colour=colour, carried_words=f"{name} {kind}",
        )
    ]  # fmt: skip


def _falling(stage: Stage, when: float) -> list[Performer]:
    rng, pace = stage.rng, walking_speed(stage.rng)
    start, takes = when - float(rng.uniform(0.2, 0.6)), float(rng.uniform(0.65, 1.2))
    kind = str(rng.choice(FALLS))
    route = stage.through(stage.spot(0.18), stage.heading())
    walk = Act("walking", 0.0, route, stage.middle - pace * start, pace)
    fall = Act("falling", start, route, stage.middle, detail=kind, lasts_s=takes)
    lying = ((-_EVER, "walking"), (start, "falling"), (start + takes + 1.5, "lying"))
    return [
        Performer(
            stage.number, "person", "falling", ACTIONS["falling"], stage.look(), (walk, fall),
            _phase(stage), ((start, _EVER),), classes=lying,
        )
    ]  # fmt: skip


def _lying(stage: Stage, when: float) -> list[Performer]:
    rng = stage.rng
    route = facing(stage.spot(0.15), float(rng.uniform(0, 2 * math.pi)))
    kind = str(rng.choice(("forward", "backward", "left", "right")))
    return [
        Performer(
            stage.number, "person", "lying", ACTIONS["lying"], stage.look(),
            (Act("lying", 0.0, route, detail=kind),), _phase(stage), ((-_EVER, _EVER),),
        )
    ]  # fmt: skip


def _fighting(stage: Stage, when: float) -> list[Performer]:
    rng, heading = stage.rng, stage.heading(0.6)
    start = when - float(rng.uniform(0.5, 1.5)) if rng.random() < 0.5 else -_EVER
    centre, apart = stage.spot(0.18), float(rng.uniform(0.62, 0.85))
    intensity = float(rng.uniform(0.2, 1.0))
    fallen_s = when + float(rng.uniform(1.5, 4.0)) if rng.random() < 0.3 else _EVER
    pair = []
    for index, turned in enumerate((heading, heading + math.pi)):
        position = (
            centre[0] - apart / 2 * math.cos(turned),
            centre[1] - apart / 2 * math.sin(turned),
        )
        pace, route = walking_speed(rng), facing(position, turned)
        acts = [Act("fighting", max(start, 0.0), route, intensity=intensity)]
        if start > -_EVER:
            approach = stage.through(position, turned)
            begin = stage.middle - pace * start
            acts.insert(0, Act("walking", 0.0, approach, begin, pace))
        if index == 0 and fallen_s < _EVER:
            acts.append(Act("falling", fallen_s, route, detail="backward", lasts_s=0.7))
        classes = ((-_EVER, "walking"), (start, "fighting")) if start > 0 else ()
        if index == 0 and fallen_s < _EVER:
            classes = (*classes, (fallen_s + 2.0, "lying"))
        pair.append(
            Performer(
                stage.number + index, "person", "fighting", ACTIONS["fighting"], stage.look(),
                tuple(acts), _phase(stage), ((start, _EVER),), classes=classes,
            )
        )  # fmt: skip
    return pair


def _leaving(stage: Stage, when: float) -> list[Performer]:
    rng, pace = stage.rng, walking_speed(stage.rng)
    start, bend = when - float(rng.uniform(0.3, 1.2)), float(rng.uniform(1.2, 1.8))
    heading, look = stage.heading(), stage.look()
    spot = stage.spot(0.2)
    kind = str(rng.choice(("bag", "suitcase", "backpack", "box")))
    colour, name = stage.paint("black", "black", "brown", "red", "blue", "grey", "green")
    away = heading + float(rng.choice((0.0, rng.uniform(-2.6, 2.6))))
    route = stage.through(spot, heading)
    off = Route(spot, stage.through(spot, away).end, 0.0)
    still, leaves = start + bend, start + bend + float(rng.uniform(0.3, 1.0))
    acts = (
        Act("walking", 0.0, route, stage.middle - pace * start, pace),
        Act("crouching", start, facing(spot, heading), lasts_s=bend),
        Act("standing", still, facing(spot, heading), turn=away - heading, turn_s=leaves - still),
        Act("walking", leaves, off, 0.0, pace * 1.1),
    )
    reach, right = 0.3 * look.height / 1.72, 0.26
    position = (
        spot[0] + reach * math.cos(heading) + right * math.sin(heading),
        spot[1] + reach * math.sin(heading) - right * math.cos(heading),
    )
    who = Performer(
        stage.number, "person", "leaving", ACTIONS["leaving"], look, acts, _phase(stage),
        ((start, _EVER),), kind, colour, f"{name} {kind}",
        classes=((-_EVER, "walking"), (start, "leaving")),
    )  # fmt: skip
    left_s = start + bend / 2
    bag = Performer(
        stage.number + 1, "object", "leaving", "standing abandoned", look,
        (Act("left", 0.0, facing(position, heading)),), 0.0, ((left_s, _EVER),), kind, colour,
        f"{name} {kind}", appears_s=left_s,
    )  # fmt: skip
    return [who, bag]


def _against(stage: Stage, when: float) -> list[Performer]:
    if stage.stream is None:
        return []
    pace = walking_speed(stage.rng)
    heading = stage.stream + math.pi + float(stage.rng.normal(0, 0.12))
    route = stage.through(stage.spot(0.15), heading, float(stage.rng.normal(0, 0.6)))
    walk = Act("walking", 0.0, route, stage.middle - pace * when, pace)
    return [
        Performer(
            stage.number, "person", "against", ACTIONS["against"], stage.look(), (walk,),
            _phase(stage), ((-_EVER, _EVER),),
        )
    ]  # fmt: skip


def _loitering(stage: Stage, when: float) -> list[Performer]:
    rng, anchor = stage.rng, stage.spot(0.2)
    position, heading, now = anchor, float(rng.uniform(0, 2 * math.pi)), -2.0
    acts: list[Act] = []
    axis, reach = float(rng.uniform(0, math.pi)), float(rng.uniform(1.0, 2.4))
    side = 1.0
    while now < stage.seconds + 1:
        side = -side
        goal = (
            anchor[0] + side * reach * rng.uniform(0.6, 1) * math.cos(axis) + rng.normal(0, 0.25),
            anchor[1] + side * reach * rng.uniform(0.6, 1) * math.sin(axis) + rng.normal(0, 0.25),
        )
        towards = math.atan2(goal[1] - position[1], goal[0] - position[0])
        turn = math.remainder(towards - heading, 2 * math.pi)
        wait = float(rng.uniform(0.5, 1.6))
        acts.append(
            Act("standing", now, facing(position, heading), turn=turn, turn_s=min(0.7, wait))
        )
        now += wait
        pace, length = float(rng.uniform(0.65, 1.1)), math.dist(position, goal)
        acts.append(Act("walking", now, Route(position, goal, 0.0), 0.0, pace))
        now += length / pace
        position, heading = goal, towards
    return [
        Performer(
            stage.number, "person", "loitering", ACTIONS["loitering"], stage.look(), tuple(acts),
            _phase(stage), ((-_EVER, _EVER),), habit=str(rng.choice(("", "phoning"), p=(0.7, 0.3))),
        )
    ]  # fmt: skip


_DRAWN: dict[str, Callable[[Stage, float], list[Performer]]] = {
    "running": _running,
    "cycling": _cycling,
    "skating": _skating,
    "driving": _driving,
    "falling": _falling,
    "lying": _lying,
    "fighting": _fighting,
    "leaving": _leaving,
    "against": _against,
    "loitering": _loitering,
}
