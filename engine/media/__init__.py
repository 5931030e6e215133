"""Reads evidence as frames that are addressed by PTS, hashes it, and writes clips."""

from engine.media.clip_writer import ClipWriter
from engine.media.first_frame import read_first_frame
from engine.media.hashing import ALGORITHMS, Fingerprint, fingerprint, hash_evidence, hash_file
from engine.media.index_cache import IndexCache
from engine.media.source import Source
from engine.media.source_opening import open_source

__all__ = [
    "ALGORITHMS",
    "ClipWriter",
    "Fingerprint",
    "IndexCache",
    "Source",
    "fingerprint",
    "hash_evidence",
    "hash_file",
    "open_source",
    "read_first_frame",
]
