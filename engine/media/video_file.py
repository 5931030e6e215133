"""A video file as a source of exact frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from engine.core.errors import MediaError
from engine.core.progress import CancelToken, ProgressCallback
from engine.core.stream import Frame
from engine.media.container import OpenStream, check_size, describe, open_stream
from engine.media.decoding import DamageError, DecodedFrame, Decoder, GroupReader
from engine.media.group_cache import EMPTY_FRAME_BYTES, GroupCache
from engine.media.index_cache import IndexCache
from engine.media.indexing import index_stream
from engine.media.picture_groups import PictureGroups
from engine.media.pixel_converter import PixelConverter, Pixels, frame_bytes, picture_type
from engine.media.sequential_reader import SequentialReader
from engine.media.source import Size, Source


class VideoSource(Source):
    """A video file; see `Source` for what it does and `open_source` for how to get one."""

    def __init__(
        self,
        path: Path,
        stream: int | None,
        fps: Fraction | None,
        cache_bytes: int,
        cancel: CancelToken,
        progress: ProgressCallback,
        indexes: IndexCache | None = None,
    ) -> None:
        self.path = path
        opened = open_stream(path, stream, threads=1)
        try:
            self.info = describe(opened)
            stored = None if indexes is None else indexes.load(path, self.info.number, fps)
            self.index, self._table = stored or index_stream(
                opened, self.info, path, fps, cancel, progress
            )
            if indexes is not None and stored is None:
                indexes.store(path, self.info.number, fps, self.index, self._table)
            # Opening a file of a day takes a quarter of a second: an unread stream serves again.
            first = self._decode_first_frame(cancel, None if stored is None else opened)
        finally:
            opened.close()
        self._groups = PictureGroups(self._table)
        self._damaged: set[int] = set()
        self._cache: GroupCache[DecodedFrame] = GroupCache(cache_bytes)
        self._fast: GroupReader | None = None
        self._careful: GroupReader | None = None
        self._picker: SequentialReader | None = None
        self._converters: dict[Pixels, PixelConverter] = {}
        self._complete_info(first)

    def frame(self, i: int, pixels: Pixels = "rgb") -> Frame:
        """Returns frame `i`; see `Source.frame`."""
        group = self._groups.of_entry(self._check_index(i))
        decoded = self._cache.get(group, i)
        if decoded is None:
            decoded = self._decode(i, group)
        if decoded.frame is None:
            return self._as_frame(decoded, None, None)
        if pixels not in self._converters:
            self._converters[pixels] = PixelConverter(pixels, (self.info.width, self.info.height))
        image = self._converters[pixels].convert(decoded.frame)
        return self._as_frame(decoded, image, decoded.frame)

    def close(self) -> None:
        """Closes the files and frees the cache."""
        for reader in (self._fast, self._careful, self._picker):
            if reader is not None:
                reader.close()
        self._fast = self._careful = self._picker = None
        self._cache.clear()

    def pick(self, i: int, *, size: Size, pixels: Pixels = "gray") -> Frame:
        """Returns frame `i` at a size; see `Source.pick`."""
        indices = range(self._check_index(i), i + 1)
        if self._picker is None:
            # PyAV's containers are freed by garbage collection only: a new one a call piles up.
            self._picker = self._sequential_reader()
        (frame,) = self._read(self._picker, indices, PixelConverter(pixels, size))
        return frame

    def _iterate(self, indices: range, size: Size, pixels: Pixels) -> Iterator[Frame]:
        if not len(indices):
            return
        reader = self._sequential_reader()
        try:
            yield from self._read(reader, indices, PixelConverter(pixels, size))
        finally:
            reader.close()

    def _sequential_reader(self) -> SequentialReader:
        return SequentialReader(
            self._reopen, self._table, self._groups, self.info.codec, self._damaged
        )

    def _read(
        self, reader: SequentialReader, indices: range, converter: PixelConverter
    ) -> Iterator[Frame]:
        def convert(frame: VideoFrame) -> tuple[NDArray[np.uint8], bool, str]:
            return converter.convert(frame), self._fits(frame), picture_type(frame)

        for entry, (decoded, converted) in zip(indices, reader.read(indices, convert), strict=True):
            pts = int(self.index.pts[entry])
            if converted is None:
                yield Frame(entry, pts, None, True, "?")
            else:
                image, fits, kind = converted
                yield Frame(entry, pts, image, decoded.damaged or not fits, kind)

    def _reopen(self, threads: int, strict: bool) -> OpenStream:
        return open_stream(self.path, self.info.number, threads=threads, strict=strict)

    def _decode(self, i: int, group: int) -> DecodedFrame:
        if group not in self._damaged:
            if self._fast is None:
                self._fast = self._group_reader(careful=False)
            try:
                return self._fast.read(i, self._cache_frame)
            except DamageError:
                self._damaged.update(self._groups.damaged_by(group))
        if self._careful is None:
            self._careful = self._group_reader(careful=True)
        return self._careful.read(i, self._cache_frame)

    def _group_reader(self, *, careful: bool) -> GroupReader:
        return GroupReader(
            self._reopen,
            self._table,
            self._groups,
            self.info.codec,
            careful=careful,
        )

    def _cache_frame(self, group: int, decoded: DecodedFrame) -> None:
        size = EMPTY_FRAME_BYTES if decoded.frame is None else frame_bytes(decoded.frame)
        self._cache.put(group, decoded.entry, decoded, size)

    def _as_frame(
        self, decoded: DecodedFrame, image: NDArray[np.uint8] | None, frame: VideoFrame | None
    ) -> Frame:
        pts = int(self.index.pts[decoded.entry])
        if frame is None:
            return Frame(decoded.entry, pts, None, True, "?")
        damaged = decoded.damaged or not self._fits(frame)
        return Frame(decoded.entry, pts, image, damaged, picture_type(frame))

    def _fits(self, frame: VideoFrame) -> bool:
        return (frame.width, frame.height) == (self.info.width, self.info.height)

    def _decode_first_frame(self, cancel: CancelToken, unread: OpenStream | None) -> VideoFrame:
        """Returns the first frame that can be decoded.

        Args:
            cancel: checked between packets.
            unread: the stream opened already; closed afterwards.

        Raises:
            MediaError: there is none.
        """
        opened = iter(() if unread is None else (unread,))
        decoder = Decoder(lambda: next(opened, None) or self._reopen(1, False), self._table)
        try:
            while True:
                cancel.check()
                output = decoder.feed(len(self._table))
                for decoded in decoder.drain() if output is None else output:
                    if decoded.frame is not None:
                        return decoded.frame
                if output is None:
                    break
        finally:
            decoder.close()
        what = "none of the frames can be decoded"
        if not self.info.width:
            what += " and the picture size in the header is not plausible"
        raise MediaError(
            what,
            self.path,
            "the file is damaged or encrypted; export it again from the recorder",
        )

    def _complete_info(self, frame: VideoFrame) -> None:
        """Takes from the first frame what headers leave out or get wrong."""
        check_size(frame.width, frame.height, self.path)
        self.info = replace(
            self.info,
            width=frame.width,
            height=frame.height,
            time_base=self.index.time_base,
            rotation=-90 * round(frame.rotation / 90) % 360,
            interlaced=self.info.interlaced or frame.interlaced_frame,
        )
