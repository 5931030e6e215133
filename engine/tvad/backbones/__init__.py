"""Frozen vision-language backbones, a file each."""
