"""The environment of a run: Python, packages, processor and driver; kept in its run log and in no digest."""

import importlib.metadata
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ossicle.artefacts.filesystem.reading import read_if_there
from ossicle.artefacts.logs.runlog import RunLog, read_run_log

_UNIT = "environment"
_CPUS = Path("/proc/cpuinfo")
_DRIVER = Path("/proc/driver/nvidia/version")
_MOST_BYTES = 8 << 20


def environment() -> dict[str, Any]:
    """Return what is known of this process without torch.

    Returns
    -------
    dict
        ``python``, ``system``, ``machine``, ``processor``, ``n_cpus``, ``gpu_driver`` (empty without one) and
        ``packages``: the version of every installed package by name.
    """
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "machine": platform.machine(),
        "processor": _processor(),
        "n_cpus": os.cpu_count(),
        "gpu_driver": gpu_driver(),
        "packages": packages(),
    }


def gpu_driver() -> str:
    """Return what the driver of NVIDIA's GPUs calls itself; empty without one."""
    return _first_line(_DRIVER)


def packages() -> dict[str, str]:
    """Return the version of every installed package by name, sorted."""
    versions = {
        str(distribution.metadata["Name"]): distribution.version for distribution in importlib.metadata.distributions()
    }
    return dict(sorted(versions.items(), key=lambda item: item[0].lower()))


def log_environment(log: RunLog, step: str, devices: Mapping[str, Any]) -> None:
    """Write the environment of this process to the run log of a step.

    Parameters
    ----------
    log
        The run log.
    step
        The name of the step.
    devices
        What the step knows of devices: versions of torch, CUDA and cuDNN, names of GPUs.
    """
    log.work_unit(step, _UNIT, "computed", environment={**environment(), **devices})


def logged_environment(file: Path) -> dict[str, Any]:
    """Return the last environment in a run log; empty if there is none."""
    environments = [line["environment"] for line in read_run_log(file) if isinstance(line.get("environment"), dict)]
    return environments[-1] if environments else {}


def _processor() -> str:
    text = read_if_there(_CPUS, _MOST_BYTES).decode(errors="replace") if _CPUS.exists() else ""
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.processor()


def _first_line(file: Path) -> str:
    text = read_if_there(file, _MOST_BYTES).decode(errors="replace").strip() if file.exists() else ""
    return text.splitlines()[0] if text else ""
