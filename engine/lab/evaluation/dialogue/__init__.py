"""Judging a dialogue: yes and no, places, actions, colours, BLEU, and what the heatmap does."""
