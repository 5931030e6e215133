"""Class embeddings of prompts: the mean over the three nested levels of each."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from engine.packs.prompt_sets import Templates, expand
from engine.tvad.backbones.backbone import Backbone


def embed_words(backbone: Backbone, words: Sequence[str], templates: Templates) -> torch.Tensor:
    """Embeds prompts at word level.

    Args:
        backbone: the backbone whose text encoder is used.
        words: prompts at word level.
        templates: the templates that make the two longer levels.

    Returns:
        float32 [n, D], one class embedding a prompt: the mean of word, phrase and sentence, each
        the mean over its tokens. The embedding of a set is the mean of its rows.

    Raises:
        BadInputError: a prompt is empty or too long.
    """
    levels = [level for word in words for level in expand(word, templates)]
    embedded = backbone.embed_text(levels)
    return embedded.view(len(words), -1, embedded.shape[-1]).mean(1)
