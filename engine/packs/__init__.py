"""Model packs: manifests, hashes, prompt sets; nothing here loads a model."""
