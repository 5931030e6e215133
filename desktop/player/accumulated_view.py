"""The accumulated view: several frames and all the heat of a span in one picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from desktop.player.frame_requests import AccumulateRequest
from desktop.player.overlay_reader import OverlayReader
from engine.media import Source

_FRAMES = 9  # frames blended into one picture; more blur the target away
_HEATMAPS = 120  # heatmaps read of a span at most, which bounds how long it takes
_WIDTH = 960  # pixels; wider pictures only take longer


def accumulated_view(
    source: Source,
    overlays: OverlayReader,
    request: AccumulateRequest,
    is_superseded: Callable[[], bool],
) -> NDArray[np.uint8] | None:
    """Draws frames, heat and path of a span into one picture.

    Args:
        source: the evidence.
        overlays: heat and paths of the run.
        request: the span.
        is_superseded: looked at between frames.

    Returns:
        uint8 [h, w, 3], at most 960 wide; None when it is not wanted any more.
    """
    from engine.render.accumulation import accumulate

    info = source.info
    scale = min(1.0, _WIDTH / info.width)
    size = max(2, int(info.width * scale)), max(2, int(info.height * scale))
    indices = np.unique(np.linspace(request.first, request.last, _FRAMES).astype(np.int64))
    frames = []
    for index in indices.tolist():
        if is_superseded():
            return None
        frame = source.pick(index, size=size, pixels="rgb")
        if frame.image is not None:
            frames.append(frame.image)
    if not frames or is_superseded():
        return None
    heat = [levels / 255 for levels in overlays.heat_of(request.first, request.last, _HEATMAPS)]
    path = None
    if request.trajectories:
        path = overlays.path(request.trajectories[0], request.first, request.last)
        path = path * np.array([size[0] / info.width, size[1] / info.height], np.float32)
    return accumulate(np.stack(frames), heat, path)
