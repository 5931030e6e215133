"""The channels of a run and the attributes of the scene channel, one table of each.

There are no other lists of either. What lies on higher floors is named by where it is defined, so
that an addition is one file and one line here. A channel that measures something of its own, beside
motion, also needs its fields in `engine/pipeline/channels/raw_maps.py`, and its maps stored
(`chunk_commit.py`, `stored_maps.py` of the pipeline) and, where it learns, its calibration
(`calibration/run_calibrations.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.core.errors import BadInputError
from engine.core.registry import Registry

SCENE, TEXT, FUSED = "scene", "text", "fused"
"""Names of channels as runs store them; `fused` is made of the others where several run."""


@dataclass(frozen=True)
class Channel:
    """A kind of measurement that gives a heatmap and scores.

    Attributes:
        description: for the examiner, in a few words.
        scorer: `module:function`, an `engine.pipeline.channels.raw_maps.Scorer`.
        needs_pack: whether it runs on the models and the prompts of a pack.
    """

    description: str
    scorer: str
    needs_pack: bool = False


_SCORERS = "engine.pipeline.channels"
CHANNELS = {
    SCENE: Channel("what is unusual for this camera", f"{_SCORERS}.scene_scorer:score_scene"),
    TEXT: Channel("what the prompts describe", f"{_SCORERS}.text_scorer:score_text", True),
}
"""The channels that a run may have, in the order in which they run and are listed."""

VARIANT_CHANNELS = (SCENE, TEXT)
"""The channels that marks teach, which a run with a variant therefore has."""

_ATTRIBUTES = "engine.detectors.scene.attributes"
SCENE_ATTRIBUTES: Registry[Any] = Registry(
    {
        "speed": f"{_ATTRIBUTES}.speed:Speed",
        "direction": f"{_ATTRIBUTES}.direction:Direction",
        "size": f"{_ATTRIBUTES}.size:Size",
        "place": f"{_ATTRIBUTES}.place:Place",
        "dwelling": f"{_ATTRIBUTES}.loitering:Loitering",
        "left": f"{_ATTRIBUTES}.abandoned_object:AbandonedObject",
        "taken": f"{_ATTRIBUTES}.removed_object:RemovedObject",
    }
)
"""Stored name of an attribute -> its class, as `attributes/attribute.py` describes it.

A new one changes the default settings: record the self-test again (`python -m
engine.selftest.self_test`) and add a row to docs/architecture.md.
"""


def leading_channel(channels: Sequence[str]) -> str:
    """Returns the channel that regions and events of a run with these channels come from."""
    return FUSED if len(channels) > 1 else channels[0]


def order_channels(
    names: Sequence[str], where: Callable[[list[str]], str] = ",".join
) -> tuple[str, ...]:
    """Returns the named channels in the order in which they run, each once.

    Args:
        names: of channels.
        where: what the error shows of the names that no channel has.

    Raises:
        BadInputError: no channel is named, or one that there is not.
    """
    unknown = [name for name in names if name not in CHANNELS]
    if unknown or not names:
        raise BadInputError("unknown channel", where(unknown), f"use {', '.join(CHANNELS)}")
    return tuple(name for name in CHANNELS if name in names)
