"""Adds evidence to a case and makes sure that it is still what was added."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from engine.case import Case, EvidenceRow, NewEvidence, NewStream
from engine.core.arrays import pack_arrays, unpack_arrays
from engine.core.errors import BadInputError, MediaError, ResourceError
from engine.core.progress import CancelToken, ProgressCallback, silent
from engine.core.stream import FrameIndex, StreamInfo
from engine.media import IndexCache, Source, fingerprint, hash_evidence, open_source
from engine.media.image_folder import image_files

_IMAGES_FPS = 25.0  # Of image folders without a named rate; that of PAL and of most data sets.


def add_evidence(
    case: Case,
    path: Path,
    *,
    stream: int | None = None,
    fps: float | None = None,
    copy: bool = False,
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
) -> tuple[EvidenceRow, Source]:
    """Adds evidence, or finds it when the case has it already, and opens it.

    Hashing and indexing read the file side by side.

    Args:
        case: open for writing.
        path: a video file, or a folder of numbered images.
        stream: index of the video stream; None takes the first.
        fps: frame rate of images.
        copy: whether the case keeps a copy and reads that.
        cancel: looked at while hashing and indexing.
        progress: is given how far hashing is.

    Returns:
        The evidence and its open source, which the caller closes.

    Raises:
        MediaError: it cannot be opened as evidence.
        BadInputError: it changed since it was added, which is recorded; or `fps` is not the one
            it was added with.
        ResourceError: the disk is full.
        CancelledError: the user stopped.
    """
    absolute = path.absolute()
    rows = case.evidence.with_path(str(absolute))
    known = rows[-1] if rows else None
    token = cancel or CancelToken()
    hashing = _Hashing(absolute, token, progress)
    try:
        rate = known.fps if known and fps is None else fps
        indexes = IndexCache(case.path / "cache" / "indexes", read=False)
        source = open_source(absolute, stream=stream, fps=rate, cancel=token, indexes=indexes)
    except MediaError:
        if known and absolute.exists():
            check_unchanged(case, known, hashing.result())
        hashing.stop()
        raise
    except BaseException:
        hashing.stop()
        raise
    try:
        sha256 = hashing.result()
        if known is None:
            return _add(case, absolute, sha256, source, fps, copy), source
        check_unchanged(case, known, sha256)
        _check_times(case, known, source)
        _add_missing_stream(case, known, source)
        return known, source
    except BaseException:
        source.close()
        raise


@contextmanager
def open_evidence(
    case: Case, evidence: EvidenceRow, stream: int, cancel: CancelToken | None = None
) -> Iterator[Source]:
    """Opens evidence that is what was added; hashes it when its size or time of change differs.

    Args:
        case: open for writing.
        evidence: of the case.
        stream: index of the video stream.
        cancel: looked at while hashing and indexing.

    Raises:
        MediaError: it is missing or cannot be opened.
        BadInputError: it changed since it was added, which is recorded.
        CancelledError: the user stopped.
    """
    path = case.evidence_path(evidence)
    if not path.exists():
        raise MediaError("the evidence is missing", path, "put it back, its hash is compared then")
    state = fingerprint(path)
    if (state.size, state.mtime_ns) != (evidence.size, evidence.mtime_ns):
        check_unchanged(case, evidence, hash_evidence(path, cancel=cancel)["sha256"])
    indexes = IndexCache(case.path / "cache" / "indexes")
    with open_source(
        path, stream=stream, fps=evidence.fps, cancel=cancel, indexes=indexes
    ) as source:
        yield source


def check_unchanged(case: Case, evidence: EvidenceRow, sha256: str | None) -> None:
    """Makes sure that evidence is what was added; a mismatch is recorded for good.

    Raises:
        BadInputError: the hash differs.
    """
    if sha256 == evidence.sha256:
        return
    with case.change() as change:
        change.evidence.record_mismatch(evidence.id, sha256)
    raise BadInputError(
        f"evidence changed since it was added (recorded {evidence.sha256[:12]}…, now "
        f"{(sha256 or 'unreadable')[:12]}…)",
        evidence.path,
        "restore the original file; the mismatch is on record",
    )


def _check_times(case: Case, evidence: EvidenceRow, source: Source) -> None:
    """Makes sure that frames have the times that earlier runs and their events refer to."""
    index = source.index
    for stored in case.evidence.streams(evidence.id):
        stream = stored.stream
        if stream.number != source.info.number or stream.pts is None:
            continue
        time_base = Fraction(stream.time_base_num, stream.time_base_den)
        pts = unpack_arrays(stream.pts)["pts"]
        if time_base != index.time_base or not np.array_equal(pts, index.pts):
            raise BadInputError(
                "another frame rate than when the evidence was added",
                evidence.path,
                "leave --fps out, or use another case",
            )


def stream_properties(info: StreamInfo, index: FrameIndex) -> dict[str, Any]:
    """Returns everything known about a stream, as JSON values."""
    properties: dict[str, Any] = {
        **asdict(info),
        "time_base": str(info.time_base),
        "average_rate": None if info.average_rate is None else str(info.average_rate),
        "pixel_aspect": str(info.pixel_aspect),
        "streams": [asdict(stream) for stream in info.streams],
        "frames": len(index),
        "keyframes": int(index.keyframe.sum()),
        "duration_s": index.duration_s,
        "made_pts": index.made,
        "duplicates": index.duplicates,
        "gaps": [list(gap) for gap in index.gaps],
        "variable_rate": index.variable_rate,
        "missing": index.missing,
        "discarded": index.discarded,
        "discontinuities": index.discontinuities,
        "unreadable": index.unreadable,
    }
    return properties


class _Hashing:
    """Hashes evidence in a thread of its own while it is indexed."""

    def __init__(self, path: Path, cancel: CancelToken, progress: ProgressCallback) -> None:
        self._stop = CancelToken()
        self._cancel = cancel
        self._result: str | BaseException | None = None
        self._thread = threading.Thread(
            target=self._work, args=(path, progress), name="hashing", daemon=True
        )
        self._thread.start()

    def _work(self, path: Path, progress: ProgressCallback) -> None:
        try:
            self._result = hash_evidence(path, cancel=self._stop, progress=progress)["sha256"]
        except Exception as error:  # raised again by `result` in the caller's thread
            self._result = error

    def stop(self) -> None:
        """Gives up and waits for the thread."""
        self._stop.cancel()
        self._thread.join()

    def result(self) -> str:
        """Waits for the hash; raises what hashing raised."""
        while self._thread.is_alive():
            self._thread.join(0.1)
            if self._cancel.cancelled:
                self.stop()
                self._cancel.check()
        if isinstance(self._result, BaseException):
            raise self._result
        return str(self._result)


def _add(
    case: Case, path: Path, sha256: str, source: Source, fps: float | None, copy: bool
) -> EvidenceRow:
    info, index = source.info, source.index
    state = fingerprint(path)
    new = NewEvidence(
        path=str(path),
        kind="images" if path.is_dir() else "video",
        sha256=sha256,
        size=state.size,
        mtime_ns=state.mtime_ns,
        fps=(fps or _IMAGES_FPS) if path.is_dir() else fps if index.made else None,
        copied_to=_copy(case, path, sha256) if copy else None,
        properties=json.dumps(stream_properties(info, index), sort_keys=True),
        streams=(_stream(info, index),),
    )
    with case.change() as change:
        evidence_id = change.evidence.add(new)
    return case.evidence.get(evidence_id)


def _add_missing_stream(case: Case, evidence: EvidenceRow, source: Source) -> None:
    known = {row.stream.number for row in case.evidence.streams(evidence.id)}
    if source.info.number not in known:
        with case.change() as change:
            change.evidence.add_stream(evidence.id, _stream(source.info, source.index))


def _stream(info: StreamInfo, index: FrameIndex) -> NewStream:
    flags = {
        "made_pts": index.made,
        "interlaced": info.interlaced,
        "variable_rate": index.variable_rate,
        "rotation": info.rotation,
    }
    return NewStream(
        number=info.number,
        codec=info.codec,
        width=info.width,
        height=info.height,
        time_base_num=info.time_base.numerator,
        time_base_den=info.time_base.denominator,
        first_pts=int(index.pts[0]),
        frames=len(index),
        duration_s=index.duration_s,
        flags=json.dumps(flags),
        pts=pack_arrays({"pts": index.pts, "keyframe": index.keyframe}),
    )


def _copy(case: Case, path: Path, sha256: str) -> str:
    relative = Path("evidence") / sha256[:16] / path.name
    target = case.path / relative
    if target.exists() and hash_evidence(target)["sha256"] == sha256:
        return relative.as_posix()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            target.mkdir(exist_ok=True)
            for image in image_files(path):
                shutil.copy2(image, target)
        else:
            shutil.copy2(path, target)
    except OSError as error:
        shutil.rmtree(target.parent, ignore_errors=True)
        raise ResourceError(
            f"evidence cannot be copied ({error.strerror})", target, "free some space"
        ) from error
    copied = hash_evidence(target)["sha256"]
    if copied != sha256:
        shutil.rmtree(target.parent, ignore_errors=True)
        raise ResourceError("the copy of the evidence differs", target, "check the disk")
    return relative.as_posix()
