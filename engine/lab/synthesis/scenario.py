"""Draws scenes and what happens in them from a random generator."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.core.directions import cell_name
from engine.core.errors import BadInputError
from engine.lab.synthesis.actors import ActorSpec
from engine.lab.synthesis.people.clothing import random_look
from engine.lab.synthesis.people.routes import Place, Route
from engine.lab.synthesis.render_video import VideoSpec
from engine.lab.synthesis.scene.backdrop import Light, SceneSpec
from engine.lab.synthesis.scene.camera import Camera
from engine.lab.synthesis.scene.grounds import LAYOUTS
from engine.lab.synthesis.scene.props import PropSpec

_TRIES = 400
_WALLS = ((0.52, 0.38, 0.3), (0.6, 0.55, 0.47), (0.48, 0.48, 0.5), (0.62, 0.5, 0.38))


def random_scene(rng: np.random.Generator, size: tuple[int, int] = (640, 360)) -> SceneSpec:
    """Draws a place with its camera.

    Args:
        rng: the generator.
        size: width and height in pixels.
    """
    camera = _random_camera(rng, size)
    reach = camera.elevation / math.tan(camera.tilt)
    layout = str(rng.choice(LAYOUTS))
    wall = float(reach * rng.uniform(1.5, 2.1))
    turn = float(rng.uniform(-0.5, 0.5)) if layout != "street" else float(rng.uniform(-0.2, 0.2))
    light = Light(
        azimuth=float(rng.uniform(0, 2 * math.pi)),
        altitude=float(rng.uniform(0.6, 1.2)),
        sun=float(rng.choice((rng.uniform(0.0, 0.25), rng.uniform(0.45, 0.9)))),
        exposure=float(rng.uniform(0.92, 1.2)),
        warmth=float(rng.uniform(-1, 1)),
    )
    scene = SceneSpec(
        camera=camera,
        layout=layout,
        way=(float(rng.uniform(-1, 1)), float(reach * rng.uniform(0.9, 1.15))),
        way_turn=turn,
        way_width=float(rng.uniform(3.5, 6.0)),
        wall=wall,
        wall_colour=_WALLS[rng.integers(len(_WALLS))],
        tone=float(rng.uniform(0.46, 0.64)),
        slab=(float(rng.uniform(0.6, 1.3)), float(rng.uniform(0.5, 0.9))),
        light=light,
        props=(),
        seed=int(rng.integers(2**31)),
    )
    return replace(scene, props=_random_props(rng, scene))


def _random_camera(rng: np.random.Generator, size: tuple[int, int]) -> Camera:
    """Draws a camera in which people in the middle are between a tenth and a quarter high."""
    width, height = size
    while True:
        camera = Camera(
            width=width,
            height=height,
            elevation=float(rng.uniform(3.2, 8.0)),
            tilt=math.radians(float(rng.uniform(16, 36))),
            focal=width / 2 / math.tan(math.radians(float(rng.uniform(46, 74))) / 2),
        )
        person = 1.7 * math.cos(camera.tilt) * float(camera.pixels_per_metre(np.array(height / 2)))
        if 0.13 * height < person < 0.25 * height:
            return camera


def _random_props(rng: np.random.Generator, scene: SceneSpec) -> tuple[PropSpec, ...]:
    props: list[PropSpec] = []
    camera = scene.camera
    kinds = ("lamp", "tree", "bollard", "bin", "bench", "sign")
    for _ in range(int(rng.integers(3, 8))):
        kind = str(rng.choice(kinds))
        pixel = np.array([rng.uniform(0.03, 0.97) * camera.width, rng.uniform(0.12, 0.7)])
        pixel[1] *= camera.height
        place = camera.ground(pixel)
        if not place[1] < scene.wall - 0.6:
            continue
        near_way = abs(_aside(scene, (float(place[0]), float(place[1])))) < scene.way_width / 2
        if near_way and kind != "lamp":
            continue
        spot = (float(place[0]), float(place[1]))
        turn = float(rng.uniform(0, 2 * math.pi)) if kind in ("lamp", "tree") else scene.way_turn
        props.append(
            PropSpec(kind, spot, turn, float(rng.uniform(0.9, 1.15)), int(rng.integers(2**31)))
        )
    return tuple(props)


def _aside(scene: SceneSpec, place: Place) -> float:
    """Returns how far a place lies from the middle of the way, in metres; left positive."""
    dx, dy = place[0] - scene.way[0], place[1] - scene.way[1]
    return dy * math.cos(scene.way_turn) - dx * math.sin(scene.way_turn)


def random_spec(
    rng: np.random.Generator,
    abnormal: bool,
    scene: SceneSpec | None = None,
    seconds: float | None = None,
) -> VideoSpec:
    """Draws a video.

    Args:
        rng: the generator.
        abnormal: whether one or two fast cyclists cross among the walkers.
        scene: where; drawn when None.
        seconds: its duration; 8 to 12 s when None.

    Raises:
        BadInputError: an abnormal video was asked for, but no cyclist can cross the given scene.
    """
    scene = scene or random_scene(rng)
    seconds = seconds or float(rng.integers(8, 13))
    actors: list[ActorSpec] = []
    for _ in range(int(rng.integers(4, 9))):
        walker = random_walker(rng, scene, seconds, len(actors) + 1, actors)
        actors += [walker] if walker else []
    cyclists: list[ActorSpec] = []
    for _ in range(int(rng.integers(1, 3)) if abnormal else 0):
        number = len(actors) + len(cyclists) + 1
        cyclist = random_cyclist(rng, scene, seconds, number, (0.12, 0.7), actors, cyclists)
        cyclists += [cyclist] if cyclist else []
    if abnormal and not cyclists:
        raise BadInputError("no cyclist can cross the scene", scene.layout, "draw another scene")
    return VideoSpec(
        scene=scene,
        fps=25,
        seconds=seconds,
        actors=(*actors, *cyclists),
        noise=float(rng.uniform(1.0, 3.2)),
        blur=float(rng.uniform(0.4, 0.7)),
        grey=bool(rng.random() < 0.15),
    )


def random_walker(
    rng: np.random.Generator,
    scene: SceneSpec,
    seconds: float,
    number: int,
    others: list[ActorSpec],
) -> ActorSpec | None:
    """Draws a walker who meets no prop and none of `others`; None when there is no room."""
    for _ in range(_TRIES):
        route = _random_route(rng, scene)
        speed = float(np.clip(rng.normal(1.3, 0.17), 0.9, 1.75))
        crossing = route.length / speed
        start_s = float(rng.uniform(-0.8 * crossing, 0.75 * seconds))
        phase = float(rng.uniform(0, 2 * math.pi))
        actor = ActorSpec(
            number, "walker", False, "walking", route, speed, start_s, phase, random_look(rng)
        )
        if _clear(actor, scene, seconds, others, 0.75):
            return actor
    return None


def random_cyclist(
    rng: np.random.Generator,
    scene: SceneSpec,
    seconds: float,
    number: int,
    when: tuple[float, float],
    walkers: list[ActorSpec],
    cyclists: list[ActorSpec],
) -> ActorSpec | None:
    """Draws an abnormal fast cyclist who crosses in well-defined cells; None without room.

    Well-defined: the cell of its box does not change within the first and the last third of
    a second in view, so that a tracker that sees it a little late still names the same cell.

    Args:
        rng: the generator.
        scene: where.
        seconds: duration of the video.
        number: its object id.
        when: earliest and latest start, as shares of the duration.
        walkers: whom it does not ride over.
        cyclists: from whom it keeps three metres.
    """
    for attempt in range(_TRIES):
        route = _random_route(rng, scene, free=attempt >= _TRIES // 2)
        start_s = seconds * float(rng.uniform(*when))
        speed = float(rng.uniform(4.8, 7.2))
        actor = ActorSpec(
            number,
            "cyclist",
            True,
            "cycling",
            route,
            speed,
            start_s,
            float(rng.uniform(0, 2 * math.pi)),
            random_look(rng, riding=True),
        )
        if (
            1.2 <= route.length / speed <= 4.5
            and _clear(actor, scene, seconds, cyclists, 3.0)
            and _clear(actor, scene, seconds, walkers, 0.8)
            and _well_defined(actor, scene.camera, seconds)
        ):
            return actor
    return None


def _random_route(rng: np.random.Generator, scene: SceneSpec, free: bool = False) -> Route:
    """Draws a route between two edges of the frame, along the way unless `free` of it."""
    camera = scene.camera
    share = {"plaza": 0.0, "park": 1.0, "street": 0.7}[scene.layout]
    along_way = not free and rng.random() < share
    while True:
        if along_way:
            ends = _along_way(rng, scene)
        else:
            sides = rng.choice(("left", "right", "bottom"), 2, replace=False, p=(0.4, 0.4, 0.2))
            ends = [_edge_place(rng, camera, str(side)) for side in sides]
        start, end = (ends[0], ends[1]) if rng.random() < 0.5 else (ends[1], ends[0])
        if not (start[1] < scene.wall - 1 and end[1] < scene.wall - 1):
            continue
        length = math.dist(start, end)
        if length > 4:
            return Route(start, end, float(rng.normal(0, 0.02) * length))


def _edge_place(rng: np.random.Generator, camera: Camera, side: str) -> Place:
    """Returns a ground place just outside an edge of the frame, seen from the ground."""
    beyond = 0.04 * camera.width
    if side == "bottom":
        pixel = np.array([rng.uniform(0.1, 0.9) * camera.width, 1.15 * camera.height])
    else:
        column = -beyond if side == "left" else camera.width + beyond
        pixel = np.array([column, rng.uniform(0.3, 0.97) * camera.height])
    place = camera.ground(pixel)
    return float(place[0]), float(place[1])


def _along_way(rng: np.random.Generator, scene: SceneSpec) -> list[Place]:
    """Returns the ends of a line along the way (on the pavement in a street) inside the view."""
    half = scene.way_width / 2
    aside = float(rng.uniform(-0.75, 0.75) * half)
    if scene.layout == "street":
        aside = float(rng.choice((-1, 1)) * (half + rng.uniform(0.6, 2.2)))
    sine, cosine = math.sin(scene.way_turn), math.cos(scene.way_turn)
    steps = np.arange(-40, 40, 0.25)
    places = np.stack(
        [
            scene.way[0] + steps * cosine - aside * sine,
            scene.way[1] + steps * sine + aside * cosine,
            np.zeros_like(steps),
        ],
        axis=-1,
    )
    pixels, depth = scene.camera.project(places)
    width, height = scene.camera.width, scene.camera.height
    seen = (depth > 1) & (pixels[:, 0] > -0.04 * width) & (pixels[:, 0] < 1.04 * width)
    seen &= (pixels[:, 1] > 0) & (pixels[:, 1] < 1.1 * height)
    inside = np.flatnonzero(seen)
    if len(inside) < 2:
        sides = [_edge_place(rng, scene.camera, side) for side in ("left", "right")]
        return sides
    return [(float(places[i, 0]), float(places[i, 1])) for i in (inside[0], inside[-1])]


def _clear(
    actor: ActorSpec,
    scene: SceneSpec,
    seconds: float,
    others: list[ActorSpec],
    gap: float,
) -> bool:
    """Whether an actor keeps `gap` metres from the others and 0.55 m from every prop."""
    step = min(0.2, 0.4 / actor.speed)
    times = np.arange(0, seconds + step, step)
    places = [actor.place(float(t)) for t in times]
    for place in places:
        if any(math.dist(place, prop.place) < 0.55 for prop in scene.props):
            return False
        if place[1] > scene.wall - 0.5 and abs(place[0]) < scene.wall:
            return False
    return not any(
        math.dist(place, other.place(float(t))) < gap
        for other in others
        for t, place in zip(times, places, strict=True)
    )


def _well_defined(actor: ActorSpec, camera: Camera, seconds: float) -> bool:
    times = np.arange(0, seconds, 0.04)
    centres = [_visible_centre(actor, camera, float(t)) for t in times]
    seen = [i for i, centre in enumerate(centres) if centre is not None]
    if len(seen) < 24 or seen[0] == 0 or seen[-1] == len(times) - 1:
        return False
    cells = [cell_name(c[0], c[1], camera.width, camera.height) for c in centres if c is not None]
    return len(set(cells[:8])) == 1 and len(set(cells[-8:])) == 1 and cells[0] != cells[-1]


def _visible_centre(actor: ActorSpec, camera: Camera, seconds: float) -> NDArray[np.float64] | None:
    """Returns the centre of the visible part of the box around an actor's joints."""
    pixels, depth = camera.project(actor.figure(seconds).joints)
    if float(depth.min()) < 0.6:
        return None
    size = np.array([camera.width, camera.height], dtype=np.float64)
    low = np.maximum(pixels.min(axis=0), 0)
    high = np.minimum(pixels.max(axis=0), size - 1)
    return None if bool((low >= high).any()) else (low + high) / 2
