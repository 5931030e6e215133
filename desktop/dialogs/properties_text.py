"""The properties of evidence as text: file, hash, container, streams, frame times, checks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from engine.case import EvidenceRow, StreamRow
from engine.core.times import format_time

_COUNTS = (
    ("duplicates", "frames with the PTS of another"),
    ("missing", "frames promised and not there"),
    ("discarded", "frames marked to be discarded"),
    ("discontinuities", "jumps of the clock"),
    ("unreadable", "packets that cannot be read"),
)


def properties_text(
    evidence: EvidenceRow, streams: Sequence[StreamRow], mismatches: Sequence[str]
) -> str:
    """Returns the properties of a piece of evidence, one line each.

    Args:
        evidence: its row.
        streams: of its container.
        mismatches: UTC times of the verifications that found the file changed.
    """
    try:
        properties = json.loads(evidence.properties)
    except ValueError:
        properties = {}
    modified = datetime.fromtimestamp(evidence.mtime_ns / 1e9, UTC)
    lines = [
        ("Name", evidence.name),
        ("Path when added", evidence.path),
        ("Copy in the case", evidence.copied_to or "none; the original is read"),
        ("Size", f"{evidence.size:,} bytes"),
        ("Modified", f"{modified:%Y-%m-%d %H:%M:%S} UTC"),
        ("Added", evidence.added_utc),
        ("SHA-256", evidence.sha256),
        ("Found changed", ", ".join(mismatches) or "never"),
        *_container(properties),
    ]
    for row in streams:
        lines += _stream(row)
    lines += [(f"Container says: {name}", str(text)) for name, text in _metadata(properties)]
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name:<{width}}  {' '.join(text.split())}" for name, text in lines)


def _container(properties: Mapping[str, Any]) -> list[tuple[str, str]]:
    rate = properties.get("average_rate")
    rate_text = "not stated" if rate is None else f"{rate} frames a second, as the container states"
    times = "made from decoding times or the rate; the file has none"
    lines = [
        ("Container", str(properties.get("container") or "unknown")),
        ("Rate", "variable" if properties.get("variable_rate") else rate_text),
        ("PTS", times if properties.get("made_pts") else "as recorded in the file"),
        ("Keyframes", str(properties.get("keyframes", "unknown"))),
        ("Gaps", str(len(properties.get("gaps") or []))),
    ]
    counts = [(words, properties.get(name)) for name, words in _COUNTS]
    lines += [(words.capitalize(), str(count)) for words, count in counts if count]
    lines += [
        ("Interlaced", "yes" if properties.get("interlaced") else "no"),
        ("Rotation", f"{properties.get('rotation', 0)} degrees clockwise for display"),
        ("Pixel aspect", str(properties.get("pixel_aspect", "1"))),
        ("Sound", "there is some; it is not examined" if properties.get("sound") else "none"),
    ]
    return lines


def _stream(row: StreamRow) -> list[tuple[str, str]]:
    stream = row.stream
    return [
        (
            f"Stream {stream.number}",
            f"{stream.codec}, {stream.width} x {stream.height} decoded pixels, "
            f"{stream.frames:,} frames, {format_time(stream.duration_s)}",
        ),
        (
            "  its clock",
            f"time base {stream.time_base_num}/{stream.time_base_den} s, first PTS "
            f"{stream.first_pts}",
        ),
    ]


def _metadata(properties: Mapping[str, Any]) -> list[tuple[str, Any]]:
    metadata = properties.get("metadata")
    return sorted(metadata.items()) if isinstance(metadata, dict) else []
