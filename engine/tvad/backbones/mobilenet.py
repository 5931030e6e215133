"""MobileNetV2 at four stages, for inference: batch normalisation is folded into convolutions.

Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

STAGES = (3, 6, 13, 17)
"""Blocks whose outputs are the four stages, counted from 1: the last at strides 4, 8, 16 and 32."""

_EPSILON = 1e-5  # of batch normalisation, as the weights were trained with
# Mean and deviation of ImageNet's pictures, as the weights were trained with; 0..1.
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Expansion, width of the output and stride of each block, as in the paper.
_BLOCKS = (
    (1, 16, 1),
    *((6, 24, s) for s in (2, 1)),
    *((6, 32, s) for s in (2, 1, 1)),
    *((6, 64, s) for s in (2, 1, 1, 1)),
    *((6, 96, s) for s in (1, 1, 1)),
    *((6, 160, s) for s in (2, 1, 1)),
    (6, 320, 1),
)


class _InvertedResidual(nn.Module):
    def __init__(self, inputs: int, expansion: int, width: int, stride: int) -> None:
        super().__init__()
        inner = inputs * expansion
        expand = [nn.Conv2d(inputs, inner, 1), nn.ReLU6(inplace=True)] if expansion > 1 else []
        self.layers = nn.Sequential(
            *expand,
            nn.Conv2d(inner, inner, 3, stride, 1, groups=inner),
            nn.ReLU6(inplace=True),
            nn.Conv2d(inner, width, 1),
        )
        self.adds = stride == 1 and inputs == width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.layers(x)
        return x + out if self.adds else out


class MobileNetV2(nn.Module):
    """The frozen network up to its last inverted residual block."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, 2, 1)
        blocks: list[nn.Module] = []
        inputs = 32
        for expansion, width, stride in _BLOCKS:
            blocks.append(_InvertedResidual(inputs, expansion, width, stride))
            inputs = width
        self.blocks = nn.ModuleList(blocks)

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Computes the four stages.

        Args:
            pictures: uint8 [n, 3, H, W], RGB, H and W multiples of 32.

        Returns:
            float32 [n, 24, H/4, W/4], [n, 32, H/8, W/8], [n, 96, H/16, W/16] and
            [n, 320, H/32, W/32].
        """
        mean, deviation = (
            torch.tensor(rgb, device=pictures.device).view(1, 3, 1, 1) * 255
            for rgb in (_MEAN, _DEVIATION)
        )
        x = (pictures.float() - mean) / deviation
        x = nn.functional.relu6(self.stem(x.contiguous(memory_format=torch.channels_last)))
        stages: list[torch.Tensor] = []
        for number, block in enumerate(self.blocks, 1):
            x = block(x)
            if number in STAGES:
                stages.append(x)
        return tuple(stages)


def fold(state: Mapping[str, torch.Tensor]) -> MobileNetV2:
    """Builds the network from the weights of the usual layout (`features.N.conv.M.weight`).

    Raises:
        KeyError: a tensor is missing.
        RuntimeError: a tensor has another shape.
    """
    net = MobileNetV2()
    folded: dict[str, torch.Tensor] = {}

    def fold_layer(to: str, convolution: str, normalisation: str) -> None:
        gain = state[f"{normalisation}.weight"]
        gain = gain / torch.sqrt(state[f"{normalisation}.running_var"] + _EPSILON)
        folded[f"{to}.weight"] = state[f"{convolution}.weight"] * gain.view(-1, 1, 1, 1)
        mean = state[f"{normalisation}.running_mean"]
        folded[f"{to}.bias"] = state[f"{normalisation}.bias"] - mean * gain

    fold_layer("stem", "features.0.0", "features.0.1")
    for block, (expansion, _, _) in enumerate(_BLOCKS):
        count = 3 if expansion > 1 else 2
        for n in range(count):
            # Each convolution is followed by its normalisation and, but the last, by a ReLU6.
            source = f"features.{block + 1}.conv"
            layer = f"blocks.{block}.layers.{2 * n}"
            fold_layer(layer, f"{source}.{3 * n}", f"{source}.{3 * n + 1}")
    net.load_state_dict(folded)
    for convolution in net.modules():
        if isinstance(convolution, nn.Conv2d):
            weight = convolution.weight.data
            convolution.weight.data = weight.contiguous(memory_format=torch.channels_last)
    return net.eval().requires_grad_(False)
