"""From evidence to results: windows, channels, raw maps, calibration, tracking, events."""
