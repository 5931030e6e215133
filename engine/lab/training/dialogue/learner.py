"""The language model while it learns: LoRA on q and v, RAE and projector before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from engine.core.errors import BadInputError
from engine.dialogue.answer_parsing import facts_in
from engine.dialogue.chat_format import answer_parts, evidence_parts, question_parts
from engine.lab.training.dialogue.lessons import Lesson
from engine.tvad.language.cached_runtime import tokens_of
from engine.tvad.language.runtime import EmbeddingPart, Part, TextPart
from engine.tvad.projector import VideoProjector
from engine.tvad.region_encoder import RegionAwareEncoder, two_class_maps
from engine.tvad.torchvision_guard import guard_torchvision

_FACT_WEIGHT = 4.0
"""Of a token of what is claimed, against one of how it is said, of which any form is as good."""
RANK, ALPHA, DROPOUT = 16, 32, 0.05
TARGETS = ("q_proj", "v_proj")


@dataclass(frozen=True, eq=False)
class _Sequence:
    """One lesson as rows, with what is to be learnt.

    Attributes:
        rows: float32 [n, D].
        wanted: int64 [n], the token that should follow each position; -1 where nothing is learnt.
        weights: float32 [n], how much it counts.
    """

    rows: torch.Tensor
    wanted: torch.Tensor
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


class Learner(nn.Module):
    """Everything that learns, with the frozen language model behind it.

    Args:
        model: with LoRA.
        tokenizer: of the model.
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
        self._held = [model, tokenizer]
        self._end = int(tokenizer.convert_tokens_to_ids("<|im_end|>"))
        self._vision = hasattr(model.config, "vision_config")
        self._half = half

    @property
    def model(self) -> Any:  # noqa: ANN401
        """The language model with LoRA; not a submodule, so that its frozen part is not saved."""
        return self._held[0]

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
        """Gives the adapter back what `lora` took."""
        from peft import set_peft_model_state_dict

        set_peft_model_state_dict(self.model, dict(tensors))

    def trained(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Yields everything that learns, always in the same order."""
        for name, one in self.model.named_parameters():
            if one.requires_grad:
                yield f"lora.{name}", one
        yield from ((f"encoder.{name}", one) for name, one in self.encoder.named_parameters())
        if self.projector is not None:
            yield from ((f"projector.{n}", one) for n, one in self.projector.named_parameters())

    def loss(self, lessons: Sequence[Lesson]) -> torch.Tensor:
        """Returns the weighted cross-entropy of the answers' tokens."""
        if self._vision:
            return torch.stack([self._mixed_loss(one) for one in lessons]).mean()
        sequences = [self._sequence(one) for one in lessons]
        longest = max(len(one.rows) for one in sequences)
        rows = torch.stack([_padded(one.rows, longest, 0.0) for one in sequences])
        wanted = torch.stack([_padded(one.wanted, longest, -1) for one in sequences])
        weights = torch.stack([_padded(one.weights, longest, 0.0) for one in sequences])
        mask = torch.stack(
            [torch.arange(longest, device=rows.device) < len(one.rows) for one in sequences]
        )
        inner = self.model.base_model.model
        chosen = wanted >= 0
        with torch.autocast(rows.device.type, torch.bfloat16, enabled=self._half):
            hidden = inner.model(inputs_embeds=rows, attention_mask=mask.long(), use_cache=False)
            # Logits of nearly fifty thousand words are computed only where an answer stands.
            logits = inner.lm_head(hidden.last_hidden_state[chosen])
        return _weighted(logits, wanted[chosen], weights[chosen])

    def _parts(self, lesson: Lesson) -> tuple[list[Part], list[torch.Tensor | None], list[bool]]:
        """Returns a lesson's parts, rows that gradients reach, and which parts are answers."""
        device, kind = self._embed.weight.device, self._embed.weight.dtype
        video = torch.from_numpy(np.ascontiguousarray(lesson.video)).to(device)
        heat = torch.from_numpy(np.ascontiguousarray(lesson.heat)).to(device)
        seen = video if self.projector is None else self.projector(video)
        told = self.encoder(two_class_maps(heat))
        grid = (seen.shape[0], 1, seen.shape[1]) if self._vision else None
        given = {"video": seen.flatten(0, 1).to(kind), "anomaly": told.flatten(0, 1).to(kind)}
        parts = evidence_parts(
            EmbeddingPart(_shape_of(given["video"]), "video", grid),
            EmbeddingPart(_shape_of(given["anomaly"]), "anomaly"),
            self._vision,
        )
        learnt = [False] * len(parts)
        for place, (question, answer) in enumerate(lesson.turns):
            asked, said = question_parts(question, place == 0), answer_parts(answer)
            parts += asked + said
            learnt += [False] * len(asked) + [True] * len(said)
        rows = [given[one.kind] if isinstance(one, EmbeddingPart) else None for one in parts]
        return parts, rows, learnt

    def _sequence(self, lesson: Lesson) -> _Sequence:
        parts, given, learnt = self._parts(lesson)
        rows: list[torch.Tensor] = []
        wanted: list[int] = []
        weights: list[float] = []
        for part, own, learn in zip(parts, given, learnt, strict=True):
            if own is not None:
                rows.append(own)
                wanted += [-1] * len(own)
                weights += [0.0] * len(own)
                continue
            assert not isinstance(part, EmbeddingPart)
            tokens = tokens_of(self._held[1], part.text, part.markup)
            rows.append(self._embed(torch.tensor(tokens, device=self._embed.weight.device)))
            goals, counts = self._goals(part, tokens, learn)
            wanted += goals
            weights += counts
        joined = torch.cat(rows)
        return _Sequence(joined, *_following(wanted, weights, joined.device))

    def _goals(
        self, part: TextPart, tokens: list[int], learn: bool
    ) -> tuple[list[int], list[float]]:
        """What positions of a part are taught to say, -1 for nothing, and how much each counts."""
        if not learn:
            return [-1] * len(tokens), [0.0] * len(tokens)
        return self._answer(tokens, part.markup), self._weights(part, len(tokens))

    def _weights(self, part: TextPart, count: int) -> list[float]:
        if part.markup:
            return [1.0] * count
        said = self._held[1](
            part.text,
            add_special_tokens=False,
            split_special_tokens=True,
            return_offsets_mapping=True,
        )
        facts = facts_in(part.text)
        return [
            _FACT_WEIGHT if any(first < b and a < last for a, b in facts) else 1.0
            for first, last in said["offset_mapping"]
        ]

    def _answer(self, tokens: list[int], markup: bool) -> list[int]:
        """Of what follows an answer, only the end mark is learnt."""
        return [one if not markup or one == self._end else -1 for one in tokens]

    def _mixed_loss(self, lesson: Lesson) -> torch.Tensor:
        from engine.tvad.language.qwen_runtime import mixed_sequence

        parts, given, learnt = self._parts(lesson)
        inner = self.model.base_model.model
        sequence = mixed_sequence(inner, self._held[1], parts, given)
        wanted: list[int] = []
        weights: list[float] = []
        for part, learn in zip(parts, learnt, strict=True):
            if isinstance(part, EmbeddingPart):
                wanted += [-1] * len(part.rows)
                weights += [0.0] * len(part.rows)
                continue
            tokens = tokens_of(self._held[1], part.text, part.markup)
            goals, counts = self._goals(part, tokens, learn)
            wanted += goals
            weights += counts
        following, share = _following(wanted, weights, sequence.rows.device)
        with torch.autocast(sequence.rows.device.type, torch.bfloat16, enabled=self._half):
            logits = inner(**sequence.inputs(), use_cache=False).logits[0]
        chosen = following >= 0
        if not bool(chosen.any()):
            raise BadInputError("a lesson without an answer", "", "make the dialogues again")
        return _weighted(logits[chosen], following[chosen], share[chosen])


def _following(
    wanted: list[int], weights: list[float], device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Moves both by one: a position learns the token after it."""
    return (
        torch.tensor([*wanted[1:], -1], device=device),
        torch.tensor([*weights[1:], 0.0], device=device),
    )


def _weighted(logits: torch.Tensor, wanted: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    losses = functional.cross_entropy(logits.float(), wanted, reduction="none")
    return (losses * weights).sum() / weights.sum()


def _padded(values: torch.Tensor, length: int, fill: float) -> torch.Tensor:
    missing = length - len(values)
    return functional.pad(values, (0, 0) * (values.ndim - 1) + (0, missing), value=fill)


def _shape_of(rows: torch.Tensor) -> np.ndarray:
    """Stands for rows where only their number matters."""
    return np.zeros(tuple(rows.shape), np.float32)
