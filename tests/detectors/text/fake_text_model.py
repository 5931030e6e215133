"""A text model without weights: brightness and motion stand in for what prompts describe.

Prompts are words for grey levels (`bright`, `dark`) and for motion (`moving`); everything else is
never found. Deterministic and in NumPy alone, so that the text channel runs without torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.detectors.text.text_model import (
    OutOfMemoryError,
    PromptLogits,
    ReplaySample,
    TextWindow,
)
from engine.detectors.text.text_recipe import TextRecipe
from engine.packs.prompt_sets import PromptSet, Templates

KINDS = ("bright", "dark", "moving")
FAST = PromptSet("en", ("street",), ("moving thing", "dark thing"), Templates())
OTHER = PromptSet("en", ("street",), ("dark thing", "bright thing"), Templates())


class FakeTextModel:
    """See `TextModel`; counts what it is asked for.

    Args:
        recipe: whose prompts are read.
        memory: frames of the longest window there is memory for.
    """

    window_frames = 8
    patch = 2
    distinct_frames = 1
    frame_rate = 10.0
    window_ms = 0.0
    limit = 0.0
    slope = 1.0

    def __init__(self, recipe: TextRecipe, memory: int = 1000) -> None:
        self._kinds = [
            next((n for n, kind in enumerate(KINDS) if kind in word), None)
            for word in recipe.prompts.abnormal
        ]
        self.memory = memory
        self.windows: list[int] = []

    def frame_size(self, width: int, height: int, people: float | None) -> tuple[int, int]:
        return width // 2, height // 2

    def project(self, window: TextWindow, grid: tuple[int, int]) -> list[NDArray[np.uint8]]:
        if len(window.frames) > self.memory:
            raise OutOfMemoryError(f"{len(window.frames)} frames")
        self.windows.append(len(window.frames))
        rows, columns = grid
        projected = []
        for n, frame in enumerate(window.frames[:: self.patch]):
            grey = cv2.resize(frame[..., 0], (columns, rows), interpolation=cv2.INTER_AREA)
            speed = cv2.resize(window.motion[n, 2], (columns, rows), interpolation=cv2.INTER_AREA)
            features = np.stack([grey, 255 - grey, np.clip(speed, 0, 255).astype(np.uint8)])
            projected.append(features.reshape(-1))
        return projected

    def read(
        self,
        slices: Sequence[NDArray[np.uint8]],
        grid: tuple[int, int],
        above: Sequence[float] = (),
    ) -> PromptLogits:
        every = np.stack(slices).reshape(len(slices), len(KINDS), *grid).astype(np.float32)
        never = np.full((len(slices), *grid), -20, np.float32)
        # Grey levels and speeds speak from 240 and 80 on.
        maps = [
            never if kind is None else every[:, kind] / 4 - (20 if KINDS[kind] == "moving" else 60)
            for kind in self._kinds
        ]
        stacked = np.asarray(np.stack(maps), np.float32)
        raised = np.zeros((len(maps), 1, 1, 1), np.float32)
        raised[: len(above), 0, 0, 0] = above
        prompt = (stacked - raised).argmax(0)
        logits = np.take_along_axis(stacked, prompt[None], 0)[0]
        return PromptLogits(logits, prompt.astype(np.uint8))

    def cell_features(
        self, projected: NDArray[np.uint8], grid: tuple[int, int]
    ) -> NDArray[np.float32]:
        return np.asarray(projected.reshape(len(KINDS), *grid) / 255, np.float32)

    def direction_scores(
        self,
        projected: NDArray[np.uint8],
        grid: tuple[int, int],
        weight: NDArray[np.float32],
        offset: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        features = self.cell_features(projected, grid)
        scores = np.einsum("km,mrc->krc", weight, features) - offset[:, None, None]
        return np.asarray(scores, np.float32)

    def single_threaded(self) -> AbstractContextManager[None]:
        return nullcontext()

    def with_variant(self, decoder: bytes) -> FakeTextModel:
        return self

    def replay(self) -> ReplaySample | None:
        return None


def fake_recipe(prompts: PromptSet = FAST) -> TextRecipe:
    return TextRecipe("fake", "1.0", "0" * 64, prompts)
