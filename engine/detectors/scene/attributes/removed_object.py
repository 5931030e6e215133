"""Removed object: something that belonged to the background has been carried off."""

from __future__ import annotations

from engine.detectors.scene.attributes.background_attribute import BackgroundAttribute


class RemovedObject(BackgroundAttribute):
    """Time for which a removed object has been missing."""

    name = "taken"
    wording = "something that stood here has been gone for {value:.0f} s"
    is_about_abandoned = False
