"""Everything the examiner can do, with its words and keys: menus, palette and help read it.

Case, Edit, Help and the window: `window_commands`. View: `view_commands`. Evidence:
`evidence_commands`, `channel_commands`. Review: `review_commands`, `dialogue_commands`,
`lab_windows`. Go: `go_commands`. Teach: `teaching_commands`. The order of the menus is that of
`desktop/wiring.py`, icons lie in resources/icons.
"""
