"""Files that benchmarks need and that are made on the spot."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av


def encode_1080p(source: Path, target: Path, frames: int) -> None:
    """Scales a video to 1920x1080 and encodes it with H.264 at 25 fps, two-second groups."""
    encode(source, target, (1920, 1080), frames)


def encode(source: Path, target: Path, size: tuple[int, int], frames: int) -> None:
    """Scales a video and encodes it with H.264 at 25 fps, two-second groups."""
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        # One slice a frame, as recorders write them; the encoder would slice by its threads.
        x264 = "sliced-threads=0:slices=1"
        options = {"preset": "veryfast", "crf": "23", "g": "50", "x264-params": x264}
        stream = writer.add_stream("libx264", rate=25, options=options)
        (stream.width, stream.height), stream.pix_fmt = size, "yuv420p"
        for number, frame in enumerate(reader.decode(video=0)):
            if number >= frames:
                break
            scaled = frame.reformat(*size, "yuv420p")
            scaled.pts, scaled.time_base = number, Fraction(1, 25)
            writer.mux(stream.encode(scaled))
        writer.mux(stream.encode(None))


def loop(source: Path, target: Path, seconds: float) -> None:
    """Repeats a video without encoding it again until it lasts `seconds`."""
    with av.open(str(target), "w") as writer:
        stream, offset, length = None, 0, 0.0
        while length < seconds:
            with av.open(str(source)) as reader:
                video = reader.streams.video[0]
                base = video.time_base or Fraction(1, 25)
                if stream is None:
                    stream = writer.add_stream_from_template(video)
                    stream.time_base = base
                end = 0
                for packet in reader.demux(video):
                    if packet.dts is None or packet.pts is None:
                        continue
                    end = max(end, packet.pts + (packet.duration or 0))
                    packet.pts += offset
                    packet.dts += offset
                    packet.stream = stream
                    writer.mux(packet)
                offset += end
                length = float(offset * base)
