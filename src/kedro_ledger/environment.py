"""Python, packages and hardware of a run."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

from kedro_ledger.record import Environment

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
CAPABILITIES = {"avx512f": "AVX512", "avx2": "AVX2"}
"""Instruction sets that decide how PyTorch and NumPy compute on x86, best first, by the kernel's name."""


def read_environment() -> Environment:
    """Return Python's version, the machine and the versions of all packages.

    A run with other versions, on another processor or with another number of threads may write other bytes.
    """
    processor, flags = _read_processor()
    best = next((name for flag, name in CAPABILITIES.items() if flag in flags), "default")
    return Environment(
        python=f"{platform.python_implementation()} {platform.python_version()}",
        system=platform.system(),
        libc=_read_libc(),
        machine=platform.machine(),
        processor=processor,
        cpu_capability=os.environ.get("ATEN_CPU_CAPABILITY", best),
        threads={name: os.environ[name] for name in THREADS if name in os.environ},
        packages=_list_packages(),
    )


def _list_packages() -> dict[str, str]:
    """List packages by the names of their folders: importlib.metadata would read a file of each package."""
    packages: dict[str, str] = {}
    for folder in map(Path, sys.path):
        for info in folder.glob("*.dist-info") if folder.is_dir() else ():
            name, _, version = info.stem.partition("-")
            packages.setdefault(name.lower().replace("_", "-"), version)
    return dict(sorted(packages.items()))


def _read_processor() -> tuple[str, set[str]]:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").partition("\n\n")[0].splitlines()
    except OSError:
        return platform.processor(), set()
    fields = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return fields.get("model name", platform.processor()), set(fields.get("flags", "").split())


def _read_libc() -> str:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, ValueError, OSError):
        return ""
