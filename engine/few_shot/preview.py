"""What a variant would change: the score of every frame before and after, without a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.case import Case
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.detectors.text.feature_store import KeptFeatures
from engine.detectors.text.text_detector import TextUse
from engine.detectors.text.text_maps import TextMaps, counted
from engine.detectors.text.text_meter import read_maps
from engine.few_shot.feature_reader import Footage
from engine.pipeline.calibration.run_calibrations import learn_own
from engine.pipeline.fusion import leading_channel
from engine.pipeline.scoring import RawMaps, Verdict, judge
from engine.pipeline.stored_maps import stored_maps
from engine.pipeline.variant import Taught
from engine.tracking.events import find_events


@dataclass(frozen=True, eq=False)
class Preview:
    """Scores of one run before and after.

    Attributes:
        evidence_id: of the run.
        run_id: the run.
        channel: the leading one.
        frames: int64 [m], the analysed frames.
        before: float32 [m], its stored scores.
        after: by channel, float32 [m], what they would be.
        events: how many spans stand out before and after.
    """

    evidence_id: int
    run_id: int
    channel: str
    frames: NDArray[np.int64]
    before: NDArray[np.float32]
    after: dict[str, NDArray[np.float32]]
    events: tuple[int, int]

    def as_json(self, curves: bool = False) -> dict[str, Any]:
        """Returns JSON values; with `curves` the scores of every analysed frame."""
        after = self.after[self.channel]
        said: dict[str, Any] = {
            "evidence_id": self.evidence_id,
            "run_id": self.run_id,
            "channel": self.channel,
            "events_before": self.events[0],
            "events_after": self.events[1],
            "max_before": round(float(self.before.max(initial=0)), 4),
            "max_after": round(float(after.max(initial=0)), 4),
            "changed_frames": int((np.abs(after - self.before) > 0.01).sum()),
        }
        if curves:
            said["frames"] = self.frames.tolist()
            said["before"] = np.round(self.before.astype(np.float64), 4).tolist()
            said["after"] = np.round(after.astype(np.float64), 4).tolist()
        return said


def preview(
    case: Case,
    footage: Footage,
    use: TextUse,
    taught: Taught,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> Preview:
    """Scores a run anew from kept features and stored motion.

    Args:
        case: holds the run.
        footage: its features.
        use: the text channel with the prompts and directions of the variant.
        taught: the lessons of the scene channel among them.
        cancel: looked at between chunks.
        progress: told how far it is.
    """
    plan, run = footage.stored.plan, footage.run
    scores: dict[str, list[NDArray[np.float32]]] = {}
    done = 0
    for verdict in verdicts(case, footage, use, taught, cancel):
        for name, reading in verdict.readings.items():
            scores.setdefault(name, []).append(reading.scores)
        done += len(verdict)
        progress(Progress("previewing", done, len(plan)))
    after = {name: np.concatenate(parts) for name, parts in scores.items()}
    channel = leading_channel(footage.recipe.settings.channels)
    before = case.results.scores(run.id, channel)
    tracking = footage.recipe.settings.tracking
    events = tuple(
        len(find_events(one, plan.seconds, tracking)) for one in (before, after[channel])
    )
    return Preview(
        run.evidence_id, run.id, channel, plan.frames, before, after, (events[0], events[1])
    )


def verdicts(
    case: Case, footage: Footage, use: TextUse, taught: Taught, cancel: CancelToken
) -> Iterator[Verdict]:
    """Judges a run anew, block by block; arguments as `preview`."""
    plan, recipe = footage.stored.plan, footage.recipe
    raw = stored_maps(case, footage.run.id, plan, recipe, cancel)
    camera = footage.camera(use)

    def read(kept: KeptFeatures) -> TextMaps:
        return read_maps(use.model, kept.seconds, list(kept.slices), footage.grid, camera)

    maps = list(footage.read(use.model, read, cancel))
    if recipe.parts:
        maps = list(counted(maps, recipe.parts.counting(plan.grid)))
    raw = RawMaps(raw.motion, lambda: maps)
    known = footage.calibrations
    if recipe.calibration != "normal":
        # A run with the variant learns from its own maps what is usual, so its preview does too.
        known = learn_own(raw, {}, recipe, plan, use.pack_calibration(), known.scene)
    else:
        known = replace(known, text=camera)
    known = replace(known, taught=taught.motion)
    for _, verdict in judge(raw, known, plan, recipe.settings):
        yield verdict
