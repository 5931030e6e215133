"""Everything the examiner can do, with its words and keys: menus, palette and help read it."""
