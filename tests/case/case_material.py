"""A small case with a row in every table, for the tests of this folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.case import (
    Case,
    Chunk,
    ChunkSpan,
    HeatBlock,
    NewBookmark,
    NewCalibration,
    NewCitation,
    NewDialogue,
    NewEvidence,
    NewNote,
    NewOwnEvent,
    NewStream,
    NewTurn,
    NewVariant,
)
from engine.case.tables.dialogues import TurnAnswer
from engine.core.arrays import pack_arrays
from engine.core.findings import Event, Reason, Region, RunWarning, Trajectory
from engine.core.geometry import Box

SHA = "ab" * 32
SETTINGS: dict[str, object] = {"channels": ["scene"], "stride": 1, "threshold": 0.5}


def new_evidence(path: str = "/footage/gate.mp4") -> NewEvidence:
    pts = pack_arrays({"pts": np.arange(0, 100 * 512, 512, dtype=np.int64)})
    stream = NewStream(0, "h264", 640, 360, 1, 12800, 0, 100, 4.0, '{"made_pts":false}', pts)
    return NewEvidence(path, "video", SHA, 1234, 5678, streams=(stream,))


def new_chunk(seq: int, frames: int = 50) -> Chunk:
    first = seq * frames
    span = ChunkSpan(seq, "scene", first, first + frames - 1, first * 512, (first + 49) * 512)
    maps = np.linspace(0, 1, frames * 12, dtype=np.float16).reshape(frames, 3, 4) + seq
    return Chunk(
        span,
        pack_arrays({"scores": maps.max((1, 2)).astype(np.float32)}),
        pack_arrays({"speed": maps}),
    )


def new_region(frame: int, trajectory: int | None = None) -> Region:
    mask = np.zeros((3, 5), bool)
    mask[1, frame % 5] = True
    return Region(frame, frame * 512, Box(10 + frame, 20, 30, 40), 0.75, mask, trajectory)


def new_trajectory(number: int, length: int = 20) -> Trajectory:
    frames = np.arange(number, number + length, dtype=np.int64)
    boxes = np.stack([frames, frames, frames * 0 + 9, frames * 0 + 8], axis=1).astype(np.int32)
    return Trajectory(
        number, frames, frames * 512, boxes, np.linspace(0, 1, length, dtype=np.float32),
        0.04 * number, 0.04 * (number + length - 1), "top left", "middle centre", "down-right",
        None if number % 2 else 2.5,
    )  # fmt: skip


def new_event(number: int) -> Event:
    reason = Reason("speed", 9.0, 3.0, 3.0, "pixels a frame", "three times as fast as usual")
    return Event(
        number, 10, 30, 20, 5120, 15360, 10240, 0.4, 1.2, 0.8, 0.9, "scene", (reason,), (1, 2),
        "something fast",
    )  # fmt: skip


def fill(case: Case) -> int:
    """Puts a row into every table and returns the run's id."""
    with case.change() as change:
        evidence_id = change.evidence.add(new_evidence())
        run_id = change.runs.start(evidence_id, 0, SETTINGS, {"threads": 2}, 100)
    for seq in range(2):
        with case.change() as change:
            change.chunks.append(run_id, new_chunk(seq))
    with case.change() as change:
        calibration = change.calibrations.add(
            NewCalibration(
                "scene", "self", b"body", run_id=run_id, evidence_id=evidence_id, final=True
            )
        )
        change.variants.add(NewVariant("carts", "compact", "0" * 64, "[]", "{}", b"taught"))
        change.results.replace(
            run_id,
            scores={"scene": np.linspace(0, 1, 100, dtype=np.float32)},
            regions=[new_region(frame, 1) for frame in range(8)],
            trajectories=[new_trajectory(1), new_trajectory(2)],
            events=[new_event(number) for number in (1, 2, 3)],
            calibrations=[calibration],
            heat=[HeatBlock("scene", np.arange(8), np.full((8, 2, 3), 9, np.uint8))],
            settings={"ignore": []},
        )
        warning = RunWarning("made_pts", 1.0, "PTS were made")
        change.runs.finish(run_id, frames=100, analysed_frames=100, wall_s=1.5, warnings=[warning])
    with case.change() as change:
        change.results.set_state(2, "dismissed", "a cat")
        change.exports.add("/out/gate.npz", "npz", SHA, 99, run_id)
        change.evidence.choose_run(evidence_id, run_id)
        change.evidence.arrange([evidence_id])
    review(case)
    talk(case, run_id)
    return run_id


def talk(case: Case, run_id: int) -> int:
    """Adds a dialogue of one answered question and returns the turn's id."""
    about = NewDialogue(1, run_id, None, 1, 10, 20, 5120, 10240, 0.4, 0.8)
    question = NewTurn(
        "Is there any anomaly?", ({"kind": "from", "value": "top left"},), {"span": [10, 20]},
        "compact", SHA, "llama.cpp",
    )  # fmt: skip
    with case.change() as change:
        turn = change.dialogues.ask(change.dialogues.add(about), question)
        change.dialogues.answer(turn, TurnAnswer("complete", "No.", 2, 0.5, 30.0, False, 0))
        change.dialogues.cite(turn, [NewCitation(1, 0.4, 0.8, 5120, 10240, 1)])
    return turn


def review(case: Case) -> dict[str, int]:
    """Adds one of everything and returns the ids."""
    with case.change() as change:
        bookmark = change.bookmarks.add(NewBookmark(1, 1, 10, 10, 5120, 5120, 0.4, 0.4, "gate"))
        note = change.notes.add(NewNote("event:1", "a red coat", 1, 5120, 0.4))
        amended = change.notes.amend(note, "a brown coat")
        change.tags.set("event:1", "report", True)
        event = change.own_events.add(
            NewOwnEvent(1, None, 10, 20, 12, 5120, 10240, 6144, 0.4, 0.8, 0.48, 0.2, "a bag")
        )
        change.watched.add(1, [(0, 20), (15, 40)])
        change.evidence.set_clock_offset(1, 3600.5)
    return {"bookmark": bookmark, "note": note, "amended": amended, "event": event}


def make_case(folder: Path) -> Path:
    """Makes a filled and closed case and returns its folder."""
    with Case.create(folder) as case:
        fill(case)
    return folder
