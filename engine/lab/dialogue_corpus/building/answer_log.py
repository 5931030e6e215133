"""The log of a language model's answers about one video, so that no question is asked twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from engine.core.errors import ResourceError
from engine.core.files import Closing
from engine.lab.dialogue_corpus.files.json_lines import write_lines

Key = tuple[int, int | None]
"""Frame and target that a question is about; no target for a question about the surroundings."""


@dataclass(frozen=True)
class LoggedAnswer:
    """The answer to a question, and what every try gave.

    Attributes:
        values: what the form names, by field; None when no answer fitted, or no question was asked.
        counts: `answer: fits`, or `answer: ` and why it did not fit, for every try.
    """

    values: Mapping[str, str] | None = None
    counts: Counter[str] = field(default_factory=Counter)


class AnswerLog(Closing):
    """The answers about one video on disk, from the first question to the written video.

    Args:
        path: the file; it is there only while the video is being described.
        recipe: how the video is described; answers that were made in another way do not count.
    """

    def __init__(self, path: Path, recipe: Mapping[str, Any]) -> None:
        self._path = path
        self._recipe = recipe
        self._file: TextIO | None = None
        self._answers = _read(path, recipe)

    def close(self) -> None:
        """Closes the file, which stays where it is."""
        if self._file is not None:
            self._file.close()

    def answer(
        self, key: Key, ask: Callable[[], tuple[dict[str, str] | None, Counter[str]]]
    ) -> LoggedAnswer:
        """Returns the answer of the log, or asks and logs the answer.

        Raises:
            ResourceError: the disk is full, or the language model stopped.
        """
        if key not in self._answers:
            values, counts = ask()
            tries = Counter({f"answer: {name}": count for name, count in counts.items()})
            self._answers[key] = LoggedAnswer(values, tries)
            self._append(key, self._answers[key])
        return self._answers[key]

    def remove(self) -> None:
        """Removes the file: the video that it belongs to is written."""
        self.close()
        self._path.unlink(missing_ok=True)

    def _append(self, key: Key, answer: LoggedAnswer) -> None:
        try:
            if self._file is None:
                # Written anew, without what a killed run left of a line.
                lines = [_line(k, known) for k, known in self._answers.items() if k != key]
                write_lines(self._path, [{"made": self._recipe}, *lines])
                self._file = self._path.open("a", encoding="utf-8", newline="\n")
            self._file.write(json.dumps(_line(key, answer), sort_keys=True) + "\n")
            self._file.flush()
        except OSError as error:
            raise ResourceError(
                f"cannot be written ({error.strerror or error})", self._path,
                "make room and run it again",
            ) from error  # fmt: skip


def _line(key: Key, answer: LoggedAnswer) -> dict[str, Any]:
    values = None if answer.values is None else dict(answer.values)
    return {"frame": key[0], "target": key[1], "said": values, "counts": dict(answer.counts)}


def _read(path: Path, recipe: Mapping[str, Any]) -> dict[Key, LoggedAnswer]:
    """Reads the answers of a killed run, up to a line that it did not end."""
    answers: dict[Key, LoggedAnswer] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        if not lines or json.loads(lines[0]) != {"made": dict(recipe)}:
            return {}
        for line in lines[1:]:
            record = json.loads(line)
            values = record["said"]
            if values is not None:
                values = {str(name): str(value) for name, value in values.items()}
            key = int(record["frame"]), record["target"]
            answers[key] = LoggedAnswer(values, Counter(record["counts"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return answers
    return answers
