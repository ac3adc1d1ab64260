"""What this machine has free, as its system tells it. It knows nothing of models."""

import os
import re
from pathlib import Path

SYSTEM = Path("/proc/meminfo")
GROUP = Path("/sys/fs/cgroup")


def free_memory(system: Path = SYSTEM, group: Path = GROUP) -> int | None:
    """Bytes of memory that a new program could have; None where this cannot be known.

    In a container, what the container may still have counts, not what its host has.
    """
    try:
        found = re.search(r"^MemAvailable:\s*(\d+) kB", system.read_text(), re.MULTILINE)
    except OSError:
        return _installed()
    available = int(found[1]) * 1024 if found else None
    allowed = _allowed(group)
    return min((each for each in (available, allowed) if each is not None), default=None)


def _allowed(group: Path) -> int | None:
    """What the control group of a container leaves. Files that are only cached in memory give way, so they count as free."""
    try:
        most = int((group / "memory.max").read_text())
        used = int((group / "memory.current").read_text())
        cached = re.search(r"^inactive_file (\d+)", (group / "memory.stat").read_text(), re.MULTILINE)
    except (OSError, ValueError):
        return None
    return max(0, most - used + (int(cached[1]) if cached else 0))


def _installed() -> int | None:
    """All memory of the machine, where the system does not tell what of it is free."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None
