"""ROC AUC over all pixels of all frames, in constant memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.lab.evaluation.metric import MetricValue

_BINS = 0x3C00 + 1
"""Float16 values from 0 to 1 have the bit patterns 0 to 0x3C00, in the same order."""

_PIXELS_AT_ONCE = 1 << 18
"""Pixels that are counted together, few enough that the arrays stay in the processor's cache."""


class PixelAuc:
    """Counts heatmap values of normal and abnormal pixels and takes the AUC from the counts.

    A heatmap is upsampled bilinearly to the size of the mask and rounded to float16, so that its
    values fall on 15,361 bit patterns; the AUC of these values is then exact (ties count half).

    Example:
        >>> auc = PixelAuc()
        >>> auc.add(np.array([[0.0, 1.0]], np.float32), np.array([[False, True]]))
        >>> auc.value().value
        1.0
    """

    def __init__(self) -> None:
        self._counts = np.zeros(2 * _BINS, np.int64)

    def add(self, heatmap: NDArray[np.floating], mask: NDArray[np.bool_]) -> None:
        """Counts the pixels of a frame.

        Args:
            heatmap: float [h, w], any grid over the frame, 0..1.
            mask: bool [H, W], source size, True = abnormal.

        Raises:
            BadInputError: the heatmap or mask is empty or not two-dimensional, or a value is not
                within 0..1.
        """
        import cv2

        if heatmap.ndim != 2 or mask.ndim != 2 or not heatmap.size or not mask.size:
            raise BadInputError(
                f"a heatmap of shape {heatmap.shape} and a mask of shape {mask.shape}",
                "pixel AUC",
                "give both as rows and columns",
            )
        if not (heatmap.min() >= 0 and heatmap.max() <= 1):
            raise BadInputError(
                "a heatmap value is not within 0..1", "pixel AUC", "calibrate the heatmap first"
            )
        grid = np.ascontiguousarray(heatmap, np.float32)
        full = grid
        if grid.shape != mask.shape:
            size = (mask.shape[1], mask.shape[0])
            full = np.asarray(cv2.resize(grid, size, interpolation=cv2.INTER_LINEAR), np.float32)
        # Adding zero turns -0.0, whose bit pattern lies beyond 1.0, into 0.0.
        patterns = (full + np.float32(0)).astype(np.float16).view(np.uint16).ravel()
        truth = np.ascontiguousarray(mask, np.bool_).ravel()
        for start in range(0, patterns.size, _PIXELS_AT_ONCE):
            codes = patterns[start : start + _PIXELS_AT_ONCE].astype(np.intp)
            codes += truth[start : start + _PIXELS_AT_ONCE] * np.intp(_BINS)
            self._counts += np.bincount(codes, minlength=2 * _BINS)

    def value(self) -> MetricValue:
        """Returns the AUC so far; undefined when all pixels are of one class or there are none."""
        normal, abnormal = self._counts[:_BINS].tolist(), self._counts[_BINS:].tolist()
        normals, abnormals = sum(normal), sum(abnormal)
        if not normals and not abnormals:
            return MetricValue(None, "there are no pixels")
        if not normals or not abnormals:
            return MetricValue(None, f"every pixel is {'normal' if normals else 'abnormal'}")
        # Whole numbers of Python do not overflow: twice the pairs in the right order, ties half.
        below = twice = 0
        for negative, positive in zip(normal, abnormal, strict=True):
            twice += positive * (2 * below + negative)
            below += negative
        return MetricValue(twice / (2 * normals * abnormals))
