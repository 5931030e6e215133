from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from engine.core.errors import BadInputError
from engine.tvad.backbones.backbone import Features
from engine.tvad.decoder_file import decoder_bytes, load_decoder
from engine.tvad.heatmap_decoder import AnomalyHeatmapDecoder, DecoderConfig

CONFIG = DecoderConfig((8, 8, 16, 32), 24, (12, 12, 12, 12), 5, 6)


@pytest.fixture
def decoder() -> AnomalyHeatmapDecoder:
    torch.manual_seed(4)
    return AnomalyHeatmapDecoder(CONFIG).eval()


def features(slices: int = 2) -> Features:
    torch.manual_seed(5)
    maps = (
        torch.randn(slices, 8, 6, 8),
        torch.randn(slices, 8, 6, 8),
        torch.randn(slices, 16, 3, 4),
        torch.randn(slices, 32, 2, 2),
    )
    return Features(maps, torch.randn(slices, 5, 6, 8))


def test_seven_billion_configuration_has_the_parameters_of_the_method() -> None:
    with torch.device("meta"):
        decoder = AnomalyHeatmapDecoder(DecoderConfig((1280,) * 4, 3584, (1280,) * 4))
        maps = tuple(torch.empty(4, 1280, 10, 14) for _ in range(4))
        hidden = decoder.hidden_maps(Features((maps[0], maps[1], maps[2], maps[3])))
        heat = decoder.heatmaps(hidden, torch.empty(5, 3584), torch.empty(3, 3584))
    mlps = sum(p.numel() for p in decoder.depths.parameters())
    assert mlps == 4 * (1280 * 1280 + 1280 + 1280 * 3584 + 3584)
    assert round(mlps / 1e6, 1) == 24.9
    assert heat.shape == (3, 4, 10, 14)


def test_cosine_equals_that_of_the_wide_map(decoder: AnomalyHeatmapDecoder) -> None:
    text = functional.normalize(torch.randn(3, 24), dim=1)
    projection = AnomalyHeatmapDecoder(DecoderConfig((8,) * 4, 24, (12,) * 4)).depths[0]
    values = torch.randn(2, 8, 6, 8)
    wide = projection(values)
    expected = functional.cosine_similarity(
        wide[:, None], text[None, :, :, None, None].expand(2, -1, -1, 6, 8), dim=2
    )
    cosine = projection.cosine(projection.hidden_maps(values), text)  # type: ignore[operator]
    assert torch.allclose(cosine, expected, atol=1e-5)


def test_heatmap_is_the_abnormal_channel_of_a_softmax(decoder: AnomalyHeatmapDecoder) -> None:
    normal, abnormal = torch.randn(4, 24), torch.randn(2, 24)
    hidden = decoder.hidden_maps(features())
    both = decoder.similarity(hidden, torch.cat([normal.mean(0, keepdim=True), abnormal]))
    for prompt in range(2):
        pair = torch.stack([both[0], both[1 + prompt]])
        expected = torch.softmax(pair, 0)[1]
        assert torch.allclose(decoder.heatmaps(hidden, normal, abnormal)[prompt], expected)


def test_each_prompt_has_the_map_it_has_alone(decoder: AnomalyHeatmapDecoder) -> None:
    normal, abnormal = torch.randn(4, 24), torch.randn(3, 24)
    hidden = decoder.hidden_maps(features())
    together = decoder.heatmaps(hidden, normal, abnormal)
    for prompt in range(3):
        alone = decoder.heatmaps(hidden, normal, abnormal[prompt : prompt + 1])
        assert torch.allclose(together[prompt], alone[0], atol=1e-6)


def test_text_is_judged_without_what_all_prompts_share(decoder: AnomalyHeatmapDecoder) -> None:
    common = 5 * torch.randn(24)
    decoder.text_centre.copy_(common)
    own = torch.randn(2, 24)
    assert torch.allclose(
        decoder.normalise_text(common + own), functional.normalize(own, dim=1), atol=1e-5
    )


def test_calibration_travels_with_the_weights(
    decoder: AnomalyHeatmapDecoder, tmp_path: Path
) -> None:
    decoder.threshold.fill_(2.5)
    decoder.scale.fill_(0.5)
    data = decoder_bytes(decoder)
    assert data == decoder_bytes(decoder)
    path = tmp_path / "ahd.safetensors"
    path.write_bytes(data)
    again = load_decoder(path)
    assert again.config == CONFIG
    assert float(again.calibrate(torch.tensor(2.5))) == 0.5
    prompts = torch.randn(2, 24)
    hidden = decoder.hidden_maps(features())
    assert torch.allclose(
        again.log_odds(again.hidden_maps(features()), prompts, prompts),
        decoder.log_odds(hidden, prompts, prompts),
        atol=1e-5,
    )


def test_files_that_are_no_decoder_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "ahd.safetensors"
    for content in (b"", b"\x80\x04pickled", decoder_bytes(AnomalyHeatmapDecoder(CONFIG))[:500]):
        path.write_bytes(content)
        with pytest.raises(BadInputError, match="cannot be loaded"):
            load_decoder(path)
    with pytest.raises(BadInputError, match="cannot be loaded"):
        load_decoder(tmp_path / "missing.safetensors")


def test_features_of_another_backbone_are_refused(decoder: AnomalyHeatmapDecoder) -> None:
    measured = features()
    with pytest.raises(BadInputError, match="wide for a decoder"):
        decoder.hidden_maps(Features((measured.maps[0],) * 4, measured.motion))
    with pytest.raises(BadInputError, match="without motion"):
        decoder.hidden_maps(Features(measured.maps))
    assert measured.motion is not None
    with pytest.raises(BadInputError, match="3 channels of motion for a decoder of 5"):
        decoder.hidden_maps(Features(measured.maps, measured.motion[:, :3]))


def test_decoder_with_more_convolutions_is_restored_as_it_was(tmp_path: Path) -> None:
    config = replace(CONFIG, motion_layers=3)
    deeper = AnomalyHeatmapDecoder(config).eval()
    path = tmp_path / "ahd.safetensors"
    path.write_bytes(decoder_bytes(deeper))
    again = load_decoder(path)
    assert again.config == config
    prompts = torch.randn(2, 24)
    odds = [
        decoder.log_odds(decoder.hidden_maps(features()), prompts, prompts)
        for decoder in (deeper, again)
    ]
    assert torch.equal(*odds)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU for heatmaps on a GPU")
def test_heatmaps_on_a_gpu_are_those_of_the_processor(decoder: AnomalyHeatmapDecoder) -> None:
    normal, abnormal, measured = torch.randn(4, 24), torch.randn(2, 24), features()
    expected = decoder.heatmaps(decoder.hidden_maps(measured), normal, abnormal)
    there = decoder.cuda()
    assert measured.motion is not None
    moved = Features(tuple(depth.cuda() for depth in measured.maps), measured.motion.cuda())
    heat = there.heatmaps(there.hidden_maps(moved), normal.cuda(), abnormal.cuda())
    assert torch.allclose(heat.cpu(), expected, atol=1e-2)
