"""The attributes of the scene channel, a file each; `engine.core.channels` lists them."""
