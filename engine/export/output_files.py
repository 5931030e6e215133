"""Files that leave a case: checked, written whole or not at all, hashed and recorded."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from engine.case import Case, refuse_beside_evidence
from engine.core.errors import BadInputError, CancelledError, SightlineError
from engine.core.files import translated_write_errors, write_error
from engine.core.progress import CancelToken, ProgressCallback, silent
from engine.media import hash_file

_BLOCK_BYTES = 1 << 20  # Copied and hashed between two looks at the cancel token; milliseconds.


@dataclass(frozen=True)
class WrittenFile:
    """A file that was written from a case.

    Attributes:
        path: its absolute path.
        kind: the form it has (`mp4`, `png`, `npz`, …).
        sha256: SHA-256 of its bytes.
        size: its size in bytes.
    """

    path: Path
    kind: str
    sha256: str
    size: int


def check_ending(path: Path, endings: tuple[str, ...]) -> str:
    """Returns the ending of a file's name in lower case, without its dot.

    Raises:
        BadInputError: this version does not write files with that ending.
    """
    ending = path.suffix.lower().lstrip(".")
    if ending not in endings:
        names = [f".{name}" for name in endings]
        what = f"this version writes no .{ending} here" if ending else "the file has no ending"
        raise BadInputError(what, path, f"name a file that ends in {', '.join(names)}")
    return ending


class Output:
    """The files of one export or report, put in place and recorded together.

    It is a context manager: files that are not committed are removed.
    """

    def __init__(self, case: Case, target: Path, beside_evidence: bool = False) -> None:
        """Checks whether the files may be written where they are to be (R1).

        Args:
            case: open for writing.
            target: the main file; the others are written beside it.
            beside_evidence: whether the examiner insists on a folder that holds evidence.

        Raises:
            BadInputError: the path is not allowed, or holds something that is no export.
        """
        self.target = target.absolute()
        self._case = case
        self._parts: list[tuple[Path, Path, str]] = []
        sources = [Path(row.path) for row in case.evidence.all()]
        self._insisted = refuse_beside_evidence(self.target, sources, beside_evidence)
        self._sources = sources
        self._known = {(row.path, row.sha256) for row in case.exports.all()}
        self._check(self.target)

    def part(self, kind: str, name: str | None = None) -> Path:
        """Returns the temporary path of a file to write.

        Args:
            kind: the form it has.
            name: its name beside the target; None for the target itself.

        Raises:
            BadInputError: the path holds something that is no export, or cannot be written.
            ResourceError: the disk is full.
        """
        final = self.target if name is None else self.target.with_name(name)
        if name is not None:
            self._check(final)
        with translated_write_errors(final):
            final.parent.mkdir(parents=True, exist_ok=True)
        temporary = final.with_name(f".{secrets.token_hex(6)}.part")
        self._parts.append((temporary, final, kind))
        return temporary

    def commit(
        self,
        run_id: int | None = None,
        cancel: CancelToken | None = None,
        progress: ProgressCallback = silent,
        entry: tuple[str, Mapping[str, object]] | None = None,
    ) -> list[WrittenFile]:
        """Hashes the files, moves them to their final paths and records them.

        Args:
            run_id: the run that they show; None when they are about the whole case.
            cancel: is checked while hashing.
            progress: is called with the progress of hashing.
            entry: action and parameters of an audit entry that is recorded with them.

        Raises:
            BadInputError: they cannot be written.
            ResourceError: the disk is full, or another process took over the case; nothing is left.
            CancelledError: the user stopped.
        """
        written = []
        for temporary, final, kind in self._parts:
            with translated_write_errors(final):
                _to_disk(temporary)
                size = temporary.stat().st_size
            sha256 = hash_file(temporary, cancel=cancel, progress=progress)["sha256"]
            written.append(WrittenFile(final, kind, sha256, size))
        insisted = None if self._insisted is None else str(self._insisted)
        moved: list[Path] = []
        try:
            with self._case.change() as change:
                if entry is not None:
                    change.record(entry[0], "case", entry[1])
                for file in written:
                    change.exports.add(
                        str(file.path), file.kind, file.sha256, file.size, run_id, insisted
                    )
                for temporary, final, _ in self._parts:
                    with translated_write_errors(final):
                        temporary.replace(final)
                    moved.append(final)
        except BaseException:
            # A file that is not recorded must not look like one that is.
            for final in moved:
                final.unlink(missing_ok=True)
            raise
        self._parts.clear()
        return written

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for temporary, _, _ in self._parts:
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise write_error(error, self.target) from error
        if isinstance(error, CancelledError):
            raise CancelledError(
                "cancelled", self.target, "no file was written; run again"
            ) from error
        if isinstance(error, SightlineError):
            for temporary, final, _ in self._parts:
                if error.where == str(temporary):
                    raise _error_about(error, final) from error

    def _check(self, final: Path) -> None:
        with translated_write_errors(final):
            self._check_path(final)
            self._check_existing(final)

    def _check_path(self, final: Path) -> None:
        resolved = final.resolve()
        for source in self._sources:
            original = source.resolve()
            if resolved == original or original in resolved.parents or _is_same(final, source):
                raise BadInputError(
                    "this would change evidence", final, "name a file outside the evidence"
                )
        folder, derived = self._case.path.resolve(), self._case.derived_folder.resolve()
        if folder in resolved.parents and derived not in resolved.parents:
            raise BadInputError(
                "output inside the case belongs into its folder derived", final,
                f"name a file in {self._case.derived_folder}, or outside the case",
            )  # fmt: skip

    def _check_existing(self, final: Path) -> None:
        try:
            final.lstat()
        except FileNotFoundError:
            return
        if final.is_dir():
            raise BadInputError("a folder has this name", final, "name a file")
        ours = {sha256 for path, sha256 in self._known if path == str(final)}
        if not ours or not final.is_file() or hash_file(final)["sha256"] not in ours:
            raise BadInputError(
                "a file is there already that this case did not write so",
                final,
                "give another name, or remove the file first",
            )


def read_blocks(file: IO[bytes]) -> Iterator[bytes]:
    """Yields the rest of a file in blocks that take some milliseconds each."""
    while block := file.read(_BLOCK_BYTES):
        yield block


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False


def _to_disk(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _error_about(error: SightlineError, final: Path) -> SightlineError:
    """Returns an error about a temporary file as one about the file that it was to become."""
    for reason in (error.__cause__, error.__context__):
        if isinstance(reason, OSError):
            return write_error(reason, final)
    return type(error)(error.what, final, error.remedy)
