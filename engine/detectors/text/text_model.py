"""What the text channel needs of a pack's models, and where it gets them.

Everything behind `open_text_model` needs torch, which is imported there and nowhere else in the
analysis, so that the scene channel runs without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.detectors.text.text_recipe import TextRecipe
from engine.media import hash_file
from engine.packs.manifest_schema import MANIFEST
from engine.packs.pack import Pack, find_pack
from engine.packs.pack_folders import pack_folders
from engine.packs.prompt_sets import PromptSet

SLICE_BYTES = 128 << 10
"""Bytes of the projected features of one slice, at most: 64 KB for each of its two frames."""


@dataclass(frozen=True, eq=False)
class TextWindow:
    """Consecutive frames as the text channel gives them to a backbone.

    Attributes:
        frames: uint8 [T, H, W, 3], RGB.
        seconds: float64 [T], stream time of each.
        motion: float32 [T', 6, R, C], as `engine.motion.fine_motion` describes it, a slice each.
        usual: float32 [R], usual speed a row, analysis pixels a second; 0 where unknown.
        width: of the analysis picture.
    """

    frames: NDArray[np.uint8]
    seconds: NDArray[np.float64]
    motion: NDArray[np.float32]
    usual: NDArray[np.float32]
    width: int


@dataclass(frozen=True, eq=False)
class ReadPrompts:
    """What the prompts find in consecutive slices.

    Attributes:
        logits: float32 [s, R, C], the logit of the loudest abnormal prompt.
        prompt: uint8 [s, R, C], the number of that prompt.
        plain: float32 [s, R, C], the logits before what was taught, of whichever prompt was the
            loudest then, but as far above the limit of `prompt` as that was above its own; None
            where nothing was taught.
    """

    logits: NDArray[np.float32]
    prompt: NDArray[np.uint8]
    plain: NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class ReplaySample:
    """Traits of rendered footage, kept in a pack so that teaching forgets nothing.

    Attributes:
        traits: float32 [n, M].
        group: uint8 [n], `BACKGROUND`, `NORMAL` or `ABNORMAL`.
    """

    traits: NDArray[np.float32]
    group: NDArray[np.uint8]

    def of(self, *groups: int) -> NDArray[np.float32]:
        """Returns the traits of some groups, float32 [k, M]."""
        return self.traits[np.isin(self.group, groups)]


BACKGROUND, NORMAL, ABNORMAL = 0, 1, 2
"""Groups of a replay sample."""


class TextModel(Protocol):
    """A pack's backbone and decoder with one prompt set.

    Attributes:
        window_frames: frames of a full window.
        patch: frames that become one slice.
        pictures: how many of them it looks at; the others are copies of these.
        frame_rate: analysed frames a second that suit it.
        window_ms: time for one window; 0 when nobody measured it.
        limit: the pack's own limit, a logit.
        slope: logits of a score for one logit of a prompt.
    """

    @property
    def window_frames(self) -> int: ...  # noqa: D102

    @property
    def patch(self) -> int: ...  # noqa: D102

    @property
    def pictures(self) -> int: ...  # noqa: D102

    @property
    def frame_rate(self) -> float: ...  # noqa: D102

    @property
    def window_ms(self) -> float: ...  # noqa: D102

    @property
    def limit(self) -> float: ...  # noqa: D102

    @property
    def slope(self) -> float: ...  # noqa: D102

    def picture_size(self, width: int, height: int, people: float | None) -> tuple[int, int]:
        """Chooses the size at which it wants the frames, in pixels."""
        ...

    def project(self, window: TextWindow, grid: tuple[int, int]) -> list[NDArray[np.uint8]]:
        """Computes the features of a window as far as they go without prompts.

        Args:
            window: the frames.
            grid: rows and columns of the maps that will be asked for.

        Returns:
            For each slice bytes of equal length, `SLICE_BYTES` at most.

        Raises:
            OutOfMemoryError: the device has no memory for a window of this length.
        """
        ...

    def read(
        self,
        slices: Sequence[NDArray[np.uint8]],
        grid: tuple[int, int],
        above: Sequence[float] = (),
    ) -> ReadPrompts:
        """Reads what the prompts find in projected features.

        Args:
            slices: from `project`.
            grid: rows and columns, the same as there.
            above: by how much the limit of each prompt lies above the lowest, as a
                `TextCalibration` says it; the loudest prompt is the one furthest above its limit.
        """
        ...

    def traits(self, kept: NDArray[np.uint8], grid: tuple[int, int]) -> NDArray[np.float32]:
        """Returns what the decoder saw of each cell of a slice, float32 [M, R, C]."""
        ...

    def answers(
        self,
        kept: NDArray[np.uint8],
        grid: tuple[int, int],
        weight: NDArray[np.float32],
        offset: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Returns `weight . trait - offset` of each cell of a slice.

        Args:
            kept: the slice.
            grid: rows and columns.
            weight: float32 [K, M].
            offset: float32 [K].

        Returns:
            float32 [K, R, C].
        """
        ...

    def single_threaded(self) -> AbstractContextManager[None]:
        """Keeps what is read meanwhile to the thread that reads it: several do, side by side."""
        ...

    def taught(self, decoder: bytes) -> TextModel:
        """Returns the same models with what a variant was taught; empty for nothing."""
        ...

    def replay(self) -> ReplaySample | None:
        """Returns the pack's sample of rendered traits; None when it has none."""
        ...


class OutOfMemoryError(Exception):
    """The device has no memory for a window of this length; a shorter one may fit."""


def open_text_model(recipe: TextRecipe, taught: bytes | None = None) -> TextModel:
    """Opens the models of a pack and gives them the prompts.

    Args:
        recipe: says which pack and what it is asked.
        taught: an encoded `engine.tvad.adaptation.Adaptation`; None for the pack as it is.

    Raises:
        BadInputError: the pack is not the one that the recipe names, or a prompt cannot be
            embedded.
        ResourceError: the pack, its base weights or the device are missing.
    """
    from engine.detectors.text.pack_text_model import PackModel

    pack = find_pack(recipe.pack)
    if _manifest_sha256(pack) != recipe.pack_sha256:
        raise BadInputError(
            f"pack {pack.name} is not the one that was used", pack.folder, "restore that version"
        )
    return PackModel.open(pack, recipe, taught)


def text_recipe(pack: str, prompts: PromptSet | None, device: str) -> TextRecipe:
    """Makes the recipe of a text channel.

    Args:
        pack: name of a pack, or a folder.
        prompts: what is looked for; None takes the pack's own prompts.
        device: `auto`, `cpu` or `cuda:N`.

    Raises:
        BadInputError: the pack or its prompts are unsound, or there is no such device.
        ResourceError: there is no such pack, or no such device here.
    """
    from engine.detectors.text.pack_text_model import chosen_device, number_type

    found = find_pack(pack)
    installed = found.folder.parent in pack_folders()
    where = chosen_device(device)
    return TextRecipe(
        found.name if installed else str(found.folder.absolute()),
        found.version,
        _manifest_sha256(found),
        prompts or found.prompts(),
        where,
        number_type(found, where),
    )


def _manifest_sha256(pack: Pack) -> str:
    return hash_file(pack.folder / MANIFEST)["sha256"]
