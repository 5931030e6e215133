"""Clips of every kind that the reader must get right, each encoded once."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.clips import pattern, remux, write_video

COUNT = 40

_X264 = {"preset": "ultrafast", "x264-params": "keyint=12:scenecut=0:bframes=0"}
_B = {"preset": "veryfast", "x264-params": "keyint=12:scenecut=0:bframes=2:b-adapt=0"}
_OPEN = {"preset": "veryfast", "x264-params": "keyint=12:scenecut=0:bframes=3:b-adapt=0:open-gop=1"}
_LONG = {"preset": "ultrafast", "x264-params": "keyint=1000:scenecut=0:bframes=2:b-adapt=0"}
_FIELDS = {"preset": "ultrafast", "x264-params": "keyint=12:scenecut=0:interlaced=1:tff=1"}
_HEVC = {
    "preset": "ultrafast",
    "x265-params": "keyint=12:scenecut=0:bframes=3:b-adapt=0:open-gop=1:log-level=none",
}
_MPEG = {"bf": "2", "g": "12", "sc_threshold": "1000000000"}
_VP9 = {"g": "12", "deadline": "realtime", "cpu-used": "8", "lag-in-frames": "8"}
_VARIABLE = [i * 40 + (i % 3) * 13 + (i // 10) * 200 for i in range(COUNT)]

CLIPS: dict[str, tuple[str, dict[str, Any]]] = {
    "constant": ("constant.mp4", {"options": _X264}),
    "b_frames": ("b_frames.mp4", {"options": _B}),
    "open_gop": ("open_gop.mp4", {"options": _OPEN}),
    "open_gop_ts": ("open_gop.ts", {"options": _OPEN}),
    "open_gop_mkv": ("open_gop.mkv", {"options": _OPEN}),
    "long_gop": ("long_gop.mp4", {"options": _LONG}),
    "variable": (
        "variable.mkv",
        {"options": _B, "pts": _VARIABLE, "time_base": Fraction(1, 1000)},
    ),
    "interlaced": ("interlaced.mp4", {"options": _FIELDS}),
    "rotated": ("rotated.mp4", {"options": _X264, "rotation": 90}),
    "raw_h264": ("raw.h264", {"options": _B, "container": "h264"}),
    "raw_open_h264": ("raw_open.h264", {"options": _OPEN, "container": "h264"}),
    "raw_hevc": ("raw.hevc", {"codec": "libx265", "options": _HEVC, "container": "hevc"}),
    "h264_avi": ("b_frames.avi", {"options": _B}),
    "h264_asf": ("b_frames.asf", {"options": _B}),
    "mpeg4_avi": ("mpeg4.avi", {"codec": "mpeg4", "options": _MPEG}),
    "msmpeg4_avi": ("msmpeg4.avi", {"codec": "msmpeg4", "options": {"g": "12"}}),
    "mjpeg_avi": ("mjpeg.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p"}),
    "raw_mjpeg": (
        "raw.mjpeg",
        {"codec": "mjpeg", "pix_fmt": "yuvj420p", "container": "mjpeg"},
    ),
    "mpeg_ps": ("program.mpg", {"codec": "mpeg2video", "options": _MPEG, "container": "mpeg"}),
    "raw_mpeg2": (
        "raw.m2v",
        {"codec": "mpeg2video", "options": _MPEG, "container": "mpeg2video"},
    ),
    "vp9": ("vp9.webm", {"codec": "libvpx-vp9", "options": _VP9}),
    "flv": ("flv.flv", {"codec": "flv", "options": {"g": "12"}}),
}

Clip = Callable[[str], Path]


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    folder = tmp_path_factory.mktemp("clips")
    clips: dict[str, Path] = {}

    def get(name: str) -> Path:
        if name not in clips:
            if name == "negative":
                # The clock of a transport stream wraps; FFmpeg counts what came before as negative.
                before_wrap = (1 << 33) - 60_000
                clips[name] = remux(get("open_gop_ts"), folder / "negative.ts", shift=before_wrap)
            else:
                file, arguments = CLIPS[name]
                clips[name] = write_video(folder / file, pattern(COUNT), **arguments)
        return clips[name]

    return get
