"""Features projected into a few bytes a cell give the maps of the decoder itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from engine.core.errors import BadInputError
from engine.tvad.feature_codec import BoundedDecoder
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
    return torch.stack([functional.adaptive_avg_pool2d(one, GRID) for one in odds])


@torch.inference_mode()
def test_maps_from_kept_bytes_are_the_decoders_and_fit_the_bound() -> None:
    decoder, values = untrained_decoder(), hidden()
    bounded = BoundedDecoder(decoder, LIMIT, GRID)
    slices = bounded.project(values)
    assert len(slices) == 2
    assert all(one.dtype == np.uint8 and one.nbytes <= LIMIT for one in slices)
    found = bounded.log_odds([bounded.unpack(one) for one in slices], texts(2), texts(3, 5))
    expected = exact(decoder, values)
    assert found.shape == (3, 2, *GRID)
    spread = float(expected.std())
    assert float((found - expected).abs().mean()) < 0.1 * spread
    assert float(torch.corrcoef(torch.stack([found.flatten(), expected.flatten()]))[0, 1]) > 0.98


@torch.inference_mode()
def test_kept_bytes_are_read_by_a_decoder_opened_later_bit_for_bit() -> None:
    slices = BoundedDecoder(untrained_decoder(), LIMIT, GRID).project(hidden())
    later = BoundedDecoder(untrained_decoder(), LIMIT, GRID)
    first = later.log_odds([later.unpack(one) for one in slices], texts(2), texts(3))
    again = BoundedDecoder(untrained_decoder(), LIMIT, GRID)
    one = again.log_odds([again.unpack(slices[1])], texts(2), texts(3))
    assert torch.equal(first[:, 1:], one)


def test_bytes_of_another_decoder_and_a_bound_too_small_are_refused() -> None:
    bounded = BoundedDecoder(untrained_decoder(), LIMIT, GRID)
    slices = bounded.project(hidden())
    with pytest.raises(BadInputError, match="another size"):
        bounded.unpack(slices[0][:-8])
    with pytest.raises(BadInputError, match="do not fit"):
        BoundedDecoder(untrained_decoder(), 4096, GRID).project(hidden())
