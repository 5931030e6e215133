"""Evidence as frames that are addressed by PTS: index, exact reader, cache, hashes, writer."""

from engine.media.clip_writer import ClipWriter
from engine.media.hashing import Fingerprint, fingerprint, hash_evidence, hash_file
from engine.media.source import Source, open_source

__all__ = [
    "ClipWriter",
    "Fingerprint",
    "Source",
    "fingerprint",
    "hash_evidence",
    "hash_file",
    "open_source",
]
