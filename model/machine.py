"""The machine that this process runs on."""

import os
import platform
from pathlib import Path


def machine() -> str:
    """The processor and the number of cores that may be used of it, as figures of speed are said to be measured on."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {usable_cores()} cores"


def usable_cores() -> int:
    """How many cores this process may use: all, or those that a container, a scheduler or taskset leaves it."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
