"""Abandoned object: something was put down and has become part of the background."""

from __future__ import annotations

from engine.detectors.scene.attributes.background_attribute import BackgroundAttribute


class AbandonedObject(BackgroundAttribute):
    """Time for which an abandoned object has stood."""

    name = "left"
    wording = "something was left here and stood for {value:.0f} s"
    is_about_abandoned = True
