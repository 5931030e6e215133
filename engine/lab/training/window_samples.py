"""Turns a rendered video into samples: features of some windows, with the ground truth beside them.

Footage is varied while it is read (size, sharpness, colour, frames a second, errors in what was
measured of the scene), so that the decoder does not learn the habits of one camera.
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
from engine.lab.datasets.rendered_footage import RenderedVideo
from engine.media import open_source
from engine.motion.grid import Grid
from engine.motion.motion_maps import MotionMaps
from engine.motion.motion_meter import ChunkPictures, MotionMeter
from engine.motion.people_height import RunningSpeed, people_height
from engine.tvad.backbones.backbone import Backbone, Features, VideoWindow, WindowMotion
from engine.tvad.backbones.scene_units import scene_motion

ID_STRIDE = 4
"""Pixels of the picture in one cell of a sample's ids."""

_BACKGROUND_FRAMES = 16  # of a video, from which its background is learned; a choice


@dataclass(frozen=True)
class Variation:
    """How a video is read.

    Attributes:
        scale: factor on the size of the decoded frame.
        stride: distance of the frames that are read.
        grey: whether colours are left out.
        blur: sigma in pixels of the scaled frame.
        people: factor on the measured height of people.
        speed: factor on the measured usual speed; 0 stands for an unknown one.
        flip: whether left and right are exchanged.
        still: whether motion is left out, as in a single image.
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
class WindowSample:
    """Some slices of a window of one video.

    Attributes:
        features: features of the slices.
        ids: uint8 [n, h, w], object ids at `ID_STRIDE`.
        frames: int64 [n], frame of the video that each slice shows.
        picture: width and height of the picture that the backbone saw.
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
class _DecodedVideo:
    pictures: NDArray[np.uint8]
    grey: NDArray[np.uint8]
    frames: NDArray[np.int64]
    seconds: NDArray[np.float64]
    grid: Grid


@dataclass(frozen=True, eq=False)
class _VideoMotion:
    firsts: list[NDArray[np.int64]]
    details: list[NDArray[np.float32]]
    usual: NDArray[np.float32]
    people: float | None


def window_samples(
    video: RenderedVideo, backbone: Backbone, seed: int, windows: int, slices: int
) -> Iterator[WindowSample]:
    """Yields windows of a training video, most of them where a target is abnormal.

    Args:
        video: the video.
        backbone: computes the features.
        seed: draws the variation and the positions of windows.
        windows: how many windows.
        slices: how many slices of each window, evenly spread.
    """
    variation = draw_variation(seed, video.name)
    decoded = _decode(video, variation)
    rng = np.random.default_rng([seed, zlib.crc32(video.name.encode()), 1])
    starts = _draw_starts(video, decoded, backbone, windows, rng)
    motion = _measure_motion(decoded, backbone, starts)
    for index in range(len(starts)):
        yield _sample(video, decoded, motion, index, backbone, variation, slices)


def whole_video(video: RenderedVideo, backbone: Backbone) -> Iterator[WindowSample]:
    """Yields all windows of a video as an analysis sees them, without variation."""
    decoded = _decode(video, PLAIN)
    span = _span(decoded, backbone)
    starts = list(range(0, max(1, len(decoded.frames) - span + 1), span))
    motion = _measure_motion(decoded, backbone, starts)
    slices = backbone.window_frames // backbone.temporal_patch
    for index in range(len(starts)):
        yield _sample(video, decoded, motion, index, backbone, PLAIN, slices)


def _decode(video: RenderedVideo, variation: Variation) -> _DecodedVideo:
    width, height = (max(64, round(side * variation.scale)) for side in video.size)
    grid = Grid.fit(width, height, MotionSettings().analysis_area, MotionSettings().cell)
    pictures: list[NDArray[np.uint8]] = []
    grey: list[NDArray[np.uint8]] = []
    frames = np.arange(0, video.frames, variation.stride)
    with open_source(video.path) as source:
        for frame in source.frames(0, video.frames, variation.stride, pixels="rgb"):
            if frame.image is None:
                raise BadInputError("a frame cannot be decoded", video.path, "render again")
            image = _vary(frame.image, (width, height), variation)
            pictures.append(image)
            plain = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
            grey.append(np.asarray(cv2.resize(plain, grid.size, interpolation=cv2.INTER_AREA)))
    seconds = frames / video.fps
    return _DecodedVideo(np.stack(pictures), np.stack(grey), frames, seconds, grid)


