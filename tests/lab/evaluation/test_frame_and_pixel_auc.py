"""AUC figures are scikit-learn's, or undefined with a reason."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from engine.core.errors import BadInputError
from engine.lab.evaluation.frame_auc import macro_auc, micro_auc
from engine.lab.evaluation.pixel_auc import PixelAuc


def flags(text: str) -> NDArray[np.bool_]:
    return np.array([char == "1" for char in text])


def test_micro_concatenates_without_normalising_each_video() -> None:
    labels = [flags("0011"), flags("01")]
    scores = [np.array([0.0, 0.1, 0.2, 0.3]), np.array([0.8, 0.9])]
    expected = roc_auc_score(np.concatenate(labels), np.concatenate(scores))
    assert micro_auc(labels, scores).value == expected
    assert expected < 1
    assert macro_auc(labels, scores).value == 1


def test_macro_is_the_plain_mean_with_anchors() -> None:
    labels = [flags("111"), flags("0101")]
    scores = [np.array([0.2, 0.0, 0.9]), np.array([0.5, 0.4, 0.1, 1.0])]
    each = [
        roc_auc_score(np.r_[0, label, 1], np.r_[0.0, score, 1.0])
        for label, score in zip(labels, scores, strict=True)
    ]
    assert macro_auc(labels, scores).value == pytest.approx(sum(each) / 2, abs=1e-15)


@pytest.mark.parametrize(
    ("text", "reason"), [("000", "normal"), ("11", "abnormal"), ("", "no frames")]
)
def test_micro_of_one_class_is_undefined_with_a_reason(text: str, reason: str) -> None:
    figure = micro_auc([flags(text)], [np.zeros(len(text))])
    assert figure.value is None
    assert reason in figure.reason


def test_bad_scores_are_refused() -> None:
    with pytest.raises(BadInputError, match="2 labels but 3 scores"):
        micro_auc([flags("01")], [np.zeros(3)])
    with pytest.raises(BadInputError, match="not a finite number"):
        micro_auc([flags("01")], [np.array([0.0, np.nan])])
    with pytest.raises(BadInputError, match=r"not within 0\.\.1"):
        macro_auc([flags("01")], [np.array([0.0, 1.5])])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([np.float16, np.float32, np.float64]))
def test_pixel_auc_equals_scikit_learn(seed: int, dtype: type[np.floating]) -> None:
    rng = np.random.default_rng(seed)
    auc, truth, values = PixelAuc(), [], []
    for _ in range(3):
        grid = (rng.integers(0, 5, rng.integers(1, 7, 2)) / 4).astype(dtype)
        mask = rng.random(rng.integers(5, 30, 2)) < 0.3
        auc.add(grid, mask)
        full = cv2.resize(grid.astype(np.float32), mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
        truth.append(mask.ravel())
        values.append(full.astype(np.float16).ravel())
    expected = roc_auc_score(np.concatenate(truth), np.concatenate(values))
    assert auc.value().value == pytest.approx(expected, abs=1e-12)


def test_pixel_auc_of_the_mask_itself_is_one_and_of_a_constant_a_half() -> None:
    mask = np.zeros((600, 700), np.bool_)
    mask[100:300, 50:90] = True
    perfect, constant = PixelAuc(), PixelAuc()
    perfect.add(mask.astype(np.float32), mask)
    constant.add(np.full((3, 4), 0.37, np.float32), mask)
    assert perfect.value().value == 1.0
    assert constant.value().value == 0.5


def test_negative_zero_is_zero() -> None:
    auc = PixelAuc()
    auc.add(np.array([[-0.0, 0.0]], np.float32), np.array([[False, True]]))
    assert auc.value().value == 0.5


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.01, 1.01])
def test_heatmap_values_beyond_the_range_are_refused(value: float) -> None:
    with pytest.raises(BadInputError, match=r"within 0\.\.1"):
        PixelAuc().add(np.array([[0.5, value]]), np.zeros((4, 4), np.bool_))


def test_pixel_auc_of_one_class_is_undefined() -> None:
    auc = PixelAuc()
    assert auc.value().reason == "there are no pixels"
    auc.add(np.zeros((2, 2)), np.zeros((4, 4), np.bool_))
    assert (auc.value().value, auc.value().reason) == (None, "every pixel is normal")
