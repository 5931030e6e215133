"""Dialogues about footage with truth: spans, evidence maps, questions, references."""
