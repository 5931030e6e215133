"""Opens a video file read-only, and refuses whatever would open another file or is no video."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, cast

import av
from av.container import InputContainer
from av.container.core import Flags
from av.stream import Discard, Disposition
from av.video.stream import VideoStream

from engine.core.errors import BadInputError, MediaError
from engine.core.files import Closing, NotRegularFileError, open_regular_file
from engine.core.stream import StreamInfo, StreamSummary

RAW_FORMATS = frozenset(
    (
        "av1", "h261", "h263", "h264", "hevc", "ingenient", "m4v", "mjpeg", "mjpeg_2000",
        "mpegvideo", "obu", "vc1", "vvc",
    )
)  # fmt: skip
"""Formats that are a bare stream of pictures: they carry no times at all."""

FORMATS = RAW_FORMATS | frozenset(
    (
        "asf", "avi", "dhav", "dv", "flv", "gxf", "ivf", "matroska,webm",
        "mov,mp4,m4a,3gp,3g2,mj2", "mpeg", "mpegts", "mxf", "nut", "ogg", "rm", "wtv",
        "yuv4mpegpipe",
    )
)  # fmt: skip
"""The closed list of formats, by FFmpeg's names; none of them is a text that names other files.

See also `BYTE_SEEK_FORMATS`, the two sets at the top of `indexing.py`, and the endings of files
that are taken from a folder in `desktop/operations/dropped_files.py`.
"""

BYTE_SEEK_FORMATS = RAW_FORMATS | {"dhav", "mpeg", "mpegts"}
"""Formats without a table of frames: only the byte position of a packet is certain."""

SILENT_CODECS = frozenset(
    (
        "flv1", "h261", "h263", "h263i", "h263p", "hevc", "mjpeg", "mpeg4", "msmpeg4v1",
        "msmpeg4v2", "msmpeg4v3", "wmv1", "wmv2",
    )
)  # fmt: skip
"""Codecs whose decoders fill in damaged parts of a picture without saying so."""

SKIPPING_CODECS = frozenset(("flv1", "h263", "mpeg4", "msmpeg4v3", "wmv1", "wmv2"))
"""Codecs in which a packet may state that nothing changed, and then gives no frame."""

MAX_SIDE = 16384
"""Pixels of the longer side of a picture, a choice: no camera gives more."""

MAX_PIXELS = 1 << 27
"""Pixels of a picture (134 million), which bounds the memory that a hostile header may ask for."""

_READ_BYTES = 1 << 16  # Read from the file at a time, a choice.
_TEXT = frozenset(range(32, 127)) | {9, 10, 13}


@dataclass
class OpenStream(Closing):
    """A file opened for one video stream; closes both the container and the file."""

    container: InputContainer
    stream: VideoStream
    file: IO[bytes]

    def close(self) -> None:
        """Closes the container and the file."""
        self.container.close()
        self.file.close()


def check_size(width: int, height: int, path: Path) -> None:
    """Refuses a picture size that no camera has.

    Raises:
        MediaError: a side is over 16,384 pixels or the picture over 134 megapixels.
    """
    if width > MAX_SIDE or height > MAX_SIDE or width * height > MAX_PIXELS:
        raise MediaError(
            f"the picture size {width}x{height} is not plausible",
            path,
            f"use a file of at most {MAX_SIDE} pixels a side and 134 megapixels",
        )


def open_stream(
    path: Path, number: int | None = None, *, threads: int = 0, strict: bool = False
) -> OpenStream:
    """Opens one video stream of a file without ever opening a second file.

    FFmpeg gets an open file object, no protocol and a closed list of formats, so that a playlist
    under a video's name reaches nothing; references inside QuickTime files stay off by default.

    Args:
        path: the file.
        number: index of the video stream; None takes the first.
        threads: decoder threads; 0 takes one a core, 1 decodes in the calling thread.
        strict: let the decoder fail at errors instead of filling in what is damaged.

    Raises:
        MediaError: the file is missing, empty, not readable, no video, has no decoder, or its
            size is absurd.
        BadInputError: `number` is not one of the file's video streams.
    """
    file = _open_file(path)
    try:
        container = _open_container(path, file)
    except BaseException:
        file.close()
        raise
    try:
        stream = _choose_stream(container, number, path)
        check_size(stream.codec_context.width, stream.codec_context.height, path)
        # FFmpeg would fill in PTS by looking ahead, and nobody could tell which are the file's.
        container.flags &= ~cast(int, Flags.gen_pts.value)
        for other in container.streams:
            other.discard = Discard.default if other.index == stream.index else Discard.all
        context = stream.codec_context
        context.copy_opaque = True
        context.thread_type = "AUTO" if threads != 1 else "SLICE"
        context.thread_count = threads
        context.options = {"max_pixels": str(MAX_PIXELS)}
        if strict:
            context.options["err_detect"] = "explode"
    except BaseException:
        container.close()
        file.close()
        raise
    return OpenStream(container, stream, file)


def describe(opened: OpenStream) -> StreamInfo:
    """Returns what the headers say about the opened stream, before any frame is decoded."""
    stream, container = opened.stream, opened.container
    context = stream.codec_context
    rate = stream.average_rate or stream.guessed_rate
    return StreamInfo(
        number=stream.index,
        container=container.format.name.split(",")[0],
        codec=_codec_name(stream),
        width=context.width,
        height=context.height,
        time_base=stream.time_base or Fraction(1, 90000),
        average_rate=Fraction(rate) if rate else None,
        pixel_aspect=Fraction(stream.sample_aspect_ratio or 1) or Fraction(1),
        interlaced=context.field_order > 1,
        sound=bool(container.streams.audio),
        streams=tuple(
            StreamSummary(
                number=other.index,
                codec=_codec_name(other),
                width=other.codec_context.width if other.codec_context else 0,
                height=other.codec_context.height if other.codec_context else 0,
            )
            for other in _video_streams(container)
        ),
        metadata={**container.metadata, **stream.metadata},
    )


def _codec_name(stream: VideoStream) -> str:
    # A decoder's own name (libdav1d) is no codec's; the canonical one is what others understand.
    context = stream.codec_context
    return context.codec.canonical_name if context else "unknown"


def _open_file(path: Path) -> IO[bytes]:
    try:
        file = open_regular_file(path)
    except NotRegularFileError as error:
        what = "not a file but a folder, pipe or device"
        raise MediaError(what, path, "name a video file") from error
    except FileNotFoundError as error:
        raise MediaError("the file does not exist", path, "check the path") from error
    except PermissionError as error:
        raise MediaError("no permission to read the file", path, "ask its owner") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MediaError(f"the file cannot be opened ({reason})", path, "check the path") from error
    try:
        if file.seek(0, 2) == 0:
            raise MediaError("the file is empty", path, "export it again from the recorder")
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def _open_container(path: Path, file: IO[bytes]) -> InputContainer:
    options = {
        "protocol_whitelist": "",
        "format_whitelist": ",".join(sorted(FORMATS)),
        "max_pixels": str(MAX_PIXELS),
    }
    try:
        return av.open(
            file, "r", options=options, buffer_size=_READ_BYTES, metadata_errors="replace"
        )
    except (av.error.FFmpegError, ValueError, OSError) as error:
        file.seek(0)
        raise _refusal(path, file.read(512), error) from error


def _refusal(path: Path, head: bytes, error: Exception) -> MediaError:
    if head and all(byte in _TEXT for byte in head):
        return MediaError(
            "a text or playlist is not a video", path, "add the video files that it names"
        )
    if isinstance(error, av.error.InvalidDataError):
        return MediaError(
            "not a video, or its header is damaged or encrypted",
            path,
            "export it again from the recorder in a common format",
        )
    return MediaError(
        "this format is not read as video",
        path,
        "convert it to MP4, MKV or AVI without encoding it again",
    )


def _video_streams(container: InputContainer) -> list[VideoStream]:
    cover = (Disposition.attached_pic | Disposition.timed_thumbnails).value
    return [stream for stream in container.streams.video if not stream.disposition & cover]


def _choose_stream(container: InputContainer, number: int | None, path: Path) -> VideoStream:
    streams = _video_streams(container)
    if not streams:
        what = "the file has sound but no video" if container.streams.audio else "no video stream"
        raise MediaError(what, path, "choose a file with video")
    if number is None:
        stream = streams[0]
    else:
        chosen = [stream for stream in streams if stream.index == number]
        if not chosen:
            known = ", ".join(str(stream.index) for stream in streams)
            raise BadInputError(f"no video stream {number}", path, f"choose one of: {known}")
        stream = chosen[0]
    if stream.codec_context is None:
        raise MediaError(
            f"no decoder for this video ({stream.codec_tag})",
            path,
            "it may be encrypted; export it again from the recorder",
        )
    return stream
