"""Features projected by a decoder into a few bytes a cell, so that a case can keep them.

Every cosine of a decoder is `(W h + b) . S / |W h + b|`. The projection W of each depth is cut to
its strongest directions (singular value decomposition); what is kept of a cell is its coordinates
along them, a byte each, and the exact norm. New prompts are read from that without the video.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from engine.core.errors import BadInputError
from engine.tvad.ahd import AnomalyHeatmapDecoder, DepthProjection

_HEAD_BYTES = 16
_NORM_BYTES = 2
_SCALE_BYTES = 4
_STEPS = 127.0
_LEAST_RANK = 4
_TINY = 1e-6


@dataclass(frozen=True, eq=False)
class _Depth:
    """One depth's projection along its strongest directions.

    Attributes:
        inward: float32 [r, m], hidden activations to coordinates.
        outward: float32 [D, r], coordinates to the width of the text.
        bias: float32 [D].
        weight: of the depth in the sum.
    """

    inward: torch.Tensor
    outward: torch.Tensor
    bias: torch.Tensor
    weight: float


class BoundedDecoder:
    """A decoder whose features fit a number of bytes a slice.

    Maps are read from the kept bytes alone, also the first time, so that features from a cache
    and features just computed give the same maps bit for bit.

    A slice begins with rows and columns of each depth, so that it can be read by itself.

    Args:
        decoder: trained, with its calibration.
        slice_bytes: bytes of one slice, at most.
        grid: rows and columns of the maps; depths that are finer are averaged to it.
    """

    def __init__(
        self, decoder: AnomalyHeatmapDecoder, slice_bytes: int, grid: tuple[int, int]
    ) -> None:
        self._decoder = decoder
        self._bytes = slice_bytes
        self._grid = grid
        self._layouts: dict[tuple[tuple[int, int], ...], list[_Depth]] = {}

    @torch.inference_mode()
    def project(self, hidden: Sequence[torch.Tensor]) -> list[NDArray[np.uint8]]:
        """Projects the hidden activations of a window, four tensors [T', m_i, H_i, W_i].

        Returns:
            T' arrays of bytes, all of one length.
        """
        finest = self._grid[0] * self._grid[1]
        shapes = [(int(one.shape[2]), int(one.shape[3])) for one in hidden]
        kept = [one if one[0] * one[1] <= finest else self._grid for one in shapes]
        layout = self._layout_of(kept)
        parts = [
            self._packed(depth, one, shape, self._projection(n))
            for n, (depth, one, shape) in enumerate(zip(layout, hidden, kept, strict=True))
        ]
        head = np.array(kept, "<u2").view(np.uint8).reshape(-1)
        return [np.concatenate([head, *(part[n] for part in parts)]) for n in range(len(hidden[0]))]

    @torch.inference_mode()
    def log_odds(
        self,
        slices: Sequence[NDArray[np.uint8]],
        normal: torch.Tensor,
        abnormal: torch.Tensor,
    ) -> torch.Tensor:
        """Reads the maps of prompts from projected features.

        Args:
            slices: from `project`.
            normal: float32 [N, D], embeddings of the normal prompts.
            abnormal: float32 [A, D], class embeddings, one map each.

        Returns:
            float32 [A, s, R, C], as `AnomalyHeatmapDecoder.log_odds` on the grid.

        Raises:
            BadInputError: the bytes were not written by a decoder of this kind.
        """
        rows = torch.from_numpy(np.stack(slices))
        shapes = _shapes(slices[0])
        layout = self._layout_of(shapes)
        if rows.shape[1] != _HEAD_BYTES + _taken([len(one.inward) for one in layout], shapes):
            raise BadInputError("kept features of another size", "", "delete the case's cache")
        both = torch.cat([normal.mean(0, keepdim=True), abnormal])
        text = self._decoder.scaled(both).to("cpu")
        total = torch.zeros(len(slices), len(text), *self._grid)
        at = _HEAD_BYTES
        for depth, shape in zip(layout, shapes, strict=True):
            cells, rank = shape[0] * shape[1], len(depth.inward)
            size = _SCALE_BYTES * rank + cells * (rank + _NORM_BYTES)
            part = rows[:, at : at + size].contiguous()
            at += size
            cosine = _cosine(depth, part, cells, text).view(len(slices), -1, *shape)
            if shape != self._grid:
                cosine = functional.interpolate(
                    cosine, self._grid, mode="bilinear", align_corners=False
                )
            total += depth.weight * cosine
        classes = total.transpose(0, 1)
        return classes[1:] - classes[:1]

    def _layout_of(self, shapes: Sequence[tuple[int, int]]) -> list[_Depth]:
        """Returns the depths with as many directions as fit the bytes."""
        key = tuple(shapes)
        if key not in self._layouts:
            self._layouts[key] = self._laid_out(shapes)
        return self._layouts[key]

    def _laid_out(self, shapes: Sequence[tuple[int, int]]) -> list[_Depth]:
        widths = [self._projection(n).first.out_features for n in range(len(shapes))]
        most, room = max(widths), self._bytes - _HEAD_BYTES
        while most >= _LEAST_RANK and _taken([min(most, one) for one in widths], shapes) > room:
            most -= 1
        if most < _LEAST_RANK:
            raise BadInputError(
                f"maps of {self._grid[1]}x{self._grid[0]} cells do not fit {self._bytes} bytes",
                "",
                "use a smaller analysis picture",
            )
        weights = self._decoder.weights.detach().cpu()
        return [
            _strongest(self._projection(n), min(most, widths[n]), float(weight))
            for n, weight in enumerate(weights)
        ]

    def _projection(self, depth: int) -> DepthProjection:
        module = self._decoder.depths[depth]
        assert isinstance(module, DepthProjection)
        return module

    def _packed(
        self,
        depth: _Depth,
        hidden: torch.Tensor,
        shape: tuple[int, int],
        projection: DepthProjection,
    ) -> NDArray[np.uint8]:
        """Packs one depth: scales, coordinates, norms; uint8 [T', bytes]."""
        if hidden.shape[-2:] != shape:
            hidden = functional.adaptive_avg_pool2d(hidden, shape)
        flat = hidden.float().flatten(2)
        weight, bias = projection.second.weight, projection.second.bias
        gram, cross = weight.T @ weight, weight.T @ bias
        square = ((gram @ flat + 2 * cross[:, None]) * flat).sum(1) + bias @ bias
        norm = torch.sqrt(square.clamp(min=_TINY)).to("cpu", torch.float16)
        along = (depth.inward.to(flat.device) @ flat).to("cpu")
        scale = along.abs().amax(2, keepdim=True).clamp(min=_TINY) / _STEPS
        steps = torch.round(along / scale).to(torch.int8)
        count = len(flat)
        columns = [
            scale.view(count, -1).contiguous().numpy().view(np.uint8),
            steps.view(count, -1).numpy().view(np.uint8),
            norm.contiguous().numpy().view(np.uint8).reshape(count, -1),
        ]
        return np.concatenate(columns, axis=1)


def _taken(ranks: Sequence[int], shapes: Sequence[tuple[int, int]]) -> int:
    """Returns the bytes of a slice without its head."""
    return sum(
        _SCALE_BYTES * rank + rows * columns * (rank + _NORM_BYTES)
        for rank, (rows, columns) in zip(ranks, shapes, strict=True)
    )


def _shapes(kept: NDArray[np.uint8]) -> list[tuple[int, int]]:
    sides = np.ascontiguousarray(kept[:_HEAD_BYTES]).view("<u2").reshape(-1, 2)
    return [(int(rows), int(columns)) for rows, columns in sides]


def _strongest(projection: DepthProjection, rank: int, weight: float) -> _Depth:
    matrix = projection.second.weight.detach().to("cpu", torch.float64)
    left, size, right = torch.linalg.svd(matrix, full_matrices=False)
    outward = (left[:, :rank] * size[:rank]).to(torch.float32)
    inward = right[:rank].to(torch.float32)
    bias = projection.second.bias.detach().to("cpu", torch.float32)
    return _Depth(inward, outward, bias, weight)


def _cosine(depth: _Depth, part: torch.Tensor, cells: int, text: torch.Tensor) -> torch.Tensor:
    """Computes cosines from packed bytes uint8 [s, n]: float32 [s, P, cells]."""
    count, rank = len(part), len(depth.inward)
    array = part.numpy()
    head, body = _SCALE_BYTES * rank, rank * cells
    scale = torch.from_numpy(np.ascontiguousarray(array[:, :head]).view(np.float32).copy())
    steps = np.ascontiguousarray(array[:, head : head + body]).view(np.int8)
    norm = np.ascontiguousarray(array[:, head + body :]).view(np.float16).astype(np.float32)
    along = torch.from_numpy(steps).view(count, rank, cells).float() * scale[:, :, None]
    dot = (text @ depth.outward) @ along + (text @ depth.bias)[:, None]
    return dot / torch.from_numpy(norm)[:, None, :].clamp(min=_TINY)
