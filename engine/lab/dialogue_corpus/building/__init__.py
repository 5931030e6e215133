"""From footage with masks to training dialogues: frames, timelines, checks, dialogues."""
