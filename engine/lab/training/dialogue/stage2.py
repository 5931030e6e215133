"""Stage 2: two phases of supervised turns, whole scenes first, the anomaly second.

Everything drawn follows from the seed and the number of the step, so that a training that was
stopped and taken up again ends with the same weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.lab.dialogue_corpus.samples.detector_noise import Heat, erring, wandering
from engine.lab.dialogue_corpus.samples.dialogue_samples import TRUE, DialogueSample
from engine.lab.training.dialogue.alignment import align, word_embeddings
from engine.lab.training.dialogue.learner import Learner
from engine.lab.training.dialogue.lessons import FOCUSED, NARRATIVE, Lesson, draw_lesson
from engine.lab.training.training_state import (
    TrainingState,
    load_state,
    optimiser_tensors,
    restore_optimiser,
)

_PARTS = ("lora", "encoder", "projector")
_SAVE_EVERY = 50


@dataclass(frozen=True)
class Stage2Settings:
    """How stage 2 trains.

    Attributes:
        seed: of first weights and everything drawn.
        steps: optimiser steps of both phases.
        batch: lessons of a step.
        narrative: share of the steps that speak of whole scenes.
        rate: peak learning rate of LoRA.
        part_rate: peak learning rate of RAE and projector.
        warm_up: share of the steps in which rates rise.
        align_steps: steps in which RAE and projector learn alone before.
        align_batch: lessons of such a step.
        align_rate: peak learning rate there.
        threads: of torch; part of what makes weights equal bit for bit.
        half: whether the language model multiplies in bfloat16 while it learns; another part.
    """

    seed: int = 1
    steps: int = 900
    batch: int = 4
    narrative: float = 0.25
    rate: float = 2e-4
    part_rate: float = 2e-4
    warm_up: float = 0.05
    align_steps: int = 1200
    align_batch: int = 16
    align_rate: float = 1e-3
    threads: int = 2
    half: bool = False


class Stage2:
    """One training; `run` does it, from its last saved step where there is one.

    Attributes:
        log: a mapping every ten steps: step, phase, loss, seconds a step.
    """

    def __init__(
        self,
        learner: Learner,
        samples: Sequence[DialogueSample],
        settings: Stage2Settings,
        work: Path,
    ) -> None:
        """Prepares a training.

        Args:
            learner: everything that learns.
            samples: spans with their truth.
            settings: how it trains.
            work: folder of its state.

        Raises:
            BadInputError: there are no samples.
        """
        if not samples:
            raise BadInputError("no dialogues to learn from", work, "render more videos")
        self._learner = learner
        self._samples = list(samples)
        self._settings = settings
        self._path = work / "stage2.safetensors"
        self.log: list[dict[str, Any]] = []

    def run(self, progress: ProgressCallback, cancel: CancelToken) -> None:
        """Trains to the last step.

        Raises:
            BadInputError: the loss becomes no number, or a state of other settings lies there.
            CancelledError: the user stopped; the state was saved.
        """
        settings, learner = self._settings, self._learner
        parameters = list(learner.trained())
        optimiser = torch.optim.AdamW(
            [
                {"params": [p for name, p in parameters if name.startswith("lora.")], "lr": 0.0},
                {"params": [p for n, p in parameters if not n.startswith("lora.")], "lr": 0.0},
            ],
            weight_decay=0.01,
        )
        done = self._restore(optimiser)
        if done is None:
            self._align(progress, cancel)
            done = 0
            self._save(optimiser, 0)
        for step in range(done, settings.steps):
            loss = self._step(optimiser, [one for _, one in parameters], step)
            last = step + 1 == settings.steps
            if step % 10 == 0 or last:
                phase = self._phase(step)
                self.log.append({"step": step + 1, "phase": phase, "loss": round(loss, 5)})
            if (step + 1) % _SAVE_EVERY == 0 or last or cancel.cancelled:
                self._save(optimiser, step + 1)
            progress(Progress("training", step + 1, settings.steps, unit="steps"))
            cancel.check()

    def _align(self, progress: ProgressCallback, cancel: CancelToken) -> None:
        settings = self._settings
        torch.manual_seed(settings.seed)
        self._fit_projector()
        words = word_embeddings(self._learner.model, self._learner._held[1])

        def draw(step: int) -> tuple[list[Lesson], list[Heat]]:
            progress(Progress("aligning", step + 1, settings.align_steps, unit="steps"))
            rng = np.random.default_rng([settings.seed, step, 1])
            shape = self._samples[0].seen[TRUE].heat.shape
            ways = [erring(wandering(shape, rng), rng) for _ in range(settings.align_batch)]
            return self._draw(-1 - step, settings.align_batch, FOCUSED), ways

        losses = align(
            self._learner, words, draw, settings.align_steps, settings.align_rate, cancel
        )
        for step in range(0, len(losses), 50):
            mean = float(np.mean(losses[step : step + 50]))
            self.log.append({"step": step, "phase": "aligning", "loss": round(mean, 5)})

    def _fit_projector(self) -> None:
        if self._learner.projector is None:
            return
        rows = [one.seen[TRUE].video.reshape(-1, one.seen[TRUE].video.shape[-1]) for one in
                self._samples[:400]]  # fmt: skip
        tokens = torch.from_numpy(np.concatenate(rows))
        # What a band without heat gives is no look at anything.
        self._learner.projector.fit(tokens[tokens[:, 0] > 0])

    def _phase(self, step: int) -> str:
        return NARRATIVE if step < self._settings.narrative * self._settings.steps else FOCUSED

    def _draw(self, step: int, count: int, phase: str) -> list[Lesson]:
        """Draws the lessons of a step, half of them about spans with an anomaly."""
        rng = np.random.default_rng([self._settings.seed, step + (1 << 20)])
        abnormal = [one for one in self._samples if one.truth.target is not None]
        normal = [one for one in self._samples if one.truth.target is None]
        lessons = []
        for place in range(count):
            wanted = abnormal if (place % 5 < 3 and abnormal) or not normal else normal
            sample = wanted[int(rng.integers(len(wanted)))]
            lessons.append(draw_lesson(sample, phase, rng))
        return lessons

    def _step(
        self, optimiser: torch.optim.Optimizer, parameters: list[torch.Tensor], step: int
    ) -> float:
        settings = self._settings
        torch.manual_seed(settings.seed * 1_000_003 + step)
        share = _rate(step, settings.steps, settings.warm_up)
        for group, peak in zip(
            optimiser.param_groups, (settings.rate, settings.part_rate), strict=True
        ):
            group["lr"] = peak * share
        self._learner.model.train()
        lessons = self._draw(step, settings.batch, self._phase(step))
        loss = self._learner.loss(lessons)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        value = float(loss.detach())
        if not math.isfinite(value):
            raise BadInputError("the loss is no number any more", self._path, "lower --rate")
        return value

    def _modules(self) -> dict[str, dict[str, torch.Tensor]]:
        learner = self._learner
        found = {"lora": learner.lora(), "encoder": learner.encoder.state_dict()}
        if learner.projector is not None:
            found["projector"] = learner.projector.state_dict()
        return found

    def _save(self, optimiser: torch.optim.Optimizer, step: int) -> None:
        tensors = optimiser_tensors(optimiser)
        for part, values in self._modules().items():
            tensors |= {f"{part}.{name}": one.detach().clone() for name, one in values.items()}
        cpu = {name: value.cpu() for name, value in tensors.items()}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        TrainingState(step, asdict(self._settings), self.log, cpu).save(self._path)

    def _restore(self, optimiser: torch.optim.Optimizer) -> int | None:
        state = load_state(self._path, asdict(self._settings))
        if state is None:
            return None
        self.log = list(state.log)
        parts: dict[str, dict[str, torch.Tensor]] = {part: {} for part in _PARTS}
        for name, value in state.tensors.items():
            part, _, rest = name.partition(".")
            if part in parts:
                parts[part][rest] = value
        self._learner.load_lora(parts["lora"])
        self._learner.encoder.load_state_dict(parts["encoder"])
        if self._learner.projector is not None:
            self._learner.projector.load_state_dict(parts["projector"])
        restore_optimiser(optimiser, state.tensors)
        return state.step


def _rate(step: int, steps: int, warm_up: float) -> float:
    """Share of the peak rate: a straight rise, then half a cosine."""
    rise = max(1, round(steps * warm_up))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))
