"""Stage 2 on small models: what it learns, that it goes on where it stopped, what it writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.core.errors import BadInputError, CancelledError
from engine.core.progress import CancelToken, Progress, silent
from engine.core.questions import INTERVIEW
from engine.dialogue.conversation import Conversation
from engine.dialogue.dialogue_inputs import DialogueInputs
from engine.dialogue.dialogue_model import DialogueModel
from engine.lab.dialogue_corpus.samples.dialogue_samples import TRUE, DialogueSample, HeatmapInputs
from engine.lab.dialogue_corpus.wording import SpanTruth
from engine.lab.training.dialogue.dialogue_pack import (
    TrainedDialogue,
    adapter_files,
    card_with_dialogue,
)
from engine.lab.training.dialogue.stage2 import Stage2, Stage2Settings
from engine.lab.training.dialogue.trainable_model import TrainableDialogueModel, with_lora
from engine.tvad.encoder_files import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from engine.tvad.language.qwen_runtime import QwenRuntime, load_qwen_model
from engine.tvad.language.runtime import Sampling
from engine.tvad.language.transformers_runtime import load_base, with_adapter
from engine.tvad.projector import ProjectorConfig, VideoProjector
from engine.tvad.region_encoder import EncoderConfig, RegionAwareEncoder
from tests.dialogue.dialogue_material import WIDTH, moving_heat, write_llama, write_tokenizer
from tests.tvad.local_models import write_qwen

INPUTS = 9
WORN = {"upper": "red", "lower": "black", "garment": "trousers", "bag": "none"}

MakeLearner = Callable[[], TrainableDialogueModel]


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_llama(tmp_path_factory.mktemp("weights") / "tiny-llama")


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_qwen(tmp_path_factory.mktemp("weights"))
    write_tokenizer(folder)
    return folder


@pytest.fixture
def learner(llama: Path) -> MakeLearner:
    def make() -> TrainableDialogueModel:
        torch.manual_seed(1)
        model, tokenizer = load_base(llama)
        encoder = RegionAwareEncoder(EncoderConfig(WIDTH, (8, 8, 8), 32))
        projector = VideoProjector(ProjectorConfig(INPUTS, WIDTH, 4, 32))
        return TrainableDialogueModel(with_lora(model), tokenizer, encoder, projector)

    return make


def _samples(video_width: int = INPUTS, tokens: int = 4) -> list[DialogueSample]:
    """One person who runs across and one span of nothing."""
    rng = np.random.default_rng(0)
    heat = moving_heat()
    video = rng.random((8, tokens, video_width)).astype(np.float32)
    runs = SpanTruth("running", "park", False, 1, "person", WORN, "top left", "bottom right",
                 "down-right")  # fmt: skip
    return [
        DialogueSample("a", (0, 40), runs, {TRUE: HeatmapInputs(heat, video)}),
        DialogueSample("b", (0, 40), SpanTruth(None, "park", False, 1), {
            TRUE: HeatmapInputs(np.zeros_like(heat), video * 0.1)
        }),
    ]  # fmt: skip


def _settings(**changes: Any) -> Stage2Settings:
    defaults: dict[str, Any] = {
        "steps": 6, "batch": 2, "align_steps": 4, "align_batch": 2, "rate": 5e-3,
        "part_rate": 5e-3,
    }  # fmt: skip
    return Stage2Settings(**{**defaults, **changes})


def _weights(learner: TrainableDialogueModel) -> list[torch.Tensor]:
    return [parameter.detach().clone() for _, parameter in learner.trainable_parameters()]


def test_the_loss_falls_and_the_language_model_itself_stays(
    learner: MakeLearner, tmp_path: Path
) -> None:
    trained = learner()
    frozen = {
        name: parameter.detach().clone()
        for name, parameter in trained.model.named_parameters()
        if not parameter.requires_grad
    }
    run = Stage2(trained, _samples(), _settings(steps=41, narrative=0.0), tmp_path)
    run.run(silent, CancelToken())
    losses = [entry["loss"] for entry in run.log if entry["phase"] == "focused"]
    # The frozen model has random weights: no adapter brings its loss down by more than a twentieth.
    assert losses[-1] < 0.98 * losses[0]
    for name, parameter in trained.model.named_parameters():
        if name in frozen:
            assert torch.equal(parameter, frozen[name]), name
    assert all(
        "q_proj" in n or "v_proj" in n
        for n, _ in trained.trainable_parameters()
        if n.startswith("lora.")
    )


def test_a_training_taken_up_again_ends_with_the_same_weights(
    learner: MakeLearner, tmp_path: Path
) -> None:
    whole = learner()
    Stage2(whole, _samples(), _settings(), tmp_path / "whole").run(silent, CancelToken())

    cancel = CancelToken()

    def stop(progress: Progress) -> None:
        if progress.stage == "training" and progress.done == 3:
            cancel.cancel()

    with pytest.raises(CancelledError):
        Stage2(learner(), _samples(), _settings(), tmp_path / "parts").run(stop, cancel)
    resumed = learner()
    Stage2(resumed, _samples(), _settings(), tmp_path / "parts").run(silent, CancelToken())
    for weights, resumed_weights in zip(_weights(whole), _weights(resumed), strict=True):
        assert torch.equal(weights, resumed_weights)


def test_in_half_precision_the_same_is_learnt(learner: MakeLearner) -> None:
    from engine.lab.training.dialogue.training_sample import FOCUSED, draw_training_sample

    trained = learner()
    half = TrainableDialogueModel(
        trained.model, trained.tokenizer, trained.encoder, trained.projector, half=True
    )
    drawn = [
        draw_training_sample(sample, FOCUSED, np.random.default_rng(3)) for sample in _samples()
    ]
    trained.model.eval()
    losses = [float(model.loss(drawn).detach()) for model in (trained, half)]
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    # Answers are still given in full precision.
    assert {parameter.dtype for _, parameter in half.trainable_parameters()} == {torch.float32}


def test_a_state_of_another_training_is_refused(learner: MakeLearner, tmp_path: Path) -> None:
    Stage2(learner(), _samples(), _settings(), tmp_path).run(silent, CancelToken())
    with pytest.raises(BadInputError, match="other settings"):
        Stage2(learner(), _samples(), _settings(seed=9), tmp_path).run(silent, CancelToken())


def test_no_samples_are_no_training(learner: MakeLearner, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no dialogues"):
        Stage2(learner(), [], _settings(), tmp_path)


def test_only_answers_are_learnt(learner: MakeLearner) -> None:
    from engine.lab.training.dialogue.training_sample import FOCUSED, draw_training_sample

    trained = learner()
    drawn = draw_training_sample(_samples()[0], FOCUSED, np.random.default_rng(3))
    sequence = trained._sequence(drawn)
    predicted = sequence.targets[sequence.targets >= 0].tolist()
    tokenizer = trained.tokenizer
    tokens: list[int] = []
    for _, answer in drawn.turns:
        tokens += [*tokenizer(answer, add_special_tokens=False)["input_ids"], 381]
    assert predicted == tokens


def test_the_card_tells_the_newest_training_once_and_keeps_its_limits(
    learner: MakeLearner,
) -> None:
    log = [
        {"step": 0, "phase": "aligning", "loss": 9.0},
        {"step": 9, "phase": "narrative", "loss": 2.0},
    ]
    older = TrainedDialogue(
        learner(), None, log, "two rendered videos", "main.py train dialogue", 4
    )
    newer = replace(older, data="three rendered videos")
    first = card_with_dialogue("# small\n\nA decoder.\n\n## Limits\n\nMany.\n", older)
    card = card_with_dialogue(first, newer)
    assert "two rendered videos" in first
    assert "two rendered videos" not in card
    assert card.count("## Dialogue") == 1
    assert card.startswith("# small\n\nA decoder.\n\n## Dialogue\n")
    assert card.endswith("\n\n## Limits\n\nMany.\n")


def test_a_small_qwen_learns_and_answers_three_turns(qwen: Path, tmp_path: Path) -> None:
    model, tokenizer = load_qwen_model(qwen)
    torch.manual_seed(1)
    encoder = RegionAwareEncoder(EncoderConfig(WIDTH, (8, 8, 8), 32))
    trained = TrainableDialogueModel(with_lora(model), tokenizer, encoder, None)
    samples = _samples(video_width=WIDTH)
    run = Stage2(trained, samples, _settings(steps=21, align_steps=0), tmp_path / "work")
    run.run(silent, CancelToken())
    losses = [entry["loss"] for entry in run.log]
    assert losses[-1] < losses[0]
    names = [
        name for name, parameter in trained.model.named_parameters() if parameter.requires_grad
    ]
    assert names
    assert not any("visual" in name for name in names)

    files = adapter_files(trained, tmp_path)
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    for name in (ADAPTER_CONFIG, ADAPTER_WEIGHTS):
        data = files[name]
        assert isinstance(data, bytes)
        (tmp_path / name).write_bytes(data)
    fresh, _ = load_qwen_model(qwen)
    runtime = QwenRuntime(with_adapter(fresh, adapter), tokenizer)
    spoken = DialogueModel(runtime, encoder.eval(), None, vision_marks=True)
    inputs = samples[0].inputs[TRUE]
    parts = spoken.parts(DialogueInputs(inputs.heat, inputs.video, (1, 4)))
    answers = []
    for _ in range(2):
        conversation = Conversation(runtime, parts)
        answers_of_run = [
            conversation.ask(question.text, Sampling(10)) for question in INTERVIEW[:3]
        ]
        answers.append([answer.text for answer in answers_of_run])
        assert len(conversation.turns) == 3
    assert answers[0] == answers[1]
    assert any(answers[0])
