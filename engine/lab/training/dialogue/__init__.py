"""Stage 2: RAE, projector and LoRA learn to speak about evidence; AHD stays as it is."""
