"""Draws rendered footage: cameras, places, wardrobes, who is there and what goes wrong."""
