"""From what a small backbone sees to rows among a language model's tokens."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from engine.core.errors import BadInputError

MAX_STEP_TOKENS = 16
"""Video tokens of one step; the eight steps of a window then take at most 128 of the 2048 positions
of the smaller language model. A choice."""

_MIN_DEVIATION = 1e-3  # of an input in training, so that one that never varied is not blown up


@dataclass(frozen=True)
class ProjectorConfig:
    """Sizes of a projector.

    Attributes:
        inputs: numbers of a video token before the projector.
        width: width of the language model's embeddings.
        step_tokens: tokens of one step.
        hidden: width inside the MLP.
        context: leading values of a step's first token that are given to its other tokens as well;
            a dark blue coat is told from a black one only beside the light of the whole picture.
    """

    inputs: int
    width: int
    step_tokens: int
    hidden: int = 384
    context: int = 0

    def as_json(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ProjectorConfig:
        """Restores what `as_json` gave.

        Raises:
            BadInputError: a field is missing or of another kind, or a step has too many tokens.
        """
        try:
            config = cls(**{name: int(size) for name, size in value.items()})
        except (TypeError, ValueError) as error:
            raise BadInputError(
                f"the sizes of a projector cannot be read ({error})", "", "restore the pack"
            ) from error
        if not 1 <= config.step_tokens <= MAX_STEP_TOKENS:
            raise BadInputError(
                f"{config.step_tokens} video tokens a step", "", f"use at most {MAX_STEP_TOKENS}"
            )
        return config


class VideoProjector(nn.Module):
    """An MLP with a bias for each token of a step, so that a model can tell tokens apart.

    Attributes:
        shift: buffer [inputs], mean of the inputs in training.
        gain: buffer [inputs], by which inputs are multiplied after the shift.

    Example:
        >>> projector = VideoProjector(ProjectorConfig(6, 16, 4))
        >>> projector(torch.rand(8, 4, 6)).shape
        torch.Size([8, 4, 16])
    """

    shift: torch.Tensor
    gain: torch.Tensor

    def __init__(self, config: ProjectorConfig) -> None:
        super().__init__()
        self.config = config
        self.layers = nn.Sequential(
            nn.Linear(config.inputs + config.context, config.hidden),
            nn.GELU(),
            nn.Linear(config.hidden, config.hidden),
            nn.GELU(),
        )
        self.out = nn.Linear(config.hidden, config.width, bias=False)
        # Files of packs call the biases so.
        self.register_parameter(
            "places", nn.Parameter(torch.zeros(config.step_tokens, config.width))
        )
        self.register_buffer("shift", torch.zeros(config.inputs))
        self.register_buffer("gain", torch.ones(config.inputs))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Projects tokens float32 [..., step_tokens, inputs] to [..., step_tokens, width].

        Raises:
            BadInputError: they are not what this projector was made for.
        """
        if tuple(tokens.shape[-2:]) != (self.config.step_tokens, self.config.inputs):
            raise BadInputError(
                f"video tokens {tuple(tokens.shape[-2:])} for a projector of "
                f"{(self.config.step_tokens, self.config.inputs)}",
                "",
                "use the backbone that the pack names",
            )
        scaled = (tokens - self.shift) * self.gain
        first = scaled[..., :1, : self.config.context]
        context = first.expand(*scaled.shape[:-1], self.config.context)
        out: torch.Tensor = self.out(self.layers(torch.cat([scaled, context], -1)))
        return out + self.get_parameter("places")

    def fit(self, tokens: torch.Tensor) -> None:
        """Sets shift and gain from training tokens float32 [n, inputs]."""
        self.shift.copy_(tokens.mean(0))
        self.gain.copy_(1 / tokens.std(0).clamp(min=_MIN_DEVIATION))
