"""What the ground looks like in each layout."""

from __future__ import annotations

import numpy as np

from engine.lab.synthesis.scene.textures import Picture, Plane, Surfaces

LAYOUTS = ("plaza", "park", "street", "campus", "car park", "yard", "hall")
"""All layouts, in the order in which they are drawn from."""


def paint_ground(
    layout: str,
    surfaces: Surfaces,
    tone: float,
    slab: tuple[float, float],
    half: float,
    world: tuple[Plane, Plane],
    along: Plane,
    aside: Plane,
    fineness: Plane,
) -> Picture:
    """Paints a way and what lies beside it.

    Args:
        layout: one of `LAYOUTS`.
        surfaces: paints surfaces.
        tone: brightness of the ground, 0..1.
        slab: width and length of paving slabs in metres.
        half: half the width of the way in metres.
        world: x and y in metres, float32 [h, w] each.
        along: float32 [h, w], metres along the way.
        aside: float32 [h, w], metres to the left of its middle.
        fineness: float32 [h, w], metres that one pixel covers.
    """
    edge = np.abs(aside) - np.float32(half)
    soft = np.maximum(fineness, 0.03)
    inside = np.clip(0.5 - edge / soft, 0, 1)[..., None]
    rim = np.clip(1 - np.abs(edge - 0.08) / (0.09 + 0.5 * soft), 0, 1)[..., None]
    other, way, rim_colour, strength = _materials(
        layout, surfaces, tone, slab, world, along, aside, fineness, edge, soft
    )
    picture = other + inside * (way - other)
    return np.asarray(picture + strength * rim * (rim_colour - picture), dtype=np.float32)


def _materials(
    layout: str,
    surfaces: Surfaces,
    tone: float,
    slab: tuple[float, float],
    world: tuple[Plane, Plane],
    along: Plane,
    aside: Plane,
    fineness: Plane,
    edge: Plane,
    soft: Plane,
) -> tuple[Picture, Picture, np.float32, float]:
    """Returns what lies beside the way, the way, and the colour and strength of its rim."""
    small = (slab[0] * 0.5, slab[1] * 0.5)
    if layout == "campus":
        other = surfaces.grass(*world, fineness, tone * 0.6)
        wide = (slab[0] * 3.4, slab[1] * 4.6)
        way = surfaces.paving(along, aside, fineness, tone * 1.18, wide)
        rim_colour, strength = np.float32(tone * 0.7), 0.3
    elif layout == "car park":
        other = surfaces.asphalt(along, aside, fineness, tone * 0.8)
        bays = (np.abs(np.mod(along, 2.6) - 1.3) < 0.06 + 0.5 * soft) & (edge > 0) & (edge < 5)
        other += bays[..., None] * np.float32(0.2)
        way = surfaces.asphalt(along, aside, fineness, tone * 0.86)
        rim_colour, strength = np.float32(tone * 1.2), 0.2
    elif layout == "yard":
        other = surfaces.asphalt(along, aside, fineness, tone * 1.15)
        way = surfaces.paving(along, aside, fineness, tone * 1.05, small)
        rim_colour, strength = np.float32(tone * 0.8), 0.3
    elif layout == "hall":
        other = surfaces.paving(along, aside, fineness, tone * 1.1, (0.6, 0.6))
        way = surfaces.paving(along, aside, fineness, tone * 0.9, (0.6, 0.6))
        rim_colour, strength = np.float32(tone * 0.6), 0.6
    elif layout == "park":
        other = surfaces.grass(*world, fineness, tone * 0.78)
        way = surfaces.asphalt(along, aside, fineness, tone * 1.08)
        rim_colour, strength = np.float32(tone * 1.25), 0.45
    elif layout == "street":
        other = surfaces.paving(along, aside, fineness, tone * 1.12, slab)
        way = surfaces.asphalt(along, aside, fineness, tone * 0.72)
        dash = (np.abs(aside) < 0.06 + soft) & (np.mod(along, 4.5) < 2.2)
        way += dash[..., None] * np.float32(0.17)
        rim_colour, strength = np.float32(tone * 1.4), 0.7
    else:
        other = surfaces.paving(along, aside, fineness, tone, slab)
        way = surfaces.paving(along, aside, fineness, tone * 0.88, small)
        rim_colour, strength = np.float32(tone * 0.7), 0.55
    return other, way, rim_colour, strength


def paint_back(
    back: str,
    surfaces: Surfaces,
    x: Plane,
    z: Plane,
    fineness: Plane,
    colour: tuple[float, float, float],
) -> Picture:
    """Paints what stands at the far end.

    Args:
        back: `facade`, `hedge` or `concrete`.
        surfaces: paints surfaces.
        x: float32 [h, w], metres to the right.
        z: float32 [h, w], metres above the ground.
        fineness: float32 [h, w], metres that one pixel covers.
        colour: RGB of a facade or of concrete, 0..1.
    """
    if back == "hedge":
        return surfaces.foliage(x, z, fineness)
    if back == "concrete":
        return surfaces.concrete(x, z, fineness, colour)
    return surfaces.wall(x, z, fineness, colour)


def tint_picture(picture: Picture, tint: tuple[float, float, float]) -> Picture:
    """Returns a picture in another tint; (1, 1, 1) changes nothing."""
    if tint == (1.0, 1.0, 1.0):
        return picture
    return np.asarray(picture * np.array(tint, dtype=np.float32), dtype=np.float32)
