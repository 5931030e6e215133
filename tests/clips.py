"""Encodes small videos for tests; nothing real is needed and nothing is kept."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def pattern(count: int, size: tuple[int, int] = (96, 64), seed: int = 0) -> list[Image]:
    """Moving noise whose brightness counts frames: uint8 [h, w, 3], no two of them alike."""
    width, height = size
    noise = np.random.default_rng(seed).integers(0, 120, (height // 8 + 1, width // 4 + 1, 3))
    ground = np.kron(noise, np.ones((8, 8, 1), np.int64))[:height]
    return [
        np.ascontiguousarray(np.roll(ground, 2 * i, axis=1)[:, :width] + i % 100, np.uint8)
        for i in range(count)
    ]


def write_video(
    path: Path,
    frames: Sequence[Image],
    *,
    codec: str = "libx264",
    container: str | None = None,
    pts: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, 25),
    rate: Fraction = Fraction(25),
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    rotation: int = 0,
    pixel_aspect: Fraction | None = None,
    sound: bool = False,
    streams: int = 1,
) -> Path:
    """Encodes RGB frames (uint8 [h, w, 3]) into a file; `pts` are in `time_base` units.

    With `streams` over one, later streams show the frames upside down. `rotation` is what a
    player turns the picture by, clockwise.
    """
    with av.open(str(path), "w", format=container, container_options=container_options) as output:
        video_streams = [
            _stream(output, codec, frames[0], rate, pix_fmt, options) for _ in range(streams)
        ]
        for stream in video_streams:
            stream.codec_context.time_base = time_base
            if pixel_aspect is not None:
                stream.sample_aspect_ratio = pixel_aspect
            if rotation:
                stream.set_display_rotation(float(-rotation))
        voice = output.add_stream("aac", rate=16000) if sound else None
        for number, image in enumerate(frames):
            for index, stream in enumerate(video_streams):
                turned = np.ascontiguousarray(image[::-1]) if index else image
                frame = VideoFrame.from_ndarray(turned, format="rgb24")
                frame.pts = number if pts is None else pts[number]
                frame.time_base = time_base
                output.mux(stream.encode(frame))
        for stream in video_streams:
            output.mux(stream.encode(None))
        if voice is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), "fltp", "mono")
            silence.rate = 16000
            output.mux([*voice.encode(silence), *voice.encode(None)])
    return path


def remux(source: Path, target: Path, *, shift: int = 0, keep: slice = slice(None)) -> Path:
    """Copies packets without encoding, with times shifted, and only those in `keep`."""
    with av.open(str(source)) as opened, av.open(str(target), "w") as output:
        stream = opened.streams.video[0]
        copied = output.add_stream_from_template(stream)
        packets = [packet for packet in opened.demux(stream) if packet.size]
        for packet in packets[keep]:
            assert packet.pts is not None
            assert packet.dts is not None
            packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
            packet.stream = copied
            output.mux(packet)
    return target


def _stream(
    output: av.container.OutputContainer,
    codec: str,
    image: Image,
    rate: Fraction,
    pix_fmt: str,
    options: dict[str, str] | None,
) -> VideoStream:
    stream = output.add_stream(codec, rate=rate, options=options)
    assert isinstance(stream, VideoStream)
    stream.height, stream.width = image.shape[:2]
    stream.pix_fmt = pix_fmt
    return stream
