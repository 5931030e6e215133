"""The player: exact frames by PTS with heat, boxes and paths over them."""
