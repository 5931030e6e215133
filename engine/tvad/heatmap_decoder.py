"""The Anomaly Heatmap Decoder: features at four depths and prompts in, heatmaps out.

Source: "Text-guided Fine-Grained Video Anomaly Detection" (arXiv 2511.00524). Each depth has an
MLP to the width of the text encoder; the cosine similarity with a class embedding is summed over
depths with learnable weights; a softmax over (normal, abnormal) gives the map. Backbones that
measure motion have it joined to every depth through a small convolution.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from engine.core.errors import BadInputError
from engine.tvad.backbones.backbone import Features

_EPSILON = 1e-6  # keeps the cosine finite where a cell has no features at all


@dataclass(frozen=True)
class DecoderConfig:
    """Sizes of a decoder.

    Attributes:
        widths: channels of the four depths.
        text_width: D.
        hidden: width inside the MLP of each depth.
        motion_channels: channels of `Features.motion`; 0 without.
        motion_width: channels of motion joined to each depth; 0 without.
        motion_layers: convolutions over motion, each twice as far-sighted as the one before.
        first_weight: weight of every depth before training.
    """

    widths: tuple[int, int, int, int]
    text_width: int
    hidden: tuple[int, int, int, int]
    motion_channels: int = 0
    motion_width: int = 0
    motion_layers: int = 2
    first_weight: float = 4.0

    def as_json(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> DecoderConfig:
        """Restores what `as_json` gave.

        Raises:
            BadInputError: a field is missing, unknown or of another kind.
        """
        try:
            widths, hidden = (tuple(int(n) for n in value[key]) for key in ("widths", "hidden"))
            if len(widths) != 4 or len(hidden) != 4:
                raise ValueError("four depths are expected")
            rest = {key: item for key, item in value.items() if key not in ("widths", "hidden")}
            return cls(widths=widths, hidden=hidden, **rest)
        except (KeyError, TypeError, ValueError) as error:
            raise BadInputError(
                f"the sizes of a decoder cannot be read ({error})", "", "restore the pack"
            ) from error


class MotionJoin(nn.Module):
    """Small convolutions over the motion channels, joined to the features of each depth."""

    def __init__(self, channels: int, width: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        for reach in (2**layer for layer in range(layers)):
            self.layers.append(nn.Conv2d(channels, width, 3, padding=reach, dilation=reach))
            self.layers.append(nn.ReLU())
            channels = width

    def forward(self, motion: torch.Tensor) -> torch.Tensor:
        """Returns [T', width, h, w] for motion [T', M, h, w]."""
        out: torch.Tensor = self.layers(motion)
        return out


class DepthProjection(nn.Module):
    """The MLP of one depth, C to D, with the cosine computed without a D-wide map.

    cos(W h + b, S) = (h . W'S + b . S) / |W h + b| |S|, where |W h + b|² follows from the Gram
    matrix W'W. It costs the hidden width instead of D a cell.
    """

    def __init__(self, inputs: int, hidden: int, text_width: int) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, hidden)
        self.second = nn.Linear(hidden, text_width)

    def hidden_maps(self, features: torch.Tensor) -> torch.Tensor:
        """Returns the maps [T', m, H, W] of the hidden layer, from which cosines are computed."""
        return functional.relu(_mix_channels(features, self.first.weight, self.first.bias))

    def cosine(self, hidden: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        """Computes cosine similarities.

        Args:
            hidden: [T', m, H, W] from `hidden_maps`.
            text: [P, D], embeddings of length one.

        Returns:
            [T', P, H, W], -1..1.
        """
        weight, bias = self.second.weight, self.second.bias
        dot = _mix_channels(hidden, text @ weight, text @ bias)
        gram, cross = weight.T @ weight, weight.T @ bias
        product = _mix_channels(hidden, gram, 2 * cross)
        square = (product * hidden).sum(1, keepdim=True) + bias @ bias
        return dot / torch.sqrt(square.clamp(min=_EPSILON))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Returns the D-wide map [T', D, H, W] itself."""
        return _mix_channels(self.hidden_maps(features), self.second.weight, self.second.bias)


class AnomalyHeatmapDecoder(nn.Module):
    """AHD with its calibration.

    Attributes:
        text_centre: buffer [D], subtracted from every text embedding before it is scaled to length
            one; zero for encoders whose class means are far enough apart.
        shift: buffers of each depth, mean of the features in training.
        gain: buffers of each depth, by which features are multiplied after the shift.
        threshold: buffer, the largest log-odds of a frame that counts as usual.
        scale: buffer, log-odds in one step of the calibrated score's logit.
        dropout: share of the backbone's channels that are left out in training, so that motion
            counts as well.

    Example:
        >>> config = DecoderConfig((8, 8, 8, 8), 16, (8, 8, 8, 8))
        >>> decoder = AnomalyHeatmapDecoder(config)
        >>> maps = tuple(torch.randn(2, 8, 6, 8) for _ in range(4))
        >>> normal, abnormal = torch.randn(3, 16), torch.randn(2, 16)
        >>> decoder.heatmaps(decoder.hidden_maps(Features(maps)), normal, abnormal).shape
        torch.Size([2, 2, 6, 8])
    """

    text_centre: torch.Tensor
    threshold: torch.Tensor
    scale: torch.Tensor

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.dropout = 0.0
        joined = config.motion_width if config.motion_channels else 0
        self.motion = (
            MotionJoin(config.motion_channels, joined, config.motion_layers) if joined else None
        )
        self.depths = nn.ModuleList(
            DepthProjection(width + joined, hidden, config.text_width)
            for width, hidden in zip(config.widths, config.hidden, strict=True)
        )
        self.weights = nn.Parameter(torch.full((4,), config.first_weight))
        self.register_buffer("text_centre", torch.zeros(config.text_width))
        self.register_buffer("threshold", torch.tensor(0.0))
        self.register_buffer("scale", torch.tensor(1.0))
        for depth, width in enumerate(config.widths):
            self.register_buffer(f"shift{depth}", torch.zeros(width))
            self.register_buffer(f"gain{depth}", torch.ones(width))

    def hidden_maps(self, features: Features) -> tuple[torch.Tensor, ...]:
        """Computes what needs no prompts: the hidden maps of the depths, four [T', m_i, H_i, W_i].

        Raises:
            BadInputError: the features are not those of this decoder's backbone.
        """
        self._check(features)
        joined = None
        if self.motion is not None and features.motion is not None:
            joined = self.motion(features.motion)
        out: list[torch.Tensor] = []
        for depth, values in enumerate(features.maps):
            shift, gain = self.get_buffer(f"shift{depth}"), self.get_buffer(f"gain{depth}")
            scaled = (values - shift.view(1, -1, 1, 1)) * gain.view(1, -1, 1, 1)
            if self.training and self.dropout:
                scaled = functional.dropout2d(scaled, self.dropout)
            if joined is not None:
                scaled = torch.cat([scaled, _pool_to_grid(joined, values)], 1)
            out.append(self._depth(depth).hidden_maps(scaled))
        return tuple(out)

    def similarity(self, hidden: tuple[torch.Tensor, ...], text: torch.Tensor) -> torch.Tensor:
        """Computes H_c for class embeddings.

        Args:
            hidden: hidden maps from `hidden_maps`.
            text: float32 [P, D], class embeddings as the text encoder gives them.

        Returns:
            float32 [P, T', h, w] on the grid of the shallowest depth.
        """
        normalised = self.normalise_text(text)
        grid = hidden[0].shape[-2:]
        total: torch.Tensor | None = None
        for depth, values in enumerate(hidden):
            cosine = self._depth(depth).cosine(values, normalised)
            if cosine.shape[-2:] != grid:
                cosine = functional.interpolate(cosine, grid, mode="bilinear", align_corners=False)
            weighted = self.weights[depth] * cosine
            total = weighted if total is None else total + weighted
        assert total is not None
        return total.transpose(0, 1)

    def log_odds(
        self, hidden: tuple[torch.Tensor, ...], normal: torch.Tensor, abnormal: torch.Tensor
    ) -> torch.Tensor:
        """Returns H_abnormal - H_normal, the logit of the two-way softmax.

        Args:
            hidden: hidden maps from `hidden_maps`.
            normal: float32 [N, D], embeddings of the normal prompts; their mean is the class.
            abnormal: float32 [A, D], class embeddings, one heatmap each.

        Returns:
            float32 [A, T', h, w].
        """
        both = torch.cat([normal.mean(0, keepdim=True), abnormal])
        classes = self.similarity(hidden, both)
        return classes[1:] - classes[:1]

    def heatmaps(
        self, hidden: tuple[torch.Tensor, ...], normal: torch.Tensor, abnormal: torch.Tensor
    ) -> torch.Tensor:
        """Returns the abnormal channel of the softmax, float32 [A, T', h, w], 0..1."""
        return torch.sigmoid(self.log_odds(hidden, normal, abnormal))

    def calibrate(self, log_odds: torch.Tensor) -> torch.Tensor:
        """Turns log-odds into scores 0..1: 0.5 at one false region per 100 normal frames."""
        return torch.sigmoid((log_odds - self.threshold) / self.scale)

    def normalise_text(self, text: torch.Tensor) -> torch.Tensor:
        """Subtracts the common part of text embeddings [P, D] and scales them to length one."""
        return functional.normalize(text - self.text_centre, dim=-1)

    def check_motion(self, channels: int) -> None:
        """Refuses motion of another number of channels than the decoder was trained with.

        Raises:
            BadInputError: the numbers differ.
        """
        if channels != self.config.motion_channels:
            raise BadInputError(
                f"{channels} channels of motion for a decoder of {self.config.motion_channels}",
                "",
                "use a pack made for this version, or train it again",
            )

    def _depth(self, depth: int) -> DepthProjection:
        module = self.depths[depth]
        assert isinstance(module, DepthProjection)
        return module

    def _check(self, features: Features) -> None:
        widths = tuple(values.shape[1] for values in features.maps)
        if widths != self.config.widths:
            raise BadInputError(
                f"features {widths} wide for a decoder of {self.config.widths}",
                "",
                "use the backbone that the pack names",
            )
        if self.motion is not None and features.motion is None:
            raise BadInputError(
                "features without motion for a decoder that needs it", "", "measure motion as well"
            )
        if self.motion is not None and features.motion is not None:
            self.check_motion(features.motion.shape[1])


def _mix_channels(values: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Mixes the channels of [n, C, H, W] by a matrix [m, C] and adds a bias [m]."""
    count, _, rows, columns = values.shape
    # A product for each slice: torch would copy the values to make one large product of them.
    mixed = torch.bmm(weight.unsqueeze(0).expand(count, -1, -1), values.flatten(2))
    return (mixed + bias[:, None]).view(count, -1, rows, columns)


def _pool_to_grid(values: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Averages values to the grid of another map."""
    rows, columns = like.shape[-2:]
    down, across = values.shape[-2] // rows, values.shape[-1] // columns
    if values.shape[-2] == rows * down and values.shape[-1] == columns * across:
        whole = down == across == 1
        return values if whole else functional.avg_pool2d(values, (down, across))
    return functional.adaptive_avg_pool2d(values, (rows, columns))
