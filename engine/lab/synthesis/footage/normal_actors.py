"""Draws people who do nothing wrong, some of whom look odd."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from engine.lab.synthesis.footage.stage import Stage
from engine.lab.synthesis.people.performers import Act, Performer
from engine.lab.synthesis.people.routes import GroundPoint, Route
from engine.lab.synthesis.phrases import ACTIONS
from engine.lab.synthesis.scene.figures import Colour

TRIES = 25  # draws of one actor before there is no room for it
# RGB of coats that dogs commonly have.
_DOGS: tuple[Colour, ...] = ((60, 46, 36), (150, 116, 78), (36, 34, 34), (196, 184, 166))

ODD = (
    "pushing a bicycle", "trolley", "pushchair", "wheeled suitcase", "under an umbrella",
    "with a dog", "walking fast", "parked", "sitting", "bag",
)  # fmt: skip
"""Normal things that look odd."""


def walk_on(
    stage: Stage, speed: float, heading: float | None = None, spot: GroundPoint | None = None
) -> Act:
    """Draws a walk that passes a spot in view at some time of the video."""
    rng = stage.rng
    heading = stage.heading() if heading is None else heading
    spot = spot or stage.spot()
    passing = float(rng.uniform(0.0, stage.seconds))
    route = stage.through(spot, heading, float(rng.normal(0, 0.8)))
    return Act("walking", 0.0, route, stage.middle - speed * passing, speed)


def walking_speed(rng: np.random.Generator) -> float:
    """Draws a usual walking speed in metres per second."""
    return float(np.clip(rng.normal(1.28, 0.19), 0.75, 1.75))


def add_walkers(stage: Stage, count: int) -> None:
    """Adds walkers, alone or in groups of two or three, as far as there is room."""
    added = 0
    while added < count:
        size = int(stage.rng.choice((1, 2, 3), p=(0.68, 0.24, 0.08)))
        for attempt in range(TRIES):
            group = _group(stage, size)
            if stage.admit(group, 0.65 if attempt < TRIES // 2 else 0.5):
                break
        added += size


def _group(stage: Stage, size: int) -> list[Performer]:
    rng, speed = stage.rng, walking_speed(stage.rng)
    act = walk_on(stage, speed)
    heading = math.atan2(
        act.route.end[1] - act.route.start[1], act.route.end[0] - act.route.start[0]
    )
    group = []
    for index in range(size):
        left, back = 0.62 * index + float(rng.normal(0, 0.05)), float(rng.normal(0, 0.12))
        group.append(
            Performer(
                number=stage.number + index,
                kind="person",
                class_name="walking",
                action=ACTIONS["walking"],
                look=stage.look(child=bool(rng.random() < (0.05 if index == 0 else 0.14))),
                acts=(
                    replace(
                        act, route=_shift_route(act.route, heading, left), begin=act.begin - back
                    ),
                ),
                phase=float(rng.uniform(0, 2 * math.pi)),
                habit=str(rng.choice(("", "phoning", "reading"), p=(0.82, 0.08, 0.1))),
            )
        )
    return group


def _shift_route(route: Route, heading: float, left: float) -> Route:
    dx, dy = -math.sin(heading) * left, math.cos(heading) * left
    return Route(
        (route.start[0] + dx, route.start[1] + dy),
        (route.end[0] + dx, route.end[1] + dy),
        route.bend,
    )


def facing(position: GroundPoint, heading: float) -> Route:
    """Returns a route that keeps someone still at a place with a heading."""
    return Route(position, (position[0] + math.cos(heading), position[1] + math.sin(heading)), 0.0)


def add_standing(stage: Stage) -> None:
    """Adds a group that talks, or one who waits."""
    rng = stage.rng
    size = int(rng.choice((1, 2, 3, 4), p=(0.25, 0.4, 0.2, 0.15)))
    for _ in range(TRIES):
        centre, first = stage.spot(), float(rng.uniform(0, 2 * math.pi))
        reach = 0.0 if size == 1 else float(rng.uniform(0.42, 0.6))
        group = []
        for index in range(size):
            angle = first + 2 * math.pi * index / size + float(rng.normal(0, 0.12))
            position = (centre[0] + reach * math.cos(angle), centre[1] + reach * math.sin(angle))
            act = Act("standing", 0.0, facing(position, angle + math.pi))
            habits = ("", "phoning", "reading")
            group.append(
                Performer(
                    stage.number + index, "person", "standing", ACTIONS["standing"],
                    stage.look(), (act,), float(rng.uniform(0, 2 * math.pi)),
                    habit=str(rng.choice(habits, p=(0.6, 0.15, 0.25))),
                )
            )  # fmt: skip
        if stage.admit(group, 0.7):
            return


def add_odd(stage: Stage, thing: str) -> bool:
    """Adds one of `ODD`; returns whether there was room."""
    for _ in range(TRIES):
        actor = _odd(stage, thing)
        gap = 2.4 if thing == "parked" else 0.3 if thing == "sitting" else 0.95
        if actor is not None and stage.admit([actor], gap):
            return True
    return False


def _odd(stage: Stage, thing: str) -> Performer | None:
    rng = stage.rng
    if thing == "parked":
        return _parked_vehicle(stage)
    if thing == "sitting":
        return _sitting(stage)
    if thing == "walking fast":
        act = walk_on(stage, float(rng.uniform(1.75, 2.15)))
        return _walker(stage, "walking fast", act)
    act = walk_on(stage, float(np.clip(rng.normal(1.15, 0.15), 0.7, 1.5)))
    if thing == "pushing a bicycle":
        colour, name = stage.paint("black", "red", "blue", "grey", "green", "white")
        return _walker(stage, thing, act, "pushed bicycle", colour, f"{name} bicycle")
    if thing == "under an umbrella":
        colour, name = stage.paint("black", "black", "red", "blue", "grey", "yellow", "purple")
        return _walker(stage, thing, act, "umbrella", colour, f"{name} umbrella")
    if thing == "with a dog":
        colour = _DOGS[int(rng.integers(len(_DOGS)))]
        return _walker(stage, thing, act, "dog", colour, "dog")
    if thing == "bag":
        colour, name = stage.paint("black", "brown", "grey", "red", "blue")
        carried = str(rng.choice(("bag", "suitcase", "box")))
        return _walker(stage, "walking", act, carried, colour, f"{name} {carried}")
    colour, name = stage.paint("black", "grey", "red", "blue", "green", "purple")
    return _walker(stage, "with wheels", act, thing, colour, f"{name} {thing}")


def _walker(
    stage: Stage,
    class_name: str,
    act: Act,
    carried: str = "",
    colour: Colour = (90, 90, 90),
    words: str = "",
) -> Performer:
    look = stage.look()
    if carried:
        look = replace(look, bag="none")
    return Performer(
        number=stage.number,
        kind="person",
        class_name=class_name,
        action=ACTIONS[class_name],
        look=look,
        acts=(act,),
        phase=float(stage.rng.uniform(0, 2 * math.pi)),
        carried=carried,
        carried_colour=colour,
        carried_words=words,
    )


def _parked_vehicle(stage: Stage) -> Performer | None:
    rng, scene = stage.rng, stage.setting.scene
    if stage.setting.person > 0.28 * scene.camera.height:
        return None
    along = scene.way_turn + math.pi / 2 * float(scene.layout == "car park")
    kind = str(rng.choice(("car", "car", "van", "cart", "utility cart")))
    colour, name = stage.paint("black", "white", "grey", "red", "blue", "green", "white")
    position = stage.spot(0.02, on_way=False)
    heading = along + math.pi * float(rng.integers(2)) + float(rng.normal(0, 0.05))
    act = Act("parked", 0.0, facing(position, heading), detail=kind)
    return Performer(
        stage.number, "vehicle", "parked", ACTIONS["parked"], stage.look(), (act,),
        carried_colour=colour, carried_words=f"{name} {kind}",
    )  # fmt: skip


def _sitting(stage: Stage) -> Performer | None:
    rng = stage.rng
    benches = [prop for prop in stage.setting.scene.props if prop.kind == "bench"]
    if not benches:
        return None
    bench = benches[int(rng.integers(len(benches)))]
    heading, shift = bench.turn - math.pi / 2, float(rng.choice((-0.45, 0.45)))
    position = (
        bench.position[0] + 0.12 * math.cos(heading) + shift * math.cos(bench.turn),
        bench.position[1] + 0.12 * math.sin(heading) + shift * math.sin(bench.turn),
    )
    act = Act("sitting", 0.0, facing(position, heading))
    return Performer(
        stage.number, "person", "sitting", ACTIONS["sitting"], stage.look(), (act,),
        float(rng.uniform(0, 2 * math.pi)),
    )  # fmt: skip
