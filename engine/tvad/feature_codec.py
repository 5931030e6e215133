"""Features projected by a decoder into a few bytes a cell, so that a case can keep them.

Every cosine of a decoder is `(W h + b) . S / |W h + b|`. Of each depth and slice the strongest
directions of `W h` over the picture are found (an eigenvalue problem of the hidden width); what is
kept of a cell is its coordinates along them, the first in a byte each, the others in half a byte,
and the exact norm. New prompts are read from that without the video.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from engine.core.errors import BadInputError
from engine.tvad.heatmap_decoder import AnomalyHeatmapDecoder, DepthProjection

_HEAD_BYTES = 16  # rows and columns of four depths, two bytes each
# Directions kept in a byte a coordinate; fewer only where not even these fit, as on fine grids. The
# first few hold most of what there is; how many was chosen, not varied.
_FINE, _MIN_FINE = 8, 2
# Steps of a coordinate to either side of zero: what fits a signed byte and half of one.
_FINE_STEPS, _COARSE_STEPS = 127.0, 7.0
_EPSILON = 1e-6  # keeps divisions finite where a cell has no features at all

Shape = tuple[int, int]


@dataclass(frozen=True)
class _Layout:
    """How one depth of a slice lies in its bytes.

    Attributes:
        shape: rows and columns.
        hidden: width m of the decoder's hidden maps.
        fine: directions kept in a byte.
        coarse: further directions kept in half a byte; an even number.
    """

    shape: Shape
    hidden: int
    fine: int
    coarse: int

    @property
    def cells(self) -> int:
        """Number of cells."""
        return self.shape[0] * self.shape[1]

    @property
    def rank(self) -> int:
        """Number of directions that are kept."""
        return self.fine + self.coarse

    @property
    def part_bytes(self) -> tuple[int, int, int, int, int]:
        """Bytes of scales, directions, fine and coarse coordinates, and norms."""
        cells = self.cells
        directions = 2 * self.hidden * self.rank
        return 4 * self.rank, directions, self.fine * cells, self.coarse * cells // 2, 2 * cells


@dataclass(frozen=True, eq=False)
class _Projection:
    """The last layer of one depth, taken apart as W = Q R.

    Attributes:
        inner: float64 [m, m], R.
        outer: float32 [D, m], Q.
        weight: float32 [D, m], W.
        bias: float32 [D], b.
        share: weight of the depth in the sum of cosines.
    """

    inner: torch.Tensor
    outer: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor
    share: float


@dataclass(frozen=True, eq=False)
class _DepthCoordinates:
    """One depth of a slice as its bytes hold it.

    Attributes:
        shape: rows and columns.
        along: float32 [rank, cells], coordinates along the kept directions.
        directions: float32 [m, rank], the directions.
        length: float32 [cells], |W h + b|, the length of the whole embedding.
    """

    shape: Shape
    along: torch.Tensor
    directions: torch.Tensor
    length: torch.Tensor


UnpackedSlice = Sequence[_DepthCoordinates]
"""A slice read from its bytes, depth by depth."""


class FeatureCodec:
    """Packs the features of a decoder into at most so many bytes a slice, and reads them again.

    Maps are read from the packed bytes alone, also the first time, so that features from a cache
    and features just computed give the same maps bit for bit. A slice begins with rows and columns
    of each depth, so that it can be read by itself.

    Args:
        decoder: a trained decoder with its calibration.
        slice_bytes: bytes of one slice, at most.
        grid: rows and columns of the maps; depths that are finer are averaged to it.
    """

    def __init__(self, decoder: AnomalyHeatmapDecoder, slice_bytes: int, grid: Shape) -> None:
        self._decoder = decoder
        self._bytes = slice_bytes
        self._grid = grid
        shares = decoder.weights.detach().cpu().tolist()
        modules = [module for module in decoder.depths if isinstance(module, DepthProjection)]
        self._depths = [
            _decompose(module, share) for module, share in zip(modules, shares, strict=True)
        ]
        self._known_layouts: dict[tuple[Shape, ...], list[_Layout]] = {}

    @torch.inference_mode()
    def project(self, hidden: Sequence[torch.Tensor]) -> list[NDArray[np.uint8]]:
        """Projects and packs the hidden maps of a window, four tensors [T', m_i, H_i, W_i].

        Returns:
            T' arrays of bytes, all of one length.

        Raises:
            BadInputError: the grid is too fine for that many bytes.
        """
        max_cells = self._grid[0] * self._grid[1]
        shapes = [(int(values.shape[2]), int(values.shape[3])) for values in hidden]
        shapes = [shape if shape[0] * shape[1] <= max_cells else self._grid for shape in shapes]
        head = np.array(shapes, "<u2").view(np.uint8).reshape(1, -1).repeat(len(hidden[0]), 0)
        parts = [head]
        for depth, layout, values in zip(self._depths, self._layouts(shapes), hidden, strict=True):
            if values.shape[-2:] != layout.shape:
                values = functional.adaptive_avg_pool2d(values, layout.shape)
            parts.append(_pack_depth(depth, layout, values.flatten(2).to("cpu", torch.float32)))
        return list(np.concatenate(parts, axis=1))

    def unpack(self, packed: NDArray[np.uint8]) -> UnpackedSlice:
        """Reads a slice from its bytes.

        Raises:
            BadInputError: the bytes were not written for a decoder of this kind.
        """
        sides = np.ascontiguousarray(packed[:_HEAD_BYTES]).view("<u2").reshape(-1, 2).tolist()
        layouts = self._layouts([(rows, columns) for rows, columns in sides])
        ends = np.cumsum([_HEAD_BYTES, *(sum(layout.part_bytes) for layout in layouts)]).tolist()
        if len(packed) != ends[-1]:
            raise BadInputError("kept features of another size", "", "delete the case's cache")
        return [
            _unpack_depth(layout, packed[start:end])
            for layout, start, end in zip(layouts, ends, ends[1:], strict=False)
        ]

    @torch.inference_mode()
    def log_odds(
        self, slices: Sequence[UnpackedSlice], normal: torch.Tensor, abnormal: torch.Tensor
    ) -> torch.Tensor:
        """Reads the maps of prompts from projected features.

        Args:
            slices: slices as `unpack` returns them.
            normal: float32 [N, D], embeddings of the normal prompts.
            abnormal: float32 [A, D], class embeddings, one map each.

        Returns:
            float32 [A, s, R, C], as `AnomalyHeatmapDecoder.log_odds` on the grid.
        """
        both = torch.cat([normal.mean(0, keepdim=True), abnormal])
        text = self._decoder.normalise_text(both).to("cpu", torch.float32)
        totals = [self._similarity(depths, text) for depths in slices]
        classes = torch.stack(totals, 1)
        return classes[1:] - classes[:1]

    @property
    def cell_feature_width(self) -> int:
        """M, the hidden widths of all depths together."""
        return sum(self._widths)

    @torch.inference_mode()
    def cell_features(self, depths: UnpackedSlice) -> torch.Tensor:
        """Returns the features of each cell of a slice as the decoder sees them.

        Returns:
            float32 [M, R, C], `z / |W h + b|` of each depth one below the other, averaged over
            3x3 cells, so that a target a few cells large is seen as a whole.
        """
        parts = []
        for depth in depths:
            along = depth.directions @ (depth.along / depth.length.clamp(min=_EPSILON))
            parts.append(self._to_grid(along.view(-1, *depth.shape)))
        return _average_neighbours(torch.cat(parts))

    @torch.inference_mode()
    def direction_scores(
        self, depths: UnpackedSlice, weight: torch.Tensor, offset: torch.Tensor
    ) -> torch.Tensor:
        """Returns `weight . features - offset` of each cell without computing the features.

        Args:
            depths: a slice.
            weight: float32 [K, M], directions in the space of cell features.
            offset: float32 [K].

        Returns:
            float32 [K, R, C].
        """
        total = torch.zeros(len(weight), *self._grid)
        for depth, own in zip(depths, torch.split(weight, self._widths, 1), strict=True):
            scores = (own @ depth.directions) @ (depth.along / depth.length.clamp(min=_EPSILON))
            total += self._to_grid(scores.view(-1, *depth.shape))
        return _average_neighbours(total) - offset[:, None, None]

    @property
    def _widths(self) -> list[int]:
        return [depth.inner.shape[0] for depth in self._depths]

    def _to_grid(self, maps: torch.Tensor) -> torch.Tensor:
        if maps.shape[-2:] == self._grid:
            return maps
        return functional.interpolate(maps[None], self._grid, mode="bilinear", align_corners=False)[
            0
        ]

    def _similarity(self, depths: UnpackedSlice, text: torch.Tensor) -> torch.Tensor:
        """Returns H_c of one slice, float32 [P, R, C]."""
        total = torch.zeros(len(text), *self._grid)
        for projection, depth in zip(self._depths, depths, strict=True):
            total += projection.share * self._to_grid(_cosine(projection, depth, text))
        return total

    def _layouts(self, shapes: Sequence[Shape]) -> list[_Layout]:
        """Returns the layouts of the depths, with as many directions as fit the bytes."""
        key = tuple(shapes)
        if key not in self._known_layouts:
            self._known_layouts[key] = self._fit_layouts(shapes)
        return self._known_layouts[key]

    def _fit_layouts(self, shapes: Sequence[Shape]) -> list[_Layout]:
        widths = self._widths
        choices = [(_FINE, coarse) for coarse in range(max(widths) // 2 * 2, -1, -2)]
        choices += [(fine, 0) for fine in range(_FINE - 1, _MIN_FINE - 1, -1)]
        for fine, coarse in choices:
            layouts = [
                _Layout(shape, width, min(fine, width), min(coarse, max(0, width - fine) // 2 * 2))
                for shape, width in zip(shapes, widths, strict=True)
            ]
            if _HEAD_BYTES + sum(sum(layout.part_bytes) for layout in layouts) <= self._bytes:
                return layouts
        raise BadInputError(
            f"maps of {self._grid[1]}x{self._grid[0]} cells do not fit {self._bytes} bytes",
            "",
            "use a smaller analysis picture",
        )


def _decompose(module: DepthProjection, share: float) -> _Projection:
    weight = module.second.weight.detach().to("cpu", torch.float64)
    outer, inner = torch.linalg.qr(weight)
    bias = module.second.bias.detach().to("cpu", torch.float32)
    return _Projection(inner, outer.float(), weight.float(), bias, share)


def _pack_depth(depth: _Projection, layout: _Layout, hidden: torch.Tensor) -> NDArray[np.uint8]:
    """Packs the hidden maps of one depth, float32 [T', m, cells]: uint8 [T', bytes]."""
    turned = depth.inner @ hidden.double()
    _, vectors = torch.linalg.eigh(turned @ turned.transpose(1, 2))
    # Ascending: the strongest directions stand last.
    directions = vectors[:, :, -layout.rank :].flip(2).to(torch.float16)
    along = (directions.double().transpose(1, 2) @ turned).float()
    steps = torch.full((layout.rank, 1), _COARSE_STEPS)
    steps[: layout.fine] = _FINE_STEPS
    scale = along.abs().amax(2, keepdim=True).clamp(min=_EPSILON) / steps
    whole = torch.round(along / scale).to(torch.int8).numpy()
    fine, coarse = whole[:, : layout.fine], whole[:, layout.fine :]
    nibbles = (coarse.reshape(len(whole), -1) + 8).astype(np.uint8)
    norm = torch.linalg.vector_norm(depth.weight @ hidden + depth.bias[:, None], dim=1)
    columns = [
        scale.numpy().view(np.uint8),
        directions.contiguous().numpy().view(np.uint8),
        fine.view(np.uint8),
        nibbles[:, 0::2] << 4 | nibbles[:, 1::2],
        norm.to(torch.float16).numpy().view(np.uint8),
    ]
    return np.concatenate([part.reshape(len(whole), -1) for part in columns], axis=1)


def _unpack_depth(layout: _Layout, packed: NDArray[np.uint8]) -> _DepthCoordinates:
    ends = np.cumsum(layout.part_bytes)[:-1].tolist()
    scale, directions, fine, coarse, norm = np.split(packed, ends)
    nibbles = np.stack([coarse >> 4, coarse & 15], 1).reshape(layout.coarse, layout.cells)
    whole = np.concatenate(
        [fine.view(np.int8).reshape(layout.fine, layout.cells), nibbles.astype(np.int8) - 8]
    )
    scales = torch.from_numpy(scale.copy().view(np.float32))
    turned = directions.copy().view(np.float16).astype(np.float32)
    return _DepthCoordinates(
        layout.shape,
        torch.from_numpy(whole.astype(np.float32)) * scales[:, None],
        torch.from_numpy(turned).view(layout.hidden, layout.rank),
        torch.from_numpy(norm.copy().view(np.float16).astype(np.float32)),
    )


def _cosine(projection: _Projection, depth: _DepthCoordinates, text: torch.Tensor) -> torch.Tensor:
    """Computes the cosines of one depth: float32 [P, rows, columns]."""
    outward = projection.outer @ depth.directions
    dot = (text @ outward) @ depth.along + (text @ projection.bias)[:, None]
    return (dot / depth.length.clamp(min=_EPSILON)).view(len(text), *depth.shape)


def _average_neighbours(maps: torch.Tensor) -> torch.Tensor:
    """Averages maps [n, R, C] over 3x3 cells, at the rim over those that exist."""
    return functional.avg_pool2d(maps[None], 3, 1, 1, count_include_pad=False)[0]
