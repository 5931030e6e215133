"""Small pictures of targets, cut from their exact frames."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QImage

from desktop.player.screen_images import to_image
from desktop.state.view_state import PictureSettings
from desktop.timeline.thumbnails import ThumbnailSource
from engine.core.geometry import Box
from engine.core.progress import CancelToken
from engine.media import open_source

CROP = QSize(128, 72)
_ROOM = 2.0  # height of a crop in heights of the box, so that what is around can be told


def crops(
    evidence: ThumbnailSource, boxes: Mapping[int, tuple[int, Box]], cancel: CancelToken
) -> dict[int, QImage]:
    """Returns a picture for each place, those left out whose frame cannot be decoded.

    Args:
        evidence: where the frames are.
        boxes: frame and box of a target, by any number.
        cancel: looked at between frames.

    Raises:
        SightlineError: the evidence cannot be opened, or the work was cancelled.
    """
    images: dict[int, QImage] = {}
    with open_source(
        evidence.path,
        stream=evidence.stream,
        fps=evidence.fps,
        cancel=cancel,
        indexes=evidence.indexes,
    ) as source:
        for number, (frame, box) in sorted(boxes.items(), key=lambda numbered: numbered[1][0]):
            cancel.check()
            picture = source.frame(frame).image
            if picture is not None:
                images[number] = crop(to_image(picture, PictureSettings()), box)
    return images


def crop(picture: QImage, box: Box) -> QImage:
    """Cuts the surroundings of a box out of a frame, in the form of `CROP`."""
    high = max(_ROOM * box.h, _ROOM * box.w * CROP.height() / CROP.width())
    high = min(high, picture.height(), picture.width() * CROP.height() / CROP.width())
    wide = high * CROP.width() / CROP.height()
    left = min(max(0.0, box.x + box.w / 2 - wide / 2), picture.width() - wide)
    top = min(max(0.0, box.y + box.h / 2 - high / 2), picture.height() - high)
    cut = picture.copy(QRect(round(left), round(top), max(1, round(wide)), max(1, round(high))))
    smooth = Qt.TransformationMode.SmoothTransformation
    return cut.scaled(CROP, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
