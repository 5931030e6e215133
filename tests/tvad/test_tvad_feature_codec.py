"""Features projected into a few bytes a cell give the maps of the decoder itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from engine.core.errors import BadInputError
from engine.tvad.feature_codec import FeatureCodec
from tests.tvad.text_pack import untrained_decoder

GRID = (36, 48)
LIMIT = 128 << 10
SIDES = ((60, 80), (60, 80), (30, 40), (15, 20))


def hidden(slices: int = 2, seed: int = 0) -> tuple[torch.Tensor, ...]:
    """Smooth activations as rectified features are: [T', 24, H, W] at four depths."""
    generator = torch.Generator().manual_seed(seed)
    return tuple(
        functional.relu(
            functional.interpolate(
                torch.randn(slices, 24, 6, 8, generator=generator), side, mode="bilinear"
            )
        )
        for side in SIDES
    )


def texts(count: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(count, 384, generator=torch.Generator().manual_seed(seed))


def exact(decoder: object, values: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """The decoder's own log-odds, averaged to the grid."""
    odds = decoder.log_odds(values, texts(2), texts(3, 5))  # type: ignore[attr-defined]
    return torch.stack([functional.adaptive_avg_pool2d(values, GRID) for values in odds])


@torch.inference_mode()
def test_maps_from_kept_bytes_are_the_decoders_and_fit_the_bound() -> None:
    decoder, values = untrained_decoder(), hidden()
    codec = FeatureCodec(decoder, LIMIT, GRID)
    slices = codec.project(values)
    assert len(slices) == 2
    assert all(packed.dtype == np.uint8 and packed.nbytes <= LIMIT for packed in slices)
    odds = codec.log_odds([codec.unpack(packed) for packed in slices], texts(2), texts(3, 5))
    expected = exact(decoder, values)
    assert odds.shape == (3, 2, *GRID)
    spread = float(expected.std())
    assert float((odds - expected).abs().mean()) < 0.1 * spread
    assert float(torch.corrcoef(torch.stack([odds.flatten(), expected.flatten()]))[0, 1]) > 0.98


@torch.inference_mode()
def test_kept_bytes_are_read_by_a_decoder_opened_later_bit_for_bit() -> None:
    slices = FeatureCodec(untrained_decoder(), LIMIT, GRID).project(hidden())
    later = FeatureCodec(untrained_decoder(), LIMIT, GRID)
    first = later.log_odds([later.unpack(packed) for packed in slices], texts(2), texts(3))
    again = FeatureCodec(untrained_decoder(), LIMIT, GRID)
    second = again.log_odds([again.unpack(slices[1])], texts(2), texts(3))
    assert torch.equal(first[:, 1:], second)


def test_bytes_of_another_decoder_and_a_bound_too_small_are_refused() -> None:
    codec = FeatureCodec(untrained_decoder(), LIMIT, GRID)
    slices = codec.project(hidden())
    with pytest.raises(BadInputError, match="another size"):
        codec.unpack(slices[0][:-8])
    with pytest.raises(BadInputError, match="do not fit"):
        FeatureCodec(untrained_decoder(), 4096, GRID).project(hidden())
