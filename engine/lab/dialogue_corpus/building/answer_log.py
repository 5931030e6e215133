"""Answers of a language model about one video, kept as they come: none is asked for twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from engine.core.errors import ResourceError
from engine.lab.dialogue_corpus.files.json_lines import write_lines

Key = tuple[int, int | None]


@dataclass(frozen=True)
class Answer:
    """What became of a question.

    Attributes:
        said: by field; None when no answer fitted, or none was asked for.
        counts: `answer: fits`, or `answer: ` and why one did not, for every try.
    """

    said: Mapping[str, str] | None = None
    counts: Counter[str] = field(default_factory=Counter)


class Journal:
    """Answers about one video on disk, from the first question to the written video.

    Args:
        path: of the file; it is there only while the video is being described.
        made: how the video is described; answers that were made otherwise do not count.
    """

    def __init__(self, path: Path, made: Mapping[str, Any]) -> None:
        self._path = path
        self._made = made
        self._file: TextIO | None = None
        self._held: dict[Key, Answer] = {}

    def __enter__(self) -> Journal:
        self._held = _read(self._path, self._made)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def answer(
        self, key: Key, ask: Callable[[], tuple[dict[str, str] | None, Counter[str]]]
    ) -> Answer:
        """Returns the kept answer, or asks and keeps what came.

        Raises:
            ResourceError: the disk is full, or the language model stopped.
        """
        if key not in self._held:
            said, counts = ask()
            told = Counter({f"answer: {name}": count for name, count in counts.items()})
            self._held[key] = Answer(said, told)
            self._keep(key, self._held[key])
        return self._held[key]

    def done(self) -> None:
        """Removes the file: the video it belongs to is written."""
        if self._file is not None:
            self._file.close()
        self._path.unlink(missing_ok=True)

    def _keep(self, key: Key, answer: Answer) -> None:
        try:
            if self._file is None:
                # What a killed run left of a line goes.
                held = [_line(one, self._held[one]) for one in self._held if one != key]
                write_lines(self._path, [{"made": self._made}, *held])
                self._file = self._path.open("a", encoding="utf-8", newline="\n")
            self._file.write(json.dumps(_line(key, answer), sort_keys=True) + "\n")
            self._file.flush()
        except OSError as error:
            raise ResourceError(
                f"cannot be written ({error.strerror or error})", self._path,
                "make room and run it again",
            ) from error  # fmt: skip


def _line(key: Key, answer: Answer) -> dict[str, Any]:
    said = None if answer.said is None else dict(answer.said)
    return {"frame": key[0], "target": key[1], "said": said, "counts": dict(answer.counts)}


def _read(path: Path, made: Mapping[str, Any]) -> dict[Key, Answer]:
    """Reads what a killed run kept, up to a line that it did not end."""
    held: dict[Key, Answer] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        if not lines or json.loads(lines[0]) != {"made": dict(made)}:
            return {}
        for line in lines[1:]:
            one = json.loads(line)
            said = None if one["said"] is None else {str(k): str(v) for k, v in one["said"].items()}
            held[int(one["frame"]), one["target"]] = Answer(said, Counter(one["counts"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return held
    return held
