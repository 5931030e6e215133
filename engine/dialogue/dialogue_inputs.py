"""What the language model is conditioned on for one span, gathered from footage and heatmaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.progress import CancelToken
from engine.dialogue.leading_target import HeatmapReader, LeadingTarget
from engine.dialogue.span_frames import read_window, span_steps
from engine.media import Source
from engine.tvad.backbones.backbone import Backbone
from engine.tvad.backbones.registry import BACKBONES
from engine.tvad.projector import MAX_STEP_TOKENS
from engine.tvad.video_tokens import VideoTokens, pool_grid


@dataclass(frozen=True, eq=False)
class DialogueInputs:
    """What a dialogue about one span is conditioned on.

    Attributes:
        heat: float32 [T'-1, h, w], calibrated heatmaps at evenly spaced times of the span, 0..1;
            None leaves the anomaly tokens out.
        video: float32 [T', s, C], what the backbone computes for the span, before the projector;
            for a backbone whose own tokens the language model reads [T', s, D]; None leaves the
            video tokens out.
        grid: rows and columns of the video tokens of a step, where they have a grid.
    """

    heat: NDArray[np.float32] | None
    video: NDArray[np.float32] | None
    grid: tuple[int, int] | None = None


def gather_inputs(
    backbone: Backbone,
    source: Source,
    span: tuple[int, int],
    read_heatmaps: HeatmapReader,
    cancel: CancelToken | None = None,
) -> DialogueInputs:
    """Gathers the inputs of a dialogue about a span, from the part where its target stands out.

    Args:
        backbone: the backbone of the pack.
        source: the evidence.
        span: first and last frame.
        read_heatmaps: returns the heatmaps of frames.
        cancel: is checked between frames.

    Raises:
        BadInputError: a frame cannot be decoded.
        CancelledError: the user stopped.
    """
    target = LeadingTarget(span, read_heatmaps)
    first, last = target.narrow_span(backbone.window_frames)
    steps = span_steps(first, last, backbone)
    frames = steps.window_frames(backbone.temporal_patch)
    window = read_window(source, backbone, frames, cancel=cancel)
    heat = target(steps.heatmap_frames)
    own_language = BACKBONES[backbone.name].own_language
    if own_language is not None:
        tokens = backbone.video_tokens(window)
        height, width = window.frames.shape[1:3]
        side = backbone.stride * own_language.token_patches
        grid = (steps.steps, height // side, width // side)
        pooled, (_, rows, columns) = pool_grid(tokens, grid, MAX_STEP_TOKENS)
        video = pooled.view(steps.steps, rows * columns, -1).float().cpu().numpy()
        return DialogueInputs(heat, np.asarray(video, np.float32), (rows, columns))
    video_tokens = VideoTokens(backbone, window)
    return DialogueInputs(heat, video_tokens.under(target(steps.video_frames)))
