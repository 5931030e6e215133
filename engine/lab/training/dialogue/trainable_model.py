"""The language model in training: LoRA on its queries and values, RAE and projector before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from engine.core.errors import BadInputError
from engine.dialogue.chat_format import answer_parts, input_parts, question_parts
from engine.lab.dialogue_corpus.answer_words import fact_word_spans
from engine.lab.training.dialogue.training_sample import TrainingSample
from engine.tvad.language.cached_runtime import tokens_of
from engine.tvad.language.runtime import EmbeddingPart, Part, TextPart
from engine.tvad.projector import VideoProjector
from engine.tvad.region_encoder import RegionAwareEncoder, two_class_maps
from engine.tvad.torchvision_guard import guard_torchvision

_FACT_WEIGHT = 4.0
"""Weight of a token that names a fact; all others weigh 1, since any wording will do. A choice."""

RANK, ALPHA, DROPOUT = 16, 32, 0.05
"""Rank, scale and dropout of LoRA; a choice."""

TARGETS = ("q_proj", "v_proj")


@dataclass(frozen=True, eq=False)
class _Sequence:
    """One training sample as rows, with the tokens that are to be predicted.

    Attributes:
        rows: float32 [n, D].
        targets: int64 [n], the token that follows each position; -1 where none is predicted.
        weights: float32 [n], how much each position counts.
    """

    rows: torch.Tensor
    targets: torch.Tensor
    weights: torch.Tensor


def with_lora(model: Any) -> Any:  # noqa: ANN401
    """Freezes a model and puts LoRA on its queries and values."""
    guard_torchvision()
    import warnings

    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=RANK,
        lora_alpha=ALPHA,
        lora_dropout=DROPOUT,
        target_modules=list(TARGETS),
        task_type="CAUSAL_LM",
    )
    if hasattr(model.config, "vision_config"):
        # The vision encoder has projections of other names; its blocks stay out all the same.
        config.target_modules = r".*language_model.*\.(q_proj|v_proj)"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return get_peft_model(model, config)


class TrainableDialogueModel(nn.Module):
    """Everything that is trained, with the frozen language model behind it.

    Args:
        model: the language model with LoRA.
        tokenizer: its tokenizer.
        encoder: RAE.
        projector: None where the language model reads the backbone's own video tokens.
        half: whether the language model multiplies in bfloat16, twice as fast where the processor
            can; weights and everything else stay as they are.
    """

    def __init__(
        self,
        model: Any,  # noqa: ANN401
        tokenizer: Any,  # noqa: ANN401
        encoder: RegionAwareEncoder,
        projector: VideoProjector | None,
        half: bool = False,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.projector = projector
        # In a list, so that torch takes none of them for a submodule and saves it.
        self._frozen = [model, tokenizer]
        self._end = int(tokenizer.convert_tokens_to_ids("<|im_end|>"))
        self._vision = hasattr(model.config, "vision_config")
        self._half = half

    @property
    def model(self) -> Any:  # noqa: ANN401
        """The language model with LoRA."""
        return self._frozen[0]

    @property
    def tokenizer(self) -> Any:  # noqa: ANN401
        """The tokenizer of the language model."""
        return self._frozen[1]

    @property
    def width(self) -> int:
        """Width of the model's token embeddings."""
        return int(self._embed.weight.shape[1])

    @property
    def _embed(self) -> Any:  # noqa: ANN401
        return self.model.get_input_embeddings()

    def lora(self) -> dict[str, torch.Tensor]:
        """Returns the adapter's tensors as PEFT names them in a file."""
        from peft import get_peft_model_state_dict

        return dict(get_peft_model_state_dict(self.model))

    def load_lora(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Puts the tensors of `lora` back into the adapter."""
        from peft import set_peft_model_state_dict

        set_peft_model_state_dict(self.model, dict(tensors))

    def trainable_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Yields everything that is trained by name, always in the same order."""
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                yield f"lora.{name}", parameter
        for name, parameter in self.encoder.named_parameters():
            yield f"encoder.{name}", parameter
        if self.projector is not None:
            for name, parameter in self.projector.named_parameters():
                yield f"projector.{name}", parameter

    def loss(self, samples: Sequence[TrainingSample]) -> torch.Tensor:
        """Returns the weighted cross-entropy of the tokens of the answers."""
        if self._vision:
            return torch.stack([self._mixed_loss(sample) for sample in samples]).mean()
        sequences = [self._sequence(sample) for sample in samples]
        longest = max(len(sequence.rows) for sequence in sequences)
        rows = torch.stack([_pad(sequence.rows, longest, 0.0) for sequence in sequences])
        targets = torch.stack([_pad(sequence.targets, longest, -1) for sequence in sequences])
        weights = torch.stack([_pad(sequence.weights, longest, 0.0) for sequence in sequences])
        positions = torch.arange(longest, device=rows.device)
        mask = torch.stack([positions < len(sequence.rows) for sequence in sequences])
        inner = self.model.base_model.model
        chosen = targets >= 0
        with torch.autocast(rows.device.type, torch.bfloat16, enabled=self._half):
            hidden = inner.model(inputs_embeds=rows, attention_mask=mask.long(), use_cache=False)
            # Logits of nearly fifty thousand words are computed for the tokens of answers only.
            logits = inner.lm_head(hidden.last_hidden_state[chosen])
        return _weighted_loss(logits, targets[chosen], weights[chosen])

    def _parts(
        self, sample: TrainingSample
    ) -> tuple[list[Part], list[torch.Tensor | None], list[bool]]:
        """Returns the parts of a sample, rows with gradients, and which parts are answers."""
        device, kind = self._embed.weight.device, self._embed.weight.dtype
        video = torch.from_numpy(np.ascontiguousarray(sample.video)).to(device)
        heat = torch.from_numpy(np.ascontiguousarray(sample.heat)).to(device)
        video_tokens = video if self.projector is None else self.projector(video)
        anomaly_tokens = self.encoder(two_class_maps(heat))
        grid = (video_tokens.shape[0], 1, video_tokens.shape[1]) if self._vision else None
        embeddings = {
            "video": video_tokens.flatten(0, 1).to(kind),
            "anomaly": anomaly_tokens.flatten(0, 1).to(kind),
        }
        parts = input_parts(
            EmbeddingPart(_shape_of(embeddings["video"]), "video", grid),
            EmbeddingPart(_shape_of(embeddings["anomaly"]), "anomaly"),
            self._vision,
        )
        is_answer = [False] * len(parts)
        for index, (question, answer) in enumerate(sample.turns):
            before, after = question_parts(question, index == 0), answer_parts(answer)
            parts += before + after
            is_answer += [False] * len(before) + [True] * len(after)
        rows = [
            embeddings[part.kind] if isinstance(part, EmbeddingPart) else None for part in parts
        ]
        return parts, rows, is_answer

    def _sequence(self, sample: TrainingSample) -> _Sequence:
        parts, embeddings, is_answer = self._parts(sample)
        rows: list[torch.Tensor] = []
        targets: list[int] = []
        weights: list[float] = []
        for part, embedding, answers in zip(parts, embeddings, is_answer, strict=True):
            if embedding is not None:
                rows.append(embedding)
                targets += [-1] * len(embedding)
                weights += [0.0] * len(embedding)
                continue
            assert not isinstance(part, EmbeddingPart)
            tokens = tokens_of(self.tokenizer, part.text, part.markup)
            rows.append(self._embed(torch.tensor(tokens, device=self._embed.weight.device)))
            part_targets, part_weights = self._targets(part, tokens, answers)
            targets += part_targets
            weights += part_weights
        joined = torch.cat(rows)
        return _Sequence(joined, *_shift(targets, weights, joined.device))

    def _targets(
        self, part: TextPart, tokens: list[int], answers: bool
    ) -> tuple[list[int], list[float]]:
        """Returns the tokens of a part to be predicted, -1 for the others, and their weights."""
        if not answers:
            return [-1] * len(tokens), [0.0] * len(tokens)
        # Of the markup after an answer, only the end mark is predicted.
        predicted = [token if not part.markup or token == self._end else -1 for token in tokens]
        return predicted, self._weights(part, len(tokens))

    def _weights(self, part: TextPart, count: int) -> list[float]:
        if part.markup:
            return [1.0] * count
        encoding = self.tokenizer(
            part.text,
            add_special_tokens=False,
            split_special_tokens=True,
            return_offsets_mapping=True,
        )
        facts = fact_word_spans(part.text)
        return [
            _FACT_WEIGHT if any(first < b and a < last for a, b in facts) else 1.0
            for first, last in encoding["offset_mapping"]
        ]

    def _mixed_loss(self, sample: TrainingSample) -> torch.Tensor:
        """Returns the loss of a model that sees video itself, whose positions differ."""
        from engine.tvad.language.qwen_runtime import mixed_sequence

        parts, embeddings, is_answer = self._parts(sample)
        inner = self.model.base_model.model
        sequence = mixed_sequence(inner, self.tokenizer, parts, embeddings)
        targets: list[int] = []
        weights: list[float] = []
        for part, answers in zip(parts, is_answer, strict=True):
            if isinstance(part, EmbeddingPart):
                targets += [-1] * len(part.rows)
                weights += [0.0] * len(part.rows)
                continue
            tokens = tokens_of(self.tokenizer, part.text, part.markup)
            part_targets, part_weights = self._targets(part, tokens, answers)
            targets += part_targets
            weights += part_weights
        following, shares = _shift(targets, weights, sequence.rows.device)
        with torch.autocast(sequence.rows.device.type, torch.bfloat16, enabled=self._half):
            logits = inner(**sequence.inputs(), use_cache=False).logits[0]
        chosen = following >= 0
        if not bool(chosen.any()):
            raise BadInputError("a lesson without an answer", "", "make the dialogues again")
        return _weighted_loss(logits[chosen], following[chosen], shares[chosen])


def _shift(
    targets: list[int], weights: list[float], device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Moves both by one, because a position predicts the token after it."""
    return (
        torch.tensor([*targets[1:], -1], device=device),
        torch.tensor([*weights[1:], 0.0], device=device),
    )


def _weighted_loss(
    logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    losses = functional.cross_entropy(logits.float(), targets, reduction="none")
    return (losses * weights).sum() / weights.sum()


def _pad(values: torch.Tensor, length: int, fill: float) -> torch.Tensor:
    missing = length - len(values)
    return functional.pad(values, (0, 0) * (values.ndim - 1) + (0, missing), value=fill)


def _shape_of(rows: torch.Tensor) -> np.ndarray:
    """Returns zeros in place of rows, where only their number matters."""
    return np.zeros(tuple(rows.shape), np.float32)
