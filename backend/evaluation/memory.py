"""How much memory this process held at most, for stretches of its life."""

import resource
import sys
from contextlib import suppress
from pathlib import Path

CLEAR, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def forget_peak() -> None:
    """Let the peak begin anew from here; where the system cannot, it stays that of the process."""
    with suppress(OSError):
        CLEAR.write_text("5")


def peak_bytes() -> int:
    """The most memory that was resident at once since the peak was last forgotten."""
    with suppress(OSError):
        for line in STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return usage if sys.platform == "darwin" else usage * 1024
