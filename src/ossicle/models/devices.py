"""Devices of torch: names used in settings, and the devices of this machine."""

import re

import torch

from ossicle.core.errors import UsageError

_NAME = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
# Of the CPU's allocator, on Windows and elsewhere; that of a GPU has a class of its own.
_OUT_OF_MEMORY = ("not enough memory", "can't allocate memory")


def devices(name: str) -> tuple[str, ...]:
    """Return the devices for a name, best first.

    ``cuda`` means all GPUs of the machine; ``auto`` means the same, or the CPU if there is none.

    Raises
    ------
    UsageError
        For an unknown name, or a device that this machine does not have.

    Examples
    --------
    >>> devices("cpu")
    ('cpu',)
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"device {name!r} is not one of: auto, cpu, cuda, cuda:N (a GPU by its number), mps")
    gpus = tuple(f"cuda:{number}" for number in range(torch.cuda.device_count())) if torch.cuda.is_available() else ()
    mps = ("mps",) if torch.backends.mps.is_available() else ()
    if name == "auto":
        return gpus or mps or ("cpu",)
    matching = {"cpu": ("cpu",), "mps": mps, "cuda": gpus, **{gpu: (gpu,) for gpu in gpus}}.get(name, ())
    if not matching:
        available = ", ".join(("cpu", *mps, *gpus))
        raise UsageError(f"device {name!r} is not available here; available: {available}; use 'auto' or 'cpu'")
    return matching


def device(name: str) -> str:
    """Return the one device to use, by its name in torch; raises UsageError like :func:`devices`."""
    return devices(name)[0]


def use_threads(count: int) -> None:
    """Let torch use so many threads of the CPU in this process; results depend on their number.

    Parameters
    ----------
    count
        At least 1.
    """
    torch.set_num_threads(count)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that a device has too little memory.

    Parameters
    ----------
    error
        What torch or NumPy raised.

    Examples
    --------
    >>> is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"))
    True
    >>> is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    False
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(phrase in str(error) for phrase in _OUT_OF_MEMORY)
