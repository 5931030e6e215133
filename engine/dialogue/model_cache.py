"""Loaded models and the dialogue inputs that they have read, kept between questions.

A worker holds one cache. The language model reads the inputs of a span once, when the span is first
asked about or prepared; further questions about the span find them there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.case import Case, RunRow
from engine.core.errors import ResourceError
from engine.core.progress import CancelToken

# A worker that is never asked anything loads none of these modules.
if TYPE_CHECKING:
    from engine.dialogue.conversation import Conversation
    from engine.dialogue.dialogue_inputs import DialogueInputs
    from engine.dialogue.dialogue_model import DialogueModel
    from engine.dialogue.facts import DialogueSpan
    from engine.media import Source
    from engine.packs.pack import Pack
    from engine.tvad.backbones.backbone import Backbone

SpanKey = tuple[str, int, int | None, int, int]
"""Path of the case, run, derivation, first and last frame: what a conversation was opened for."""


class ModelCache:
    """Keeps at most one language model, one backbone and one conversation at a time."""

    def __init__(self) -> None:
        self._model: tuple[tuple[str, str], DialogueModel] | None = None
        self._backbone: tuple[str, Backbone] | None = None
        self._conversation: tuple[SpanKey, Conversation] | None = None
        self._pack: Pack | None = None

    def model(self, pack: Pack, runtime: str) -> DialogueModel:
        """Returns the language model of a pack, which is loaded the first time.

        Raises:
            BadInputError: the parts of the pack do not fit each other, or a hash differs.
            ResourceError: there is no language model in the pack, or too little memory.
        """
        key = (pack.manifest_sha256, runtime)
        if self._model is None or self._model[0] != key:
            from engine.packs.pack_memory import fits_machine, this_machine

            if not fits_machine(pack.memory, this_machine()):
                raise ResourceError(
                    f"too little memory for the pack {pack.name}",
                    "",
                    "facts remain; close other programs or use a smaller pack",
                )
            from engine.dialogue.dialogue_model import open_dialogue_model

            self._model, self._conversation = None, None
            self._model = (key, open_dialogue_model(pack, runtime))
        self._pack = pack
        return self._model[1]

    def conversation(
        self,
        case: Case,
        model: DialogueModel,
        run: RunRow,
        span: DialogueSpan,
        source: Source,
        cancel: CancelToken | None = None,
    ) -> Conversation:
        """Returns a conversation for which the model has read the inputs of the span.

        Raises:
            BadInputError: the inputs take too many positions, or a frame cannot be decoded.
            CancelledError: the user stopped.
        """
        from engine.dialogue.conversation import Conversation

        derivation = case.results.current(run.id)
        key = (
            str(case.path), run.id, None if derivation is None else derivation.id,
            span.first, span.last,
        )  # fmt: skip
        if self._conversation is None or self._conversation[0] != key:
            self._conversation = None
            parts = model.parts(self._gather_inputs(case, run, span, source, cancel))
            self._conversation = (key, Conversation(model.runtime, parts, cancel=cancel))
        return self._conversation[1]

    def _gather_inputs(
        self,
        case: Case,
        run: RunRow,
        span: DialogueSpan,
        source: Source,
        cancel: CancelToken | None,
    ) -> DialogueInputs:
        from engine.dialogue.dialogue_inputs import gather_inputs
        from engine.dialogue.span_results import dialogue_channel, heatmaps_at

        backbone = self._load_backbone()
        channel = dialogue_channel(case, run)
        return gather_inputs(
            backbone,
            source,
            (span.first, span.last),
            lambda frames: heatmaps_at(case, run, channel, frames),
            cancel,
        )

    def _load_backbone(self) -> Backbone:
        assert self._pack is not None
        sha256 = self._pack.manifest_sha256
        if self._backbone is None or self._backbone[0] != sha256:
            from engine.tvad.backbones.registry import open_backbone

            self._backbone = (sha256, open_backbone(self._pack))
        return self._backbone[1]
