"""Learns from marks, for the text channel, an adaptation of the heatmap decoder."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.detectors.text.text_calibration import TextCalibration, learn_text
from engine.detectors.text.text_detector import TextDetector
from engine.detectors.text.text_meter import read_maps
from engine.detectors.text.text_model import ABNORMAL, ReplaySample
from engine.few_shot.direction_learning import FeatureDirection, MarkedFeatures, learn_direction
from engine.few_shot.feature_reader import RunFeatures, evenly_spaced
from engine.few_shot.marked_cells import LocatedMark

# Slices and cells that stand for everything that is not marked; they bound time and memory.
_MAX_SLICES, _MAX_CELLS = 48, 24_000
_MAX_MARKS = 240  # Marks of a name that are read; bounds the time, a handful is enough.
_MAX_CALIBRATION_SLICES = 150  # Slices that the limits of new prompts are learned from.
_MAX_GAIN = 8.0  # Logits that a direction may add to a prompt; a choice.
# Logits that a normal direction takes from a prompt: enough for silence; up to 12 changed nothing
# (docs/experiments/few-shot-teaching.md).
_SILENCE_GAIN = 8.0
# Share of the abnormal cells of the replay sample above which the examiner is warned; a choice
# (docs/teaching.md).
_WARNING_SHARE = 0.1
_MIN_SCORE = 0.25  # Direction score of a marked cell that the gain is computed with, at least.


@dataclass(frozen=True, eq=False)
class _LearnedName:
    key: str
    direction: FeatureDirection
    gain: float
    silenced: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class TextLearner:
    """Learns from marks how the heatmap decoder is adapted; each slice is read once.

    Attributes:
        features: the runs by evidence.
        detector: the text channel with the prompts of the variant.
        cancel: is checked between slices and names.
        progress: is called with the number of slices read.
    """

    features: dict[int, RunFeatures]
    detector: TextDetector
    cancel: CancelToken
    progress: ProgressCallback
    _slices: dict[tuple[int, int], NDArray[np.float32]] = field(default_factory=dict)

    def learn(self, by_name: dict[str, list[LocatedMark]], warnings: list[str]) -> bytes | None:
        """Learns one direction for each name.

        Args:
            by_name: the marks by their name in lower case.
            warnings: what the examiner must know is appended.

        Returns:
            An encoded `engine.tvad.adaptation.Adaptation`; None when nothing can be learned.
        """
        from engine.tvad.adaptation import Adaptation

        marked = {
            key: MarkedFeatures(
                marks[0].mark.normal,
                tuple(self._mark_features(mark) for mark in spread_marks(marks)),
            )
            for key, marks in by_name.items()
        }
        unmarked = self._unmarked_features([mark for marks in by_name.values() for mark in marks])
        learned = self._learn_names(by_name, marked, unmarked, warnings)
        if not learned:
            return None
        prompts = self.detector.recipe.prompts
        words = {word.casefold(): word for word in (*prompts.normal, *prompts.abnormal)}
        return Adaptation(
            tuple(words[name.key] for name in learned),
            tuple(marked[name.key].normal for name in learned),
            np.stack([name.direction.weight for name in learned]).astype(np.float32),
            np.array([name.direction.offset for name in learned], np.float32),
            np.array([name.gain for name in learned], np.float32),
            tuple(name.silenced for name in learned),
        ).encode()

    def _learn_names(
        self,
        by_name: dict[str, list[LocatedMark]],
        marked: dict[str, MarkedFeatures],
        unmarked: NDArray[np.float32],
        warnings: list[str],
    ) -> list[_LearnedName]:
        replay = self.detector.model.replay()
        limits = {number: self._calibration(run) for number, run in self.features.items()}
        if replay is None:
            warnings.append("the pack has no replayed sample: what it knew may be forgotten")
        learned = []
        for key, marks in by_name.items():
            self.cancel.check()
            others = [other for name, other in marked.items() if name != key]
            direction = learn_direction(marked[key], others, unmarked, replay)
            name = marks[0].mark.name
            if direction is None:
                warnings.append(f'the text channel cannot tell "{name}" from what is around it')
            elif not marked[key].normal:
                learned.append(_LearnedName(key, direction, self._gain(marks, direction, limits)))
            elif silenced := self._responding_prompts(marks, limits):
                learned.append(_LearnedName(key, direction, _SILENCE_GAIN, silenced))
                warnings += reach_warnings(name, direction, replay)
            else:
                warnings.append(
                    f'no prompt speaks of "{name}": the text channel has nothing to quiet'
                )
        return learned

    def _read_slice(self, evidence_id: int, number: int) -> NDArray[np.float32]:
        """Returns the cell features of a slice, float32 [R, C, M]."""
        key = (evidence_id, number)
        if key not in self._slices:
            self.cancel.check()
            run = self.features[evidence_id]
            self._slices[key] = run.cell_features(self.detector.model, number)
            self.progress(Progress("reading features", len(self._slices), 0, unit="slices"))
        return self._slices[key]

    def _mark_features(self, mark: LocatedMark) -> NDArray[np.float32]:
        """Returns the features of the cells of a mark, float32 [k, M]."""
        return self._read_slice(mark.mark.evidence_id, mark.slice)[mark.cells]

    def _unmarked_features(self, marks: list[LocatedMark]) -> NDArray[np.float32]:
        """Returns features of cells that nobody marked, evenly spaced, float32 [n, M]."""
        max_slices = max(1, _MAX_SLICES // len(self.features))
        parts = []
        for evidence_id, run in self.features.items():
            for number in evenly_spaced(len(run.seconds), max_slices).tolist():
                free = np.ones(run.grid, np.bool_)
                for mark in marks:
                    if mark.mark.evidence_id == evidence_id and mark.slice == number:
                        free &= ~mark.cells
                parts.append(self._read_slice(evidence_id, number)[free])
        cells = np.concatenate(parts)
        return cells[:: -(-len(cells) // _MAX_CELLS)]

    def _calibration(self, run: RunFeatures) -> TextCalibration:
        """Returns the limits that the prompts have in a run with them, learned from some slices."""
        camera = run.camera_calibration(self.detector)
        if camera is not None:
            return camera
        own, spans = self.detector.pack_calibration(), run.recipe.normal_spans
        numbers = evenly_spaced(len(run.seconds), _MAX_CALIBRATION_SLICES)
        slices = [run.slice(number) for number in numbers.tolist()]
        maps = read_maps(self.detector.model, run.seconds[numbers], slices, run.grid).within(spans)
        return learn_text("normal" if spans else "self", [maps], own)

    def _gain(
        self,
        marks: list[LocatedMark],
        direction: FeatureDirection,
        limits: dict[int, TextCalibration],
    ) -> float:
        """Returns the logits that bring the marks of an abnormal name above its limit."""
        model = self.detector.model
        offset = np.asarray([direction.offset], np.float32)
        steps = []
        for mark in spread_marks(marks)[:_MAX_SLICES]:
            run, limit = self.features[mark.mark.evidence_id], limits[mark.mark.evidence_id]
            slice_bytes = run.slice(mark.slice)
            read = model.read([slice_bytes], run.grid, limit.above)
            over = (read.logits[0] - limit.limits(read.prompt[0]))[mark.cells]
            scores = model.direction_scores(slice_bytes, run.grid, direction.weight[None], offset)
            effect = np.clip(scores[0][mark.cells], _MIN_SCORE, 1) ** 2
            steps.append(float(((1.0 / limit.slope - over) / effect).min()))
        min_gain = 1.0 / limits[marks[0].mark.evidence_id].slope
        return float(min(_MAX_GAIN, max(min_gain, float(np.median(steps)))))

    def _responding_prompts(
        self, marks: list[LocatedMark], limits: dict[int, TextCalibration]
    ) -> tuple[str, ...]:
        """Returns the prompts that respond to the marks, within a step of their limit or above."""
        words = self.detector.recipe.prompts.abnormal
        prompts: set[int] = set()
        for mark in spread_marks(marks)[:_MAX_SLICES]:
            run, limit = self.features[mark.mark.evidence_id], limits[mark.mark.evidence_id]
            read = self.detector.model.read([run.slice(mark.slice)], run.grid, limit.above)
            near = read.logits[0] >= limit.limits(read.prompt[0]) - 1.0 / limit.slope
            prompts |= set(read.prompt[0][mark.cells & near].tolist())
        return tuple(words[number] for number in sorted(prompts))


def spread_marks(marks: list[LocatedMark]) -> list[LocatedMark]:
    """Returns the marks that are read: of very many an even choice."""
    return [marks[number] for number in evenly_spaced(len(marks), _MAX_MARKS).tolist()]


def reach_warnings(
    name: str, direction: FeatureDirection, replay: ReplaySample | None
) -> list[str]:
    """Returns a warning where a normal name looks like much that is abnormal elsewhere."""
    abnormal = None if replay is None else replay.of(ABNORMAL)
    if abnormal is None or not len(abnormal):
        return []
    share = float((abnormal @ direction.weight > direction.offset).mean())
    if share < _WARNING_SHARE:
        return []
    return [
        f'"{name}" looks like {share:.0%} of what is abnormal in the sample of the pack: '
        "on the prompts that speak of it this falls silent as well"
    ]
