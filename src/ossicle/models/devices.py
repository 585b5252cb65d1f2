"""Where torch computes: names as people give them, and what is really there."""

import re

import torch

from ossicle.core.errors import UsageError

_NAME = re.compile(r"auto|cpu|mps|cuda(:\d+)?")


def devices(asked: str) -> tuple[str, ...]:
    """The devices of a name, best first: ``auto`` and ``cuda`` are all GPUs there are, ``auto`` without any the CPU.

    Raises UsageError for a name that is none, or a device that is not there.

    >>> devices("cpu")
    ('cpu',)
    """
    if not _NAME.fullmatch(asked):
        raise UsageError(f"device {asked!r}: there is auto, cpu, cuda, cuda:N (a GPU by its number) and mps")
    gpus = tuple(f"cuda:{number}" for number in range(torch.cuda.device_count())) if torch.cuda.is_available() else ()
    mps = ("mps",) if torch.backends.mps.is_available() else ()
    if asked == "auto":
        return gpus or mps or ("cpu",)
    found = {"cpu": ("cpu",), "mps": mps, "cuda": gpus, **{gpu: (gpu,) for gpu in gpus}}.get(asked, ())
    if not found:
        there = ", ".join(("cpu", *mps, *gpus))
        raise UsageError(f"device {asked!r} is not available here; there is {there}; use 'auto' or 'cpu'")
    return found


def device(asked: str) -> str:
    """The one device to use, by its name in torch; raises UsageError as :func:`devices`."""
    return devices(asked)[0]
