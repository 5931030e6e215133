"""Words that must come out of a report as they went in, and what an archive says it holds."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

SCRIPT = "<script>alert(1)</script>"
ARABIC = "الشاهد يقول إن السيارة البيضاء دخلت المرآب من اليسار"
CHINESE = "证人说，白色汽车从左侧进入停车场，然后停在十二号入口。"
TYPST = '#panic("markup") $x$ *bold* @nobody #include "/etc/passwd"'
MakeReport = Callable[..., Path]


def manifest_of(archive: Path) -> dict[str, Any]:
    with zipfile.ZipFile(archive) as opened:
        value: dict[str, Any] = json.loads(opened.read("manifest.json"))
    return value