def _vary(
    image: NDArray[np.uint8], size: tuple[int, int], variation: Variation
) -> NDArray[np.uint8]:
    varied = image
    if (image.shape[1], image.shape[0]) != size:
        varied = np.asarray(cv2.resize(varied, size, interpolation=cv2.INTER_AREA), np.uint8)
    if variation.blur:
        varied = np.asarray(cv2.GaussianBlur(varied, (0, 0), variation.blur), np.uint8)
    if variation.grey:
        varied = np.repeat(cv2.cvtColor(varied, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    if variation.flip:
        varied = varied[:, ::-1]
    return np.ascontiguousarray(varied, np.uint8)


def _step(decoded: _DecodedVideo, backbone: Backbone) -> int:
    """Returns the frames between the first frames of two slices."""
    rate = 1 / float(np.median(np.diff(decoded.seconds)))
    return max(1, round(rate / (backbone.frame_rate / backbone.temporal_patch)))


def _span(decoded: _DecodedVideo, backbone: Backbone) -> int:
    return _step(decoded, backbone) * (backbone.window_frames // backbone.temporal_patch)


def _draw_starts(
    video: RenderedVideo,
    decoded: _DecodedVideo,
    backbone: Backbone,
    windows: int,
    rng: np.random.Generator,
) -> list[int]:
    """Draws where windows start: three of four at abnormal spans, and at most half overlapping."""
    span = _span(decoded, backbone)
    last = max(0, len(decoded.frames) - span)
    abnormal = [(first, last) for target in video.targets for first, last in target.spans]
    starts: list[int] = []
    for _ in range(windows * 8):
        if abnormal and rng.random() < 0.75:
            first, end = abnormal[int(rng.integers(len(abnormal)))]
            middle = np.searchsorted(decoded.frames, rng.uniform(first, end + 1))
            start = int(np.clip(middle - rng.integers(0, span), 0, last))
        else:
            start = int(rng.integers(0, last + 1))
        if all(abs(start - other) >= span // 2 for other in starts):
            starts.append(start)
        if len(starts) == windows:
            break
    return sorted(starts)


def _measure_motion(decoded: _DecodedVideo, backbone: Backbone, starts: list[int]) -> _VideoMotion:
    settings = MotionSettings()
    rate = 1 / float(np.median(np.diff(decoded.seconds)))
    step, span = _step(decoded, backbone), _span(decoded, backbone)
    speed = RunningSpeed(decoded.grid.rows, settings.cell)
    firsts, details = [], []
    maps: list[MotionMaps] = []
    positions = np.linspace(0, len(decoded.grey) - 1, _BACKGROUND_FRAMES)
    around = decoded.grey[positions.round().astype(int)]
    with MotionMeter(decoded.grid, settings, rate, 1) as meter:
        for start in starts:
            stop = min(len(decoded.grey), start + span)
            begin, end = (
                max(0, start - meter.context - 1),
                min(len(decoded.grey), stop + meter.context),
            )
            chunk = ChunkPictures(
                decoded.grey[begin:end],
                decoded.seconds[begin:end],
                start - begin,
                end - stop,
                around,
                np.linspace(0, stop - start - 1, 9).round().astype(np.int64),
            )
            offsets = np.arange(0, stop - start, step)
            maps_of_window, detail = meter.measure_with_detail(chunk, offsets.tolist())
            speed.add(maps_of_window)
            maps.append(maps_of_window)
            firsts.append(offsets + start)
            details.append(detail)
    heights = [people_height(maps_of_window, settings.cell) for maps_of_window in maps]
    known = [height for height in heights if height is not None]
    scale = decoded.grid.source_width / decoded.grid.width
    people = float(np.median(known)) * scale if known else None
    return _VideoMotion(firsts, details, speed.line(), people)


def _sample(
    video: RenderedVideo,
    decoded: _DecodedVideo,
    motion: _VideoMotion,
    index: int,
    backbone: Backbone,
    variation: Variation,
    slices: int,
) -> WindowSample:
    firsts = motion.firsts[index]
    people = None if motion.people is None else motion.people * variation.people
    height, width = decoded.pictures.shape[1:3]
    size = backbone.picture_size(width, height, people)
    window_motion = WindowMotion(
        motion.details[index], motion.usual * np.float32(variation.speed), decoded.grid.width
    )
    chosen = np.unique(
        np.linspace(0, len(firsts) - 1, min(slices, len(firsts))).round().astype(int)
    )
    features = _features(
        backbone, decoded, firsts, chosen, size, None if variation.still else window_motion
    )
    frames = decoded.frames[firsts[chosen]]
    ids = np.stack([_ids(video, int(frame), size, variation.flip) for frame in frames])
    return WindowSample(features, ids, frames, size)


def _features(
    backbone: Backbone,
    decoded: _DecodedVideo,
    firsts: NDArray[np.int64],
    chosen: NDArray[np.int64],
    size: tuple[int, int],
    motion: WindowMotion | None,
) -> Features:
    half = max(1, _step(decoded, backbone) // backbone.temporal_patch)
    # A backbone without motion needs the whole window; the other sees one picture a slice.
    positions = firsts[chosen] if backbone.motion_channels else firsts
    frames = np.repeat(positions, backbone.temporal_patch)
    frames = frames + half * (np.arange(len(frames)) % backbone.temporal_patch)
    frames = np.minimum(frames, len(decoded.pictures) - 1)
    pictures = np.stack([_resize(decoded.pictures[frame], size) for frame in frames])
    features = backbone.features(VideoWindow(pictures, decoded.seconds[frames]))
    if not backbone.motion_channels:
        return Features(tuple(maps[chosen] for maps in features.maps))
    if motion is None:
        return features
    grid = (size[1] // backbone.stride, size[0] // backbone.stride)
    return Features(features.maps, scene_motion(motion, size, grid)[chosen])


def _resize(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
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
