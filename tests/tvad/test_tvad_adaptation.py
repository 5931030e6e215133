"""What marks teach a decoder moves what is alike and leaves the rest bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.core.errors import BadInputError
from engine.tvad.adaptation import Adaptation
from engine.tvad.feature_codec import FeatureCodec
from engine.tvad.replay_file import load_replay, replay_bytes
from tests.tvad.test_tvad_feature_codec import GRID, LIMIT, hidden
from tests.tvad.text_pack import untrained_decoder

WORDS = ("person running", "vehicle")


def taught(normal: bool, name: str = "vehicle", silenced: tuple[str, ...] = ()) -> Adaptation:
    ones = np.ones(1, np.float32)
    return Adaptation((name,), (normal,), np.ones((1, 3), np.float32), ones, 2 * ones, (silenced,))


def test_only_cells_that_are_alike_move() -> None:
    odds = torch.randn(2, 4, 5, generator=torch.Generator().manual_seed(1))
    direction_scores = torch.full((1, 4, 5), -0.3)
    direction_scores[0, 1, 2], direction_scores[0, 3, 3] = 0.5, 7.0
    raised = taught(False).apply(odds, direction_scores, WORDS)
    moved = (raised != odds).nonzero().tolist()
    assert moved == [[1, 1, 2], [1, 3, 3]]
    assert raised[1, 3, 3] == odds[:, 3, 3].max() + 2
    quiet = -odds.abs()
    lowered = taught(True, silenced=WORDS).apply(quiet, direction_scores, WORDS)
    assert (lowered != quiet).sum() == 4
    assert torch.equal(lowered[:, 1, 2], quiet[:, 1, 2] - 0.5)
    assert torch.equal(taught(False, "unheard of").apply(odds, direction_scores, WORDS), odds)


def test_what_is_harmless_silences_only_the_prompts_that_spoke_of_it() -> None:
    odds = torch.zeros(2, 4, 5)
    quiet = taught(True, "keeper's cart", ("vehicle",)).apply(odds, torch.ones(1, 4, 5), WORDS)
    assert torch.equal(quiet[0], odds[0])
    assert torch.equal(quiet[1], odds[1] - 2)


def test_all_of_a_harmless_target_falls_silent_and_its_neighbour_does_not() -> None:
    odds = torch.full((2, 6, 9), -1.0)
    odds[1, 1:4, 1:4], odds[1, 1:4, 6:8], odds[0, 5, 1:4] = 3.0, 3.0, 2.0
    direction_scores = torch.full((1, 6, 9), -0.5)
    direction_scores[0, 2, 2], direction_scores[0, 3, 3] = 1.0, 0.5
    quiet = taught(True, "keeper's cart", ("vehicle",)).apply(odds, direction_scores, WORDS)
    moved = quiet != odds
    assert torch.equal(quiet[1, 1:4, 1:4], torch.ones(3, 3))
    assert moved[1, 1:4, 1:4].all()
    assert moved.sum() == 9


def test_direction_scores_are_what_they_would_be_of_the_cell_features() -> None:
    codec = FeatureCodec(untrained_decoder(), LIMIT, GRID)
    opened = codec.unpack(codec.project(hidden(1))[0])
    cell_features = codec.cell_features(opened)
    assert cell_features.shape == (codec.cell_feature_width, *GRID)
    weight = torch.randn(2, codec.cell_feature_width, generator=torch.Generator().manual_seed(2))
    offset = torch.tensor([0.1, -0.2])
    direct = codec.direction_scores(opened, weight, offset)
    expected = torch.einsum("km,mrc->krc", weight, cell_features) - offset[:, None, None]
    assert torch.allclose(direct, expected, atol=1e-4)


def test_what_was_taught_comes_back_and_damage_is_named() -> None:
    blob = taught(True).encode()
    back = Adaptation.decode(blob)
    assert (back.names, back.normal, back.encode()) == (("vehicle",), (True,), blob)
    for bad in (b"", blob[:20], blob[:-4], b"\xff" * 40):
        with pytest.raises(BadInputError, match="cannot be read"):
            Adaptation.decode(bad)


def test_a_replayed_sample_comes_back_within_a_byte(tmp_path: Path) -> None:
    cell_features = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    group = np.arange(50).astype(np.uint8) % 3
    path = tmp_path / "replay.safetensors"
    path.write_bytes(replay_bytes(cell_features, group))
    back, groups = load_replay(path)
    assert np.abs(back - cell_features).max() <= np.abs(cell_features).max() / 127
    assert np.array_equal(groups, group)
    path.write_bytes(b"nothing")
    with pytest.raises(BadInputError, match="cannot be read"):
        load_replay(path)
    with pytest.raises(BadInputError, match="20 MB"):
        replay_bytes(np.zeros((1 << 20, 21), np.float32), np.zeros(1 << 20, np.uint8))
