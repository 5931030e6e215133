"""Turns one rendered video into samples: features of some windows with the truth beside them.

Footage is varied while it is read (size, sharpness, colour, frames a second, an error in what
was measured of the scene), so that the decoder does not learn one camera's habits.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.core.settings import MotionSettings
from engine.lab.datasets.rendered import RenderedVideo
from engine.media import open_source
from engine.motion.grid import Grid
from engine.motion.motion_maps import MotionMaps
from engine.motion.motion_meter import ChunkPictures, MotionMeter
from engine.motion.people_height import RunningSpeed, people_height
from engine.tvad.backbones.backbone import Backbone, Features, VideoWindow, WindowMotion
from engine.tvad.scene_units import scene_motion

ID_STRIDE = 4
"""Pixels of the picture in one cell of a sample's ids."""

_AROUND = 16


@dataclass(frozen=True)
class Variation:
    """How a video is read.

    Attributes:
        scale: of the decoded picture.
        stride: every how many frames one is seen.
        grey: without colour.
        blur: sigma in pixels of the scaled picture.
        people: factor on the measured height of people.
        speed: factor on the measured usual speed; 0 when it is taken for unknown.
        flip: left and right exchanged.
        still: motion is left out, as in a single picture.
    """

    scale: float = 1.0
    stride: int = 1
    grey: bool = False
    blur: float = 0.0
    people: float = 1.0
    speed: float = 1.0
    flip: bool = False
    still: bool = False


PLAIN = Variation()


@dataclass(frozen=True, eq=False)
class Sample:
    """A window of one video.

    Attributes:
        features: of its slices that are kept.
        ids: uint8 [n, h, w], object ids at `ID_STRIDE`.
        frames: int64 [n], frame of the video that each slice shows.
        picture: width and height of the picture the backbone saw.
    """

    features: Features
    ids: NDArray[np.uint8]
    frames: NDArray[np.int64]
    picture: tuple[int, int]


def draw_variation(seed: int, name: str) -> Variation:
    """Draws how a training video is read; the same seed and name give the same."""
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    return Variation(
        scale=float(rng.choice((1.0, rng.uniform(0.5, 0.9)), p=(0.6, 0.4))),
        stride=int(rng.choice((1, 2, 3), p=(0.65, 0.25, 0.1))),
        grey=bool(rng.random() < 0.25),
        blur=float(rng.choice((0.0, rng.uniform(0.4, 1.2)), p=(0.6, 0.4))),
        people=float(np.exp(rng.uniform(-0.35, 0.35))),
        speed=float(rng.choice((np.exp(rng.uniform(-0.25, 0.25)), 0.0), p=(0.85, 0.15))),
        flip=bool(rng.random() < 0.5),
        still=bool(rng.random() < 0.05),
    )


@dataclass(frozen=True, eq=False)
class _Read:
    pictures: NDArray[np.uint8]
    grey: NDArray[np.uint8]
    frames: NDArray[np.int64]
    seconds: NDArray[np.float64]
    grid: Grid


@dataclass(frozen=True, eq=False)
class _Measured:
    firsts: list[NDArray[np.int64]]
    details: list[NDArray[np.float32]]
    usual: NDArray[np.float32]
    people: float | None


def training_samples(
    video: RenderedVideo, backbone: Backbone, seed: int, windows: int, kept: int
) -> Iterator[Sample]:
    """Yields windows of a training video, most of them where a target is abnormal.

    Args:
        video: to read.
        backbone: gives the features.
        seed: of variation and places.
        windows: how many.
        kept: slices kept of each window, evenly spread.
    """
    variation = draw_variation(seed, video.name)
    read = _read(video, variation)
    rng = np.random.default_rng([seed, zlib.crc32(video.name.encode()), 1])
    starts = _places(video, read, backbone, windows, rng)
    measured = _measure(read, backbone, starts)
    for index in range(len(starts)):
        yield _sample(video, read, measured, index, backbone, variation, kept)


def whole_video(video: RenderedVideo, backbone: Backbone) -> Iterator[Sample]:
    """Yields all windows of a video as an analysis sees them, without variation."""
    read = _read(video, PLAIN)
    span = _span(read, backbone)
    starts = list(range(0, max(1, len(read.frames) - span + 1), span))
    measured = _measure(read, backbone, starts)
    slices = backbone.window_frames // backbone.temporal_patch
    for index in range(len(starts)):
        yield _sample(video, read, measured, index, backbone, PLAIN, slices)


def _read(video: RenderedVideo, variation: Variation) -> _Read:
    width, height = (max(64, round(side * variation.scale)) for side in video.size)
    grid = Grid.fit(width, height, MotionSettings().analysis_area, MotionSettings().cell)
    pictures: list[NDArray[np.uint8]] = []
    grey: list[NDArray[np.uint8]] = []
    frames = np.arange(0, video.frames, variation.stride)
    with open_source(video.path) as source:
        for frame in source.frames(0, video.frames, variation.stride, pixels="rgb"):
            if frame.image is None:
                raise BadInputError("a frame cannot be decoded", video.path, "render again")
            image = _varied(frame.image, (width, height), variation)
            pictures.append(image)
            plain = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
            grey.append(np.asarray(cv2.resize(plain, grid.size, interpolation=cv2.INTER_AREA)))
    seconds = frames / video.fps
    return _Read(np.stack(pictures), np.stack(grey), frames, seconds, grid)


