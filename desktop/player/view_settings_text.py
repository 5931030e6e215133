"""View settings in words, for whatever leaves the window with them."""

from __future__ import annotations

from desktop.state.view_state import PictureSettings


def picture_words(settings: PictureSettings) -> str:
    """Names the view settings that differ from showing the frame as decoded; empty for none."""
    plain, words = PictureSettings(), []
    if settings.brightness != plain.brightness:
        words.append(f"brightness {settings.brightness:+.2f}")
    if settings.contrast != plain.contrast:
        words.append(f"contrast {settings.contrast:.2f}")
    if settings.gamma != plain.gamma:
        words.append(f"gamma {settings.gamma:.2f}")
    if settings.deinterlace:
        words.append("deinterlaced")
    if settings.rotation:
        words.append(f"turned by {settings.rotation}°")
    if settings.aspect is not None:
        words.append(f"pixel aspect {settings.aspect:.3g}")
    return ", ".join(words)
