"""The channels of a run: what they read, how they are scored, and how their scores are fused."""
