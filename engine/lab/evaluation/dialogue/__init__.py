"""Evaluation of the dialogue: yes and no, cells, actions, colours, BLEU, and heatmap controls."""