def _varied(
    image: NDArray[np.uint8], size: tuple[int, int], variation: Variation
) -> NDArray[np.uint8]:
    out = image
    if (image.shape[1], image.shape[0]) != size:
        out = np.asarray(cv2.resize(out, size, interpolation=cv2.INTER_AREA), np.uint8)
    if variation.blur:
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), variation.blur), np.uint8)
    if variation.grey:
        out = np.repeat(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    if variation.flip:
        out = out[:, ::-1]
    return np.ascontiguousarray(out, np.uint8)


def _step(read: _Read, backbone: Backbone) -> int:
    """Frames between the first frames of two pairs."""
    rate = 1 / float(np.median(np.diff(read.seconds)))
    return max(1, round(rate / (backbone.frame_rate / backbone.temporal_patch)))


def _span(read: _Read, backbone: Backbone) -> int:
    return _step(read, backbone) * (backbone.window_frames // backbone.temporal_patch)


def _places(
    video: RenderedVideo, read: _Read, backbone: Backbone, windows: int, rng: np.random.Generator
) -> list[int]:
    """Draws where windows start; three of four at abnormal spans, and never overlapping."""
    span = _span(read, backbone)
    last = max(0, len(read.frames) - span)
    spans = [span_ for target in video.targets for span_ in target.spans]
    places: list[int] = []
    for _ in range(windows * 8):
        if spans and rng.random() < 0.75:
            first, end = spans[int(rng.integers(len(spans)))]
            middle = np.searchsorted(read.frames, rng.uniform(first, end + 1))
            place = int(np.clip(middle - rng.integers(0, span), 0, last))
        else:
            place = int(rng.integers(0, last + 1))
        if all(abs(place - other) >= span // 2 for other in places):
            places.append(place)
        if len(places) == windows:
            break
    return sorted(places)


def _measure(read: _Read, backbone: Backbone, starts: list[int]) -> _Measured:
    settings = MotionSettings()
    rate = 1 / float(np.median(np.diff(read.seconds)))
    step, span = _step(read, backbone), _span(read, backbone)
    speed = RunningSpeed(read.grid.rows, settings.cell)
    firsts, details = [], []
    maps: list[MotionMaps] = []
    around = read.grey[np.linspace(0, len(read.grey) - 1, _AROUND).round().astype(int)]
    with MotionMeter(read.grid, settings, rate, 1) as meter:
        for start in starts:
            stop = min(len(read.grey), start + span)
            begin, end = (
                max(0, start - meter.context - 1),
                min(len(read.grey), stop + meter.context),
            )
            chunk = ChunkPictures(
                read.grey[begin:end],
                read.seconds[begin:end],
                start - begin,
                end - stop,
                around,
                np.linspace(0, stop - start - 1, 9).round().astype(np.int64),
            )
            wanted = np.arange(0, stop - start, step)
            found, detail = meter.measure_with_detail(chunk, wanted.tolist())
            speed.add(found)
            maps.append(found)
            firsts.append(wanted + start)
            details.append(detail)
    heights = [people_height(one, settings.cell) for one in maps]
    known = [height for height in heights if height is not None]
    scale = read.grid.source_width / read.grid.width
    people = float(np.median(known)) * scale if known else None
    return _Measured(firsts, details, speed.line(), people)


def _sample(
    video: RenderedVideo,
    read: _Read,
    measured: _Measured,
    index: int,
    backbone: Backbone,
    variation: Variation,
    kept: int,
) -> Sample:
    firsts = measured.firsts[index]
    people = None if measured.people is None else measured.people * variation.people
    height, width = read.pictures.shape[1:3]
    size = backbone.picture_size(width, height, people)
    motion = WindowMotion(
        measured.details[index], measured.usual * np.float32(variation.speed), read.grid.width
    )
    chosen = np.unique(np.linspace(0, len(firsts) - 1, min(kept, len(firsts))).round().astype(int))
    features = _features(backbone, read, firsts, chosen, size, None if variation.still else motion)
    frames = read.frames[firsts[chosen]]
    ids = np.stack([_ids(video, int(frame), size, variation.flip) for frame in frames])
    return Sample(features, ids, frames, size)


def _features(
    backbone: Backbone,
    read: _Read,
    firsts: NDArray[np.int64],
    chosen: NDArray[np.int64],
    size: tuple[int, int],
    motion: WindowMotion | None,
) -> Features:
    half = max(1, _step(read, backbone) // backbone.temporal_patch)
    # A backbone without motion needs the whole window; the other sees one picture a slice.
    positions = firsts[chosen] if backbone.motion_channels else firsts
    frames = np.repeat(positions, backbone.temporal_patch)
    frames = frames + half * (np.arange(len(frames)) % backbone.temporal_patch)
    frames = np.minimum(frames, len(read.pictures) - 1)
    pictures = np.stack([_scaled(read.pictures[frame], size) for frame in frames])
    found = backbone.features(VideoWindow(pictures, read.seconds[frames]))
    if not backbone.motion_channels:
        return Features(tuple(one[chosen] for one in found.maps))
    if motion is None:
        return found
    grid = (size[1] // backbone.stride, size[0] // backbone.stride)
    return Features(found.maps, scene_motion(motion, size, grid)[chosen])


def _scaled(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    larger = size[0] > picture.shape[1]
    kind = cv2.INTER_LINEAR if larger else cv2.INTER_AREA
    return np.asarray(cv2.resize(picture, size, interpolation=kind), np.uint8)


def _ids(video: RenderedVideo, frame: int, size: tuple[int, int], flip: bool) -> NDArray[np.uint8]:
    ids = video.ids(frame)
    ids = ids[:, ::-1] if flip else ids
    small = (size[0] // ID_STRIDE, size[1] // ID_STRIDE)
    return np.asarray(
        cv2.resize(np.ascontiguousarray(ids), small, interpolation=cv2.INTER_NEAREST), np.uint8
    )
