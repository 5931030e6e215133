"""Messages between the window and an engine process: one JSON object a line, both ways.

A request is `{"v": 1, "id", "type", ...}`; every reply carries the request's id. Unknown fields are
ignored, so that either side may say more than the other understands. A request is a word here, its
fields in `engine/worker/request_fields.py`, what answers it in `engine/worker/requests.py`, and a
line in docs/formats.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.core.errors import BadInputError, CancelledError, ResourceError, SightlineError
from engine.core.json_input import MAX_BYTES, parse_json
from engine.core.progress import Progress

VERSION = 1
"""Version of the protocol, which every message names."""

MAX_LINE_BYTES = MAX_BYTES
"""Size of the longest line that is read."""

HELLO, ADD, ANALYSE, RECALIBRATE = "hello", "add", "analyse", "recalibrate"
VERIFY, REPORT, EXPORT = "verify", "report", "export"
ARCHIVE, PACKS = "archive", "packs"
TEACH, FIND = "teach", "find"
ASK, CANCEL, SHUTDOWN = "ask", "cancel", "shutdown"

PROGRESS, CHUNK, DONE, ERROR = "progress", "chunk", "done", "error"
TOKEN = "token"

_ERRORS_BY_CODE = {2: BadInputError, 3: CancelledError, 4: ResourceError}


@dataclass(frozen=True)
class Message:
    """One message.

    Attributes:
        id: of the request it is or answers; 0 when it answers none.
        type: one of the words above, or an unknown one.
        fields: all others; their types are not checked yet.
    """

    id: int
    type: str
    fields: Mapping[str, Any] = field(default_factory=dict)


def encode(message_id: int, kind: str, **fields: object) -> bytes:
    """Returns a message as a line, in ASCII, because a file's name need not be text at all."""
    message = {"v": VERSION, "id": message_id, "type": kind, **fields}
    return json.dumps(message, allow_nan=False).encode("ascii") + b"\n"


def decode(line: bytes) -> Message:
    """Reads a line; its few fields are checked here, because the window must not wait for pydantic.

    Raises:
        BadInputError: it is no message of this version.
    """
    if len(line) > MAX_LINE_BYTES:
        raise BadInputError("a message too long to read", f"{len(line)} bytes", "send less")
    try:
        # A request with a number that is none is refused under its id, by the field.
        values = parse_json(line, allow_nan=True)
    except ValueError as error:
        raise BadInputError("not a message", "", "send one JSON object a line") from error
    if not isinstance(values, dict) or values.get("v") != VERSION:
        raise BadInputError("not a message of this version", "", f'say "v": {VERSION}')
    message_id, kind = values.get("id"), values.get("type")
    if type(message_id) is not int or not isinstance(kind, str):
        raise BadInputError("a message without id or type", "", "give both")
    fields = {name: value for name, value in values.items() if name not in ("v", "id", "type")}
    return Message(message_id, kind, fields)


def progress_fields(progress: Progress) -> dict[str, object]:
    """Returns how far a piece of work is, as the fields of a progress reply."""
    return {
        "stage": progress.stage,
        "done": progress.done,
        "total": progress.total,
        "fps": progress.rate,
        "seconds_left": progress.seconds_left,
        "unit": progress.unit,
    }


class MarkLike(Protocol):
    """A target that was marked in a frame, as the window and the engine both have it."""

    @property
    def evidence_id(self) -> int:
        """Id of the evidence."""
        ...

    @property
    def seconds(self) -> float:
        """Stream time of the frame."""
        ...

    @property
    def name(self) -> str:
        """Name of the target, a prompt at word level."""
        ...

    @property
    def normal(self) -> bool:
        """Whether the target is normal; otherwise it is abnormal."""
        ...

    @property
    def shape(self) -> str:
        """`box`, `point` or `brush`."""
        ...

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """Two opposite corners of a box, a point, or the stroke of a brush, in decoded pixels."""
        ...

    @property
    def radius(self) -> float:
        """Radius of a brush in decoded pixels; 0 for the other shapes."""
        ...


def mark_fields(mark: MarkLike) -> dict[str, Any]:
    """Returns a mark as requests and files of marks have it."""
    fields: dict[str, Any] = {
        "evidence_id": mark.evidence_id,
        "time": mark.seconds,
        "name": mark.name,
        "normal": mark.normal,
    }
    if mark.shape == "box":
        (x, y), (to_x, to_y) = mark.points
        return fields | {"box": [min(x, to_x), min(y, to_y), abs(to_x - x), abs(to_y - y)]}
    if mark.shape == "point":
        return fields | {"point": list(mark.points[0])}
    points = [list(point) for point in mark.points]
    return fields | {"brush": {"points": points, "radius": mark.radius}}


def error_fields(error: SightlineError) -> dict[str, object]:
    """Returns an error as the fields of an error reply."""
    return {
        "what": error.what,
        "where": error.where,
        "remedy": error.remedy,
        "code": error.exit_code,
    }


def error_of(message: Message) -> SightlineError:
    """Returns the error that an error reply stands for."""
    fields = message.fields
    kind = _ERRORS_BY_CODE.get(fields.get("code", 2), SightlineError)
    return kind(*(str(fields.get(name, "")) for name in ("what", "where", "remedy")))
