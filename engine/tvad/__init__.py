"""T-VAD: frozen backbones, the Anomaly Heatmap Decoder and what it needs (torch)."""
