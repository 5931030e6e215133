"""Model packs: manifests, hashes, prompt sets; nothing here loads a model."""

DEFAULT_PACK = "compact"
"""Name of the pack that ships with the program and runs without a GPU."""
