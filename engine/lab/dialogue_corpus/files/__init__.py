"""What `dialogues build` writes: records, timelines, verdicts, dialogues, and their reviews."""
