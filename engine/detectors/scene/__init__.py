"""The scene channel: what is unusual for this camera, without learned weights."""
