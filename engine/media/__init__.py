"""Evidence as frames that are addressed by PTS: index, exact reader, cache, hashes, writer."""

from engine.media.clip_writer import ClipWriter
from engine.media.first_frame import first_picture
from engine.media.hashing import ALGORITHMS, Fingerprint, fingerprint, hash_evidence, hash_file
from engine.media.index_cache import IndexCache
from engine.media.source import Source, open_source

__all__ = [
    "ALGORITHMS",
    "ClipWriter",
    "Fingerprint",
    "IndexCache",
    "Source",
    "fingerprint",
    "first_picture",
    "hash_evidence",
    "hash_file",
    "open_source",
]
