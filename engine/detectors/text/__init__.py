"""The text channel: windows of frames and prompts in, raw maps, calibrated heat and reasons out."""
