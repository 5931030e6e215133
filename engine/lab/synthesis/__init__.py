"""Surveillance footage rendered from stick models, with pixel truth that costs nothing.

The world has metres: x right, y away from the camera, z up; the ground is z = 0 and the camera
stands at (0, 0, elevation).
"""
