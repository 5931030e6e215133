"""Stage 2: two phases of supervised turns, whole scenes first, the anomaly second.

All random numbers follow from the seed and the number of the step, so that a training that was
stopped and resumed ends with the same weights.
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
from engine.lab.dialogue_corpus.samples.detector_noise import (
    Heat,
    add_heatmap_noise,
    random_target_heatmap,
)
from engine.lab.dialogue_corpus.samples.dialogue_samples import TRUE, DialogueSample
from engine.lab.training.dialogue.alignment import align, word_embeddings
from engine.lab.training.dialogue.trainable_model import TrainableDialogueModel
from engine.lab.training.dialogue.training_sample import (
    FOCUSED,
    NARRATIVE,
    TrainingSample,
    draw_training_sample,
)
from engine.lab.training.schedule import rate_share
from engine.lab.training.training_state import (
    TrainingState,
    load_state,
    optimiser_tensors,
    restore_optimiser,
)

_PARTS = ("lora", "encoder", "projector")
_FIT_SAMPLES = 400  # from which the projector's first weights are taken; a choice
_SAVE_EVERY = 50  # steps, which are lost at most when the process is killed; a choice


@dataclass(frozen=True)
class Stage2Settings:
    """How stage 2 trains.

    Attributes:
        seed: decides first weights and all random numbers.
        steps: optimiser steps of both phases.
        batch: training samples of a step.
        narrative: share of the steps that are about whole scenes.
        rate: peak learning rate of LoRA.
        part_rate: peak learning rate of RAE and projector.
        warm_up: share of the steps in which rates rise.
        align_steps: steps before, in which RAE and projector are trained alone.
        align_batch: training samples of such a step.
        align_rate: peak learning rate of such steps.
        threads: threads of torch; weights are equal bit for bit for equal threads.
        half: whether the language model multiplies in bfloat16 while it is trained.
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
        model: TrainableDialogueModel,
        samples: Sequence[DialogueSample],
        settings: Stage2Settings,
        work: Path,
    ) -> None:
        """Prepares a training.

        Args:
            model: the model that is trained.
            samples: spans with their truth.
            settings: how it trains.
            work: folder of the state of the training.

        Raises:
            BadInputError: there are no samples.
        """
        if not samples:
            raise BadInputError("no dialogues to learn from", work, "render more videos")
        self._model = model
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
        settings = self._settings
        parameters = list(self._model.trainable_parameters())
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
            loss = self._step(optimiser, [parameter for _, parameter in parameters], step)
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
        words = word_embeddings(self._model.model, self._model.tokenizer)

        def draw(step: int) -> tuple[list[TrainingSample], list[Heat]]:
            progress(Progress("aligning", step + 1, settings.align_steps, unit="steps"))
            rng = np.random.default_rng([settings.seed, step, 1])
            shape = self._samples[0].inputs[TRUE].heat.shape
            heatmaps = [
                add_heatmap_noise(random_target_heatmap(shape, rng), rng)
                for _ in range(settings.align_batch)
            ]
            return self._draw(-1 - step, settings.align_batch, FOCUSED), heatmaps

        losses = align(self._model, words, draw, settings.align_steps, settings.align_rate, cancel)
        for step in range(0, len(losses), 50):
            mean = float(np.mean(losses[step : step + 50]))
            self.log.append({"step": step, "phase": "aligning", "loss": round(mean, 5)})

    def _fit_projector(self) -> None:
        if self._model.projector is None:
            return
        videos = [sample.inputs[TRUE].video for sample in self._samples[:_FIT_SAMPLES]]
        rows = [video.reshape(-1, video.shape[-1]) for video in videos]
        tokens = torch.from_numpy(np.concatenate(rows))
        # A band without heat shows nothing.
        self._model.projector.fit(tokens[tokens[:, 0] > 0])

    def _phase(self, step: int) -> str:
        return NARRATIVE if step < self._settings.narrative * self._settings.steps else FOCUSED

    def _draw(self, step: int, count: int, phase: str) -> list[TrainingSample]:
        """Draws the training samples of a step, three of five about spans with an anomaly."""
        rng = np.random.default_rng([self._settings.seed, step + (1 << 20)])
        abnormal = [sample for sample in self._samples if sample.truth.target is not None]
        normal = [sample for sample in self._samples if sample.truth.target is None]
        drawn = []
        for index in range(count):
            candidates = abnormal if (index % 5 < 3 and abnormal) or not normal else normal
            sample = candidates[int(rng.integers(len(candidates)))]
            drawn.append(draw_training_sample(sample, phase, rng))
        return drawn

    def _step(
        self, optimiser: torch.optim.Optimizer, parameters: list[torch.Tensor], step: int
    ) -> float:
        settings = self._settings
        torch.manual_seed(settings.seed * 1_000_003 + step)
        share = rate_share(step, settings.steps, settings.warm_up)
        for group, peak in zip(
            optimiser.param_groups, (settings.rate, settings.part_rate), strict=True
        ):
            group["lr"] = peak * share
        self._model.model.train()
        samples = self._draw(step, settings.batch, self._phase(step))
        loss = self._model.loss(samples)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        value = float(loss.detach())
        if not math.isfinite(value):
            raise BadInputError("the loss is no number any more", self._path, "lower --rate")
        return value

    def _modules(self) -> dict[str, dict[str, torch.Tensor]]:
        model = self._model
        modules = {"lora": model.lora(), "encoder": model.encoder.state_dict()}
        if model.projector is not None:
            modules["projector"] = model.projector.state_dict()
        return modules

    def _save(self, optimiser: torch.optim.Optimizer, step: int) -> None:
        tensors = optimiser_tensors(optimiser)
        for part, values in self._modules().items():
            tensors |= {
                f"{part}.{name}": tensor.detach().clone() for name, tensor in values.items()
            }
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
        self._model.load_lora(parts["lora"])
        self._model.encoder.load_state_dict(parts["encoder"])
        if self._model.projector is not None:
            self._model.projector.load_state_dict(parts["projector"])
        restore_optimiser(optimiser, state.tensors)
        return state.step
