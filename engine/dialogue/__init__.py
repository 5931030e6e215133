"""Asking the footage: questions, facts, the conditioned language model, citations, turns."""
