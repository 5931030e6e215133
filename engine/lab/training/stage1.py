"""Stage 1: the decoder of heatmaps is trained while the backbone stays as it is.

Cached features, prompts drawn anew for every window, AdamW with warm-up and cosine decay,
gradients accumulated over some windows, a running average of the weights. All random numbers follow
from seed, epoch and window, so a resumed training ends with the same weights.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.lab.training.cropping import crop_window
from engine.lab.training.feature_cache import CachedWindow, FeatureCache
from engine.lab.training.loss import Balance, Stage1Loss, pixel_groups
from engine.lab.training.prompt_bank import DrawnPrompts, PromptBank, draw_prompts
from engine.lab.training.schedule import rate_share
from engine.lab.training.steering_metrics import SteeringMetrics
from engine.lab.training.training_state import (
    TrainingState,
    load_state,
    optimiser_tensors,
    restore_optimiser,
)
from engine.lab.training.window_scoring import score_windows
from engine.tvad.backbones.backbone import Features
from engine.tvad.heatmap_decoder import AnomalyHeatmapDecoder, DecoderConfig

_STATISTICS_WINDOWS = 120  # from which mean and deviation of the features are taken; a choice
_READ_AHEAD = 4  # windows that wait in memory, so that the disk is not waited for; a choice


@dataclass(frozen=True)
class Stage1Settings:
    """How stage 1 trains.

    Attributes:
        seed: decides first weights, order and prompts.
        epochs: passes over the windows.
        accumulation: windows of one optimiser step.
        peak_rate: largest learning rate.
        warm_up: share of all steps in which the rate rises.
        weight_decay: weight decay of AdamW.
        average: share of the running average that stays at each step.
        dropout: share of the backbone's channels that is left out of each slice.
        centre: whether the mean of all prompts is subtracted from text embeddings.
        measure_every: optimiser steps between two measurements on validation footage.
        validation_windows: validation windows that are scored at most. States of trainings call
            this `judged`.
        crop: rows and columns of the part of a window that an epoch uses, in cells of the deepest
            map.
        balance: weights of the groups of pixels.
        threads: threads of torch while training; weights are equal bit for bit for equal threads.
    """

    seed: int = 1
    epochs: int = 12
    accumulation: int = 8
    peak_rate: float = 1e-3
    warm_up: float = 0.1
    weight_decay: float = 0.01
    average: float = 0.98
    dropout: float = 0.3
    centre: bool = True
    measure_every: int = 150
    validation_windows: int = 160
    crop: tuple[int, int] = (10, 12)
    balance: Balance = field(default_factory=Balance)
    threads: int = 2

    def as_json(self) -> dict[str, Any]:
        """Returns plain JSON values under the names that states of trainings have."""
        names = {"validation_windows": "judged"}
        return {names.get(name, name): value for name, value in asdict(self).items()}


@dataclass(frozen=True, eq=False)
class _TrainingWindow:
    window: CachedWindow
    prompts: DrawnPrompts
    groups: torch.Tensor


class Stage1:
    """One training; `run` does it, from its last saved step where there is one."""

    def __init__(
        self,
        config: DecoderConfig,
        settings: Stage1Settings,
        training: FeatureCache,
        validation: FeatureCache,
        bank: PromptBank,
        work: Path,
    ) -> None:
        """Prepares a training.

        Args:
            config: sizes of the decoder.
            settings: how it trains.
            training: cache of training footage, filled.
            validation: cache of validation footage, filled.
            bank: embedded phrases.
            work: folder of the state of the training.
        """
        if not len(training):
            raise BadInputError("no training footage", training.folder, "render some")
        self._config = config
        self._settings = settings
        self._training = training
        self._validation = validation
        self._bank = bank
        self._path = work / "stage1.safetensors"
        self.log: list[dict[str, Any]] = []

    def run(
        self, device: str, progress: ProgressCallback, cancel: CancelToken
    ) -> AnomalyHeatmapDecoder:
        """Trains, and returns the running average that was best on validation footage.

        Args:
            device: `cpu` or a GPU of torch; ignored under `accelerate launch`, which decides.
            progress: told after each optimiser step.
            cancel: looked at after each optimiser step; the state is saved before it ends.

        Raises:
            BadInputError: features are damaged or no numbers, or the loss is no number any more.
            CancelledError: the user stopped.
        """
        from accelerate import Accelerator

        accelerator = Accelerator(cpu=device == "cpu")
        torch.manual_seed(self._settings.seed)
        decoder = self._new_decoder()
        module = Stage1Loss(decoder, self._settings.balance)
        optimiser = torch.optim.AdamW(
            module.parameters(), lr=0.0, weight_decay=self._settings.weight_decay
        )
        average, best = copy.deepcopy(decoder), copy.deepcopy(decoder)
        done = self._restore(optimiser, decoder, average, best)
        module, optimiser = accelerator.prepare(module, optimiser)
        average, best = average.to(accelerator.device), best.to(accelerator.device)
        steps = self._steps(accelerator.num_processes)
        windows = self._windows(done, steps, accelerator.process_index, accelerator.num_processes)
        for step in range(done, steps):
            loss = self._step(accelerator, module, optimiser, windows, step, steps)
            _update_average(average, decoder, min(self._settings.average, (1 + step) / (10 + step)))
            progress(Progress("training", step + 1, steps, unit="steps"))
            is_measured = (step + 1) % self._settings.measure_every == 0 or step + 1 == steps
            if is_measured or cancel.cancelled:
                if accelerator.is_main_process:
                    if is_measured:
                        self._measure(average, best, step + 1, loss)
                    self._save(optimiser, decoder, average, best, step + 1)
                accelerator.wait_for_everyone()
            cancel.check()
        return best.cpu().eval()

    def _new_decoder(self) -> AnomalyHeatmapDecoder:
        decoder = AnomalyHeatmapDecoder(self._config).train()
        decoder.dropout = self._settings.dropout
        if self._settings.centre:
            decoder.text_centre.copy_(self._bank.centre)
        for depth, (shift, gain) in enumerate(self._statistics()):
            decoder.get_buffer(f"shift{depth}").copy_(shift)
            decoder.get_buffer(f"gain{depth}").copy_(gain)
        return decoder

    def _statistics(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        chosen = np.linspace(
            0, len(self._training) - 1, min(_STATISTICS_WINDOWS, len(self._training))
        )
        sums: list[list[torch.Tensor]] = [[], [], [], []]
        for index in np.unique(chosen.round().astype(int)):
            for depth, values in enumerate(self._training.read(int(index)).features.maps):
                sums[depth].append(
                    torch.stack([values.mean((0, 2, 3)), (values**2).mean((0, 2, 3))])
                )
        for rows in sums:
            mean, square = torch.stack(rows).mean(0)
            yield mean, 1 / (square - mean**2).clamp(min=1e-6).sqrt()

    def _steps(self, processes: int) -> int:
        windows = len(self._training) * self._settings.epochs
        return max(1, windows // (self._settings.accumulation * processes))

    def _windows(
        self, done: int, steps: int, rank: int, processes: int
    ) -> Iterator[_TrainingWindow]:
        """Yields the windows of this process in order; some are read ahead."""
        size = self._settings.accumulation
        positions = range(done * size, steps * size)
        with ThreadPoolExecutor(1) as pool:
            waiting = []
            for position in positions:
                waiting.append(pool.submit(self._window, position * processes + rank))
                if len(waiting) > _READ_AHEAD:
                    yield waiting.pop(0).result()
            for pending in waiting:
                yield pending.result()

    def _window(self, position: int) -> _TrainingWindow:
        epoch, within = divmod(position, len(self._training))
        order = np.random.default_rng([self._settings.seed, epoch]).permutation(len(self._training))
        rng = np.random.default_rng([self._settings.seed, epoch, within, 1])
        window = self._training.read(int(order[within]))
        window = crop_window(window, self._settings.crop, rng)
        abnormal, normal = _classes(window)
        prompts = draw_prompts(self._bank, abnormal, normal, rng)
        groups = torch.from_numpy(pixel_groups(window, prompts.classes))
        return _TrainingWindow(window, prompts, groups)

    def _step(
        self,
        accelerator: Any,  # noqa: ANN401
        module: Any,  # noqa: ANN401
        optimiser: Any,  # noqa: ANN401
        windows: Iterator[_TrainingWindow],
        step: int,
        steps: int,
    ) -> float:
        size = self._settings.accumulation
        # Dropout follows from seed and step, so that a resumed training equals any other.
        rank = accelerator.process_index
        torch.manual_seed(((self._settings.seed << 24) + step) * 64 + rank)
        for group in optimiser.param_groups:
            group["lr"] = self._settings.peak_rate * rate_share(step, steps, self._settings.warm_up)
        total = 0.0
        for number in range(size):
            features, prompts, groups = _on_device(next(windows), accelerator.device)
            is_last = number + 1 == size
            # Several processes exchange gradients once a step only.
            with nullcontext() if is_last else accelerator.no_sync(module):
                loss = module(features, prompts, groups)
                accelerator.backward(loss / size)
            total += float(loss.detach())
        if not math.isfinite(total):
            raise BadInputError(
                "the loss is no number any more", self._training.folder, "lower --rate"
            )
        accelerator.clip_grad_norm_(module.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        return total / size

    def _measure(
        self, average: AnomalyHeatmapDecoder, best: AnomalyHeatmapDecoder, step: int, loss: float
    ) -> None:
        average.eval()
        steering = SteeringMetrics()
        steering.add(
            score_windows(average, self._validation, self.validation_windows(), self._bank)
        )
        metrics = steering.summary()
        worth = sum(_number(metrics[name]) for name in ("class_auc", "class_auc_large", "peak_own"))
        if worth >= max((entry["worth"] for entry in self.log), default=-1.0):
            best.load_state_dict(average.state_dict())
        self.log.append({"step": step, "loss": round(loss, 5), "worth": round(worth, 5), **metrics})

    def validation_windows(self) -> Sequence[int]:
        """Returns the validation windows that are scored, evenly spread."""
        count = min(len(self._validation), self._settings.validation_windows)
        indices = np.linspace(0, len(self._validation) - 1, count) if count else np.zeros(0)
        return [int(index) for index in np.unique(indices.round())]

    def _save(
        self,
        optimiser: Any,  # noqa: ANN401
        decoder: AnomalyHeatmapDecoder,
        average: AnomalyHeatmapDecoder,
        best: AnomalyHeatmapDecoder,
        step: int,
    ) -> None:
        tensors = optimiser_tensors(optimiser)
        for kind, module in (("model", decoder), ("average", average), ("best", best)):
            tensors |= {
                f"{kind}.{key}": value.clone() for key, value in module.state_dict().items()
            }
        cpu = {name: value.detach().cpu() for name, value in tensors.items()}
        TrainingState(step, self._identity(), self.log, cpu).save(self._path)

    def _restore(
        self,
        optimiser: torch.optim.Optimizer,
        decoder: AnomalyHeatmapDecoder,
        average: AnomalyHeatmapDecoder,
        best: AnomalyHeatmapDecoder,
    ) -> int:
        state = load_state(self._path, self._identity())
        if state is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            return 0
        for kind, module in (("model", decoder), ("average", average), ("best", best)):
            start = f"{kind}."
            module.load_state_dict(
                {k.removeprefix(start): v for k, v in state.tensors.items() if k.startswith(start)}
            )
        restore_optimiser(optimiser, state.tensors)
        self.log = list(state.log)
        return state.step

    def _identity(self) -> dict[str, Any]:
        return {
            "config": self._config.as_json(),
            "training": self._settings.as_json(),
            "windows": len(self._training),
            "recipe": self._training.recipe.as_json(),
        }


def _classes(window: CachedWindow) -> tuple[frozenset[str], frozenset[str]]:
    visible = set(np.unique(window.ids).tolist())
    abnormal: set[str] = set()
    normal: set[str] = set()
    for target in window.video.targets:
        for frame in window.frames if target.number in visible else ():
            kind = abnormal if target.abnormal_at(int(frame)) else normal
            kind.add(target.class_at(int(frame)))
    return frozenset(abnormal - {""}), frozenset(normal - abnormal - {""})


def _on_device(
    window: _TrainingWindow, device: torch.device
) -> tuple[Features, DrawnPrompts, torch.Tensor]:
    """Returns features, prompts and groups of a window, moved to a device."""
    features, prompts = window.window.features, window.prompts
    motion = None if features.motion is None else features.motion.to(device)
    return (
        Features(tuple(values.to(device) for values in features.maps), motion),
        DrawnPrompts(prompts.normal.to(device), prompts.abnormal.to(device), prompts.classes),
        window.groups.to(device),
    )


@torch.no_grad()
def _update_average(
    average: AnomalyHeatmapDecoder, decoder: AnomalyHeatmapDecoder, kept_share: float
) -> None:
    for old, new in zip(average.parameters(), decoder.parameters(), strict=True):
        old.lerp_(new, 1 - kept_share)


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
