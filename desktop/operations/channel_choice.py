"""Which channels run, and with which pack, prompts and variant."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from engine.case import RunRow
from engine.core.channels import SCENE, TEXT
from engine.packs import DEFAULT_PACK


@dataclass(frozen=True)
class ChannelChoice:
    """Channels of an analysis.

    Attributes:
        channels: `scene`, `text` or both.
        pack: of the text channel.
        prompts: JSON values of its prompt set; empty for the pack's own prompts.
        variant: name of the variant of the pack; empty for the original pack.
    """

    channels: tuple[str, ...] = (SCENE,)
    pack: str = DEFAULT_PACK
    prompts: dict[str, Any] = field(default_factory=dict)
    variant: str = ""

    @property
    def has_text(self) -> bool:
        """Whether the text channel runs."""
        return TEXT in self.channels

    def fields(self) -> dict[str, Any]:
        """Returns the choice as fields of a request to analyse."""
        fields: dict[str, Any] = {"channels": list(self.channels)}
        if self.has_text:
            fields["pack"] = self.pack
            if self.prompts:
                fields["prompts"] = self.prompts
        if self.variant:
            fields["variant"] = self.variant
        return fields


SCENE_ALONE = ChannelChoice()


def choice_of(run: RunRow | None) -> ChannelChoice:
    """Returns the choice that a run was made with; the scene channel alone without a run."""
    if run is None:
        return SCENE_ALONE
    settings = json.loads(run.settings)
    channels = tuple(settings.get("channels", [SCENE]))
    text = settings.get("text", {})
    variant = (settings.get("variant") or {}).get("name", "")
    return ChannelChoice(channels, text.get("pack", DEFAULT_PACK), text.get("prompts", {}), variant)


def next_channel(channels: tuple[str, ...], current: str) -> str:
    """Returns the channel after the current one; the first one after the last.

    Args:
        channels: those with scores, the leading one first.
        current: the one on screen; empty for the leading one, as in what is returned.
    """
    if not channels:
        return ""
    index = channels.index(current) if current in channels else 0
    following = channels[(index + 1) % len(channels)]
    return "" if following == channels[0] else following
