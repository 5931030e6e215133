"""Cases: a folder with a database whose history cannot be changed silently."""

from engine.cases.audit import AuditEntry, AuditLog
from engine.cases.case import Case, Change, is_case, owner_of
from engine.cases.guard import refuse_beside_evidence
from engine.cases.lock import TOKEN_VARIABLE, Owner
from engine.cases.rows import (
    CalibrationRow,
    Chunk,
    ChunkSpan,
    DerivationRow,
    EventRow,
    EventState,
    EvidenceRow,
    ExportRow,
    NewCalibration,
    NewEvidence,
    NewStream,
    RegionRow,
    RunRow,
    RunState,
    StreamRow,
    TrajectoryRow,
)
from engine.cases.runs import settings_hash
from engine.cases.verify import BadRecord, EvidenceCheck, Verification, verify

__all__ = [
    "TOKEN_VARIABLE",
    "AuditEntry",
    "AuditLog",
    "BadRecord",
    "CalibrationRow",
    "Case",
    "Change",
    "Chunk",
    "ChunkSpan",
    "DerivationRow",
    "EventRow",
    "EventState",
    "EvidenceCheck",
    "EvidenceRow",
    "ExportRow",
    "NewCalibration",
    "NewEvidence",
    "NewStream",
    "Owner",
    "RegionRow",
    "RunRow",
    "RunState",
    "StreamRow",
    "TrajectoryRow",
    "Verification",
    "is_case",
    "owner_of",
    "refuse_beside_evidence",
    "settings_hash",
    "verify",
]
