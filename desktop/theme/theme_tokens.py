"""The colours and measures of both themes, declared once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tokens:
    """Colours of a theme as `#rrggbb`.

    Greys are neutral, because pictures are judged beside them. Colour carries meaning only for
    score, event and failed integrity, always with a shape or word beside it.

    Attributes:
        name: `dark` or `light`.
        ground: behind the picture.
        on_ground: words where the picture will be.
        window: of the window.
        panel: of lists and fields.
        raised: of buttons and headers.
        line: between panels.
        text: the ordinary text.
        muted: text of less weight.
        disabled: text of what cannot be used now.
        accent: the one accent: selection, focus, playhead.
        accent_text: text on the accent.
        selection: behind selected rows.
        score: of scores and events.
        relevant: of events found relevant.
        danger: of failed integrity and errors.
        warning: of warnings.
        good: of what was checked and is well.
    """

    name: str
    ground: str
    on_ground: str
    window: str
    panel: str
    raised: str
    line: str
    text: str
    muted: str
    disabled: str
    accent: str
    accent_text: str
    selection: str
    score: str
    relevant: str
    danger: str
    warning: str
    good: str


DARK = Tokens(
    name="dark",
    ground="#181818",
    on_ground="#b4b4b4",
    window="#202020",
    panel="#262626",
    raised="#333333",
    line="#434343",
    text="#ececec",
    muted="#bababa",
    disabled="#7c7c7c",
    accent="#4fa3ff",
    accent_text="#08131f",
    selection="#2c4a68",
    score="#ffb454",
    relevant="#7fd6a4",
    danger="#ff8a80",
    warning="#ffd166",
    good="#8fd6a8",
)

LIGHT = Tokens(
    name="light",
    ground="#7d7d7d",
    on_ground="#0c0c0c",
    window="#f0f0f0",
    panel="#ffffff",
    raised="#e2e2e2",
    line="#b9b9b9",
    text="#1c1c1c",
    muted="#555555",
    disabled="#8c8c8c",
    accent="#0b62c4",
    accent_text="#ffffff",
    selection="#cfe3fa",
    score="#a34f00",
    relevant="#0d6b3c",
    danger="#b3261e",
    warning="#7a5200",
    good="#14663a",
)

THEMES = {theme.name: theme for theme in (DARK, LIGHT)}


def contrast(colour: str, other: str) -> float:
    """Returns the contrast of two colours as WCAG 2 defines it, 1..21."""
    lighter, darker = sorted((_luminance(colour), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [
        channel / 12.92 if channel <= 0.03928 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
