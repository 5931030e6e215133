"""Which channels run and what the text channel is asked, as the window chooses it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from engine.case import RunRow

DEFAULT_PACK = "compact"


@dataclass(frozen=True)
class ChannelChoice:
    """Channels of an analysis.

    Attributes:
        channels: `scene`, `text` or both.
        pack: of the text channel.
        prompts: JSON values of its prompt set; none for the pack's own.
        variant: name of the variant of the pack; empty for the pack as it is.
    """

    channels: tuple[str, ...] = ("scene",)
    pack: str = DEFAULT_PACK
    prompts: dict[str, Any] = field(default_factory=dict)
    variant: str = ""

    @property
    def asks(self) -> bool:
        """Whether the text channel runs."""
        return "text" in self.channels

    def fields(self) -> dict[str, Any]:
        """Returns the choice as fields of a request to analyse."""
        said: dict[str, Any] = {"channels": list(self.channels)}
        if self.asks:
            said["pack"] = self.pack
            if self.prompts:
                said["prompts"] = self.prompts
        if self.variant:
            said["variant"] = self.variant
        return said


SCENE_ALONE = ChannelChoice()


def choice_of(run: RunRow | None) -> ChannelChoice:
    """Returns what a run was asked; the scene channel alone when there is no run."""
    if run is None:
        return SCENE_ALONE
    settings = json.loads(run.settings)
    channels = tuple(settings.get("channels", ["scene"]))
    text = settings.get("text", {})
    variant = (settings.get("variant") or {}).get("name", "")
    return ChannelChoice(channels, text.get("pack", DEFAULT_PACK), text.get("prompts", {}), variant)


def next_channel(there: tuple[str, ...], shown: str) -> str:
    """Returns the channel whose heat comes after the one shown; the first one after the last.

    Args:
        there: channels with scores, the leading one first.
        shown: empty for the leading one.
    """
    if not there:
        return ""
    place = there.index(shown) if shown in there else 0
    following = there[(place + 1) % len(there)]
    return "" if following == there[0] else following
