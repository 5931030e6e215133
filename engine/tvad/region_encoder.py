"""The Region-aware Anomaly Encoder: the motion of a heatmap in, tokens for a language model out.

Source: "Text-guided Fine-Grained Video Anomaly Detection" (arXiv 2511.00524). The motion of the
two-class map passes three convolutions; region tokens come from a 3x3 grid, a global token from
the mean, and ten learnable base tokens go before them. What the paper leaves open is chosen here:
regions are pooled by their maximum, so that a small target counts as much in a wide region; the
convolutions have no bias, so that stillness stays zero, and the second and third have stride two;
the last layer's bias is one a region, so that a language model can tell the regions apart; and in
the mean behind the global token each channel weighs each region with a gain of its own, because a
plain mean cannot say where.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from engine.core.errors import BadInputError

BASE_TOKENS, REGIONS = 10, 9  # as in the paper
CLASSES = 2  # normal and abnormal
_REGION_SIDE = 3  # regions across and down, as in the paper
# In `_compress`: lets a target of a hundredth of the picture count nearly as much as one of a
# tenth; a choice.
_COMPRESSION_GAIN = 100.0
_FIRST_DEVIATION = 0.7  # of the logarithms of the regions' gains before training; a choice
_BASE_DEVIATION = 0.02  # of the base tokens before training, as language models begin theirs


@dataclass(frozen=True)
class EncoderConfig:
    """Sizes of an encoder.

    Attributes:
        width: D, the width of the language model's embeddings.
        channels: channels of the three convolutions.
        hidden: width inside the two MLPs.
        placed: whether each region has a gain of its own in the global token; files that do not
            say so are of a time when it had none.
    """

    width: int
    channels: tuple[int, int, int] = (32, 64, 96)
    hidden: int = 256
    placed: bool = True

    def as_json(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {**asdict(self), "channels": list(self.channels)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> EncoderConfig:
        """Restores what `as_json` gave.

        Raises:
            BadInputError: a field is missing or of another kind.
        """
        try:
            first, second, third = (int(count) for count in value["channels"])
            sizes = int(value["width"]), (first, second, third), int(value["hidden"])
            return cls(*sizes, bool(value.get("placed", False)))
        except (KeyError, TypeError, ValueError) as error:
            raise BadInputError(
                f"the sizes of a RAE cannot be read ({error})", "", "restore the pack"
            ) from error


class RegionAwareEncoder(nn.Module):
    """RAE: turns the motion of two-class maps into tokens for a language model.

    Example:
        >>> encoder = RegionAwareEncoder(EncoderConfig(16))
        >>> encoder(torch.rand(8, 2, 12, 20)).shape
        torch.Size([7, 20, 16])
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        first, second, third = config.channels
        self.convolutions = nn.Sequential(
            nn.Conv2d(CLASSES, first, 3, padding=1, bias=False),
            nn.ReLU(),
            nn.Conv2d(first, second, 3, stride=2, padding=1, bias=False),
            nn.ReLU(),
            nn.Conv2d(second, third, 3, stride=2, padding=1, bias=False),
            nn.ReLU(),
        )
        self.region = _mlp(third, config.hidden)
        self.region_out = nn.Linear(config.hidden, config.width, bias=False)
        self.region_bias = nn.Parameter(torch.zeros(REGIONS, config.width))
        gains = torch.randn(third, REGIONS) * _FIRST_DEVIATION if config.placed else None
        # Files of packs call the regions' gains so.
        self.register_parameter("heard", None if gains is None else nn.Parameter(gains))
        self.whole = _mlp(third, config.hidden)
        self.whole_out = nn.Linear(config.hidden, config.width)
        self.base = nn.Parameter(torch.randn(1, BASE_TOKENS, config.width) * _BASE_DEVIATION)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Encodes the motion of two-class maps.

        Args:
            maps: float32 [T', 2, h, w], the normal and the abnormal class, T' at least 2.

        Returns:
            float32 [T'-1, 20, D]: ten base tokens, nine regions in raster order, one for all.

        Raises:
            BadInputError: there is no motion in fewer than two maps, or they are of another shape.
        """
        if maps.ndim != 4 or maps.shape[1] != CLASSES or len(maps) < 2 or not maps[0].numel():
            shape = "x".join(str(side) for side in maps.shape)
            raise BadInputError(f"two-class maps of {shape}", "", "give two steps at least")
        return self.encode(maps[1:] - maps[:-1])

    def encode(self, motion: torch.Tensor) -> torch.Tensor:
        """Encodes motion float32 [s, 2, h, w], from any number of windows: [s, 20, D]."""
        features = self.convolutions(motion)
        regions = functional.adaptive_max_pool2d(features, _REGION_SIDE).flatten(2).transpose(1, 2)
        region = self.region_out(self.region(_compress(regions))) + self.region_bias
        whole = self.whole_out(self.whole(_compress(self._mean(features)))).unsqueeze(1)
        base = self.base.expand(len(motion), -1, -1)
        return torch.cat([base, region, whole], 1)

    def _mean(self, features: torch.Tensor) -> torch.Tensor:
        """Averages over the picture, [s, C], with the gain of each region where there are gains."""
        if not self.config.placed:
            return features.mean((2, 3))
        means = functional.adaptive_avg_pool2d(features, _REGION_SIDE).flatten(2)
        return (means * self.get_parameter("heard").exp()).mean(2)


def _mlp(inputs: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU())


def _compress(features: torch.Tensor) -> torch.Tensor:
    """Makes a target of a hundredth of the picture count nearly as much as one of a tenth."""
    return torch.log1p(_COMPRESSION_GAIN * features)


def two_class_maps(heat: torch.Tensor) -> torch.Tensor:
    """Turns calibrated heatmaps into two-class maps, with one without evidence before the first.

    The case keeps the fused scores as a calibrated heatmap, which is the softmax over the two
    classes; (1 - heat, heat) is that softmax. The map without evidence makes the first step of
    motion say where there is any, so that what stands still is seen too.

    Args:
        heat: float32 [T'-1, h, w], 0..1.

    Returns:
        float32 [T', 2, h, w].
    """
    none = torch.zeros_like(heat[:1])
    both = torch.cat([none, heat])
    return torch.stack([1 - both, both], 1)
