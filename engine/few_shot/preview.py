"""Previews what a variant would change: the score of every frame, without a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.case import Case
from engine.core.channels import leading_channel
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.detectors.text.feature_store import ChunkFeatures
from engine.detectors.text.text_detector import TextDetector
from engine.detectors.text.text_maps import TextMaps, silence_masked
from engine.detectors.text.text_meter import read_maps
from engine.few_shot.feature_reader import RunFeatures
from engine.pipeline.calibration.run_calibrations import learn_from_evidence
from engine.pipeline.channels.raw_maps import RawMaps
from engine.pipeline.channels.scoring import BlockScores, score_blocks
from engine.pipeline.stored_maps import stored_maps
from engine.pipeline.variant import VariantWeights
from engine.tracking.events import find_events


@dataclass(frozen=True, eq=False)
class VariantPreview:
    """The scores of one run before and after a variant is applied.

    Attributes:
        evidence_id: the evidence of the run.
        run_id: the run.
        channel: the leading channel.
        frames: int64 [m], the analysed frames.
        before: float32 [m], the stored scores of the leading channel.
        after: the scores with the variant by channel, float32 [m] each.
        events: number of events before and after.
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
        values: dict[str, Any] = {
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
            values["frames"] = self.frames.tolist()
            values["before"] = np.round(self.before.astype(np.float64), 4).tolist()
            values["after"] = np.round(after.astype(np.float64), 4).tolist()
        return values


def preview_variant(
    case: Case,
    features: RunFeatures,
    detector: TextDetector,
    weights: VariantWeights,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> VariantPreview:
    """Scores a run with a variant, from kept features and stored motion.

    Args:
        case: the case that holds the run.
        features: the run and its kept features.
        detector: the text channel with the prompts and directions of the variant.
        weights: the variant, with its motion rules for the scene channel.
        cancel: is checked between chunks.
        progress: is called with the number of frames scored.
    """
    plan, run = features.stored.plan, features.run
    scores: dict[str, list[NDArray[np.float32]]] = {}
    done = 0
    for block in preview_scores(case, features, detector, weights, cancel):
        for name, channel_scores in block.channels.items():
            scores.setdefault(name, []).append(channel_scores.scores)
        done += len(block)
        progress(Progress("previewing", done, len(plan)))
    after = {name: np.concatenate(parts) for name, parts in scores.items()}
    channel = leading_channel(features.recipe.settings.channels)
    before = case.results.scores(run.id, channel)
    tracking = features.recipe.settings.tracking
    events = [len(find_events(curve, plan.seconds, tracking)) for curve in (before, after[channel])]
    return VariantPreview(
        run.evidence_id, run.id, channel, plan.frames, before, after, (events[0], events[1])
    )


def preview_scores(
    case: Case,
    features: RunFeatures,
    detector: TextDetector,
    weights: VariantWeights,
    cancel: CancelToken,
) -> Iterator[BlockScores]:
    """Scores a run with a variant, block by block; arguments as in `preview_variant`."""
    plan, recipe = features.stored.plan, features.recipe
    raw = stored_maps(case, features.run.id, plan, recipe, cancel)
    camera = features.camera_calibration(detector)

    def read(chunk: ChunkFeatures) -> TextMaps:
        slices = list(chunk.slices)
        return read_maps(detector.model, chunk.seconds, slices, features.grid, camera)

    maps = list(features.read(detector.model, read, cancel))
    if recipe.mask:
        maps = list(silence_masked(maps, recipe.mask.cells(plan.grid)))
    raw = RawMaps(raw.motion, lambda: maps)
    known = features.calibrations
    if recipe.calibration != "normal":
        # A run with the variant is calibrated with its own maps, and so is its preview.
        pack = detector.pack_calibration()
        known = learn_from_evidence(raw, {}, recipe, plan, pack, known.scene)
    else:
        known = replace(known, text=camera)
    known = replace(known, motion_rules=weights.motion_rules)
    for _, block in score_blocks(raw, known, plan, recipe.settings):
        yield block
