"""RAE: what a language model is told about the motion of evidence."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.core.errors import BadInputError
from engine.tvad.encoder_files import encoder_bytes, load_encoder, load_projector, projector_bytes
from engine.tvad.projector import ProjectorConfig, VideoProjector
from engine.tvad.region_encoder import (
    BASE_TOKENS,
    REGIONS,
    EncoderConfig,
    RegionAwareEncoder,
    two_class_maps,
)


def _encoder(width: int = 24) -> RegionAwareEncoder:
    torch.manual_seed(2)
    return RegionAwareEncoder(EncoderConfig(width, (4, 6, 8), 16)).eval()


@pytest.mark.parametrize("steps", [2, 3, 8, 16])
@pytest.mark.parametrize("grid", [(3, 4), (31, 55)])
def test_every_step_of_motion_becomes_ten_nine_and_one_tokens(
    steps: int, grid: tuple[int, int]
) -> None:
    tokens = _encoder()(torch.rand(steps, 2, *grid))
    assert tokens.shape == (steps - 1, 10 + 9 + 1, 24)
    assert BASE_TOKENS + REGIONS + 1 == 20


def test_base_tokens_come_first_and_are_the_same_at_every_step() -> None:
    encoder = _encoder()
    tokens = encoder(torch.rand(5, 2, 9, 9))
    assert torch.equal(tokens[0, :BASE_TOKENS], encoder.base[0])
    assert torch.equal(tokens[0, :BASE_TOKENS], tokens[3, :BASE_TOKENS])


def test_a_region_token_hears_its_own_region_and_the_global_token_all_of_them() -> None:
    encoder = _encoder()
    maps = torch.zeros(2, 2, 72, 72)
    quiet = encoder(maps)[0]
    maps[1, 1, 58:62, 10:14] = 1.0
    loud = encoder(maps)[0]
    changed = (loud - quiet).abs().sum(1) > 1e-6
    assert not changed[:BASE_TOKENS].any()
    regions = changed[BASE_TOKENS : BASE_TOKENS + REGIONS]
    assert regions.nonzero().flatten().tolist() == [6]
    assert changed[-1]


def test_only_motion_is_heard() -> None:
    encoder = _encoder()
    still = torch.rand(1, 2, 12, 12).expand(4, -1, -1, -1)
    assert torch.allclose(encoder(still), encoder(torch.zeros(4, 2, 12, 12)))


def test_evidence_that_stands_still_is_seen_when_it_appears() -> None:
    heat = torch.zeros(7, 12, 12)
    heat[:, 4:6, 4:6] = 0.9
    maps = two_class_maps(heat)
    assert maps.shape == (8, 2, 12, 12)
    assert torch.equal(maps.sum(1), torch.ones(8, 12, 12))
    tokens = _encoder()(maps)
    nothing = _encoder()(two_class_maps(torch.zeros(7, 12, 12)))
    assert not torch.allclose(tokens[0], nothing[0])
    assert torch.allclose(tokens[1:], nothing[1:])


@pytest.mark.parametrize("shape", [(1, 2, 8, 8), (4, 3, 8, 8), (4, 2, 0, 8), (2, 8, 8)])
def test_maps_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadInputError, match="two-class maps"):
        _encoder()(torch.zeros(shape))


def test_parts_survive_their_files(tmp_path: Path) -> None:
    encoder, projector = _encoder(), VideoProjector(ProjectorConfig(6, 24, 4, 16))
    projector.fit(torch.rand(40, 6))
    (tmp_path / "rae.safetensors").write_bytes(encoder_bytes(encoder))
    (tmp_path / "projector.safetensors").write_bytes(projector_bytes(projector))
    maps, tokens = torch.rand(8, 2, 9, 9), torch.rand(8, 4, 6)
    assert torch.equal(load_encoder(tmp_path / "rae.safetensors")(maps), encoder(maps))
    again = load_projector(tmp_path / "projector.safetensors")
    assert torch.equal(again(tokens), projector(tokens))
    assert encoder_bytes(encoder) == encoder_bytes(load_encoder(tmp_path / "rae.safetensors"))


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rae.safetensors"
    path.write_bytes(encoder_bytes(_encoder())[:-100])
    with pytest.raises(BadInputError, match="cannot be loaded"):
        load_encoder(path)
    with pytest.raises(BadInputError, match="cannot be loaded"):
        load_encoder(tmp_path / "missing.safetensors")


def test_more_than_sixteen_video_tokens_a_step_are_refused() -> None:
    with pytest.raises(BadInputError, match="at most 16"):
        ProjectorConfig.from_json({"inputs": 6, "width": 24, "step_tokens": 17})


def test_the_global_token_tells_where_evidence_appears() -> None:
    encoder = _encoder()

    def told(row: int, column: int) -> torch.Tensor:
        maps = torch.zeros(2, 2, 72, 72)
        maps[1, 1, row : row + 4, column : column + 4] = 1.0
        whole: torch.Tensor = encoder(maps)[0, -1]
        return whole

    assert (told(10, 10) - told(58, 10)).abs().max() > 1e-4
    assert torch.allclose(told(8, 8), told(12, 12), atol=1e-6)


def test_a_file_from_before_regions_had_gains_gives_what_it_gave(tmp_path: Path) -> None:
    torch.manual_seed(3)
    before = RegionAwareEncoder(EncoderConfig(24, (4, 6, 8), 16, placed=False)).eval()
    sizes = before.config.as_json()
    assert (
        EncoderConfig.from_json({k: v for k, v in sizes.items() if k != "placed"}).placed is False
    )
    path = tmp_path / "rae.safetensors"
    path.write_bytes(encoder_bytes(before))
    maps = torch.rand(3, 2, 20, 30)
    assert torch.equal(load_encoder(path)(maps), before(maps))
