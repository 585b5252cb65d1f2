"""How fast an epoch is, and what it waits for: samples per second, share of waiting for data, device use, memory."""

import sys
import time

import torch

TIMES = ("seconds", "samples_per_s", "data_wait", "device_use", "memory_mb")
"""Figures of an epoch that differ between two runs of equal work."""


class EpochClock:
    """Measures the training part of each epoch, without its validation.

    Parameters
    ----------
    device
        Where the training computes, as in torch.
    threads
        Threads of the training on a CPU.
    """

    def __init__(self, device: str, threads: int) -> None:
        self._threads = threads
        # Nothing is asked of the GPU before the first epoch: until then another one may be the current device.
        self._gpu = _GpuClock() if device.startswith("cuda") else None
        self._restart()

    def start(self) -> None:
        """Start an epoch."""
        self._restart()
        if self._gpu is not None:
            self._gpu.start()

    def _restart(self) -> None:
        self._began = self._mark = time.monotonic()
        self._cpu_s = time.process_time()
        self._cpu_done_s = 0.0
        self._waited_s = 0.0
        self._n_crops = 0

    def batch_came(self) -> None:
        """A batch was read, and a step begins."""
        self._waited_s += time.monotonic() - self._mark
        if self._gpu is not None:
            self._gpu.note()

    def batch_done(self, n_crops: int) -> None:
        """A step ended."""
        if self._gpu is not None:
            self._gpu.note()
        self._mark, self._cpu_done_s = time.monotonic(), time.process_time()
        self._n_crops += n_crops

    def figures(self) -> dict[str, float]:
        """Return the figures of the epoch so far; empty before the end of the first step.

        ``data_wait`` is the share of the time before and between steps; on a GPU, the share in which it had no step to
        compute. ``device_use`` is the share of the time in which it computed: of a GPU, steps; of a CPU, all threads of
        the training. ``memory_mb`` is the peak so far: of a GPU, allocated; else, of the process.
        """
        seconds = self._mark - self._began
        if self._n_crops == 0 or seconds <= 0:
            return {}
        memory: float | None
        if self._gpu is not None:
            waiting = self._gpu.idle_share()
            use, memory = 1 - waiting, torch.cuda.max_memory_allocated() / 1e6
        else:
            waiting = self._waited_s / seconds
            use, memory = (self._cpu_done_s - self._cpu_s) / (seconds * self._threads), peak_memory_mb()
        epoch_figures = {
            "samples_per_s": round(self._n_crops / seconds, 2),
            "data_wait": round(min(max(waiting, 0.0), 1.0), 4),
            "device_use": round(min(max(use, 0.0), 1.0), 4),
        }
        return epoch_figures if memory is None else {**epoch_figures, "memory_mb": round(memory, 1)}


class _GpuClock:
    """Marks on the timeline of a GPU, which works on its own: the begin and the end of each step in turn."""

    def __init__(self) -> None:
        self._marks: list[torch.cuda.Event] = []

    def start(self) -> None:
        self._marks = []
        self.note()

    def note(self) -> None:
        mark = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        mark.record()
        self._marks.append(mark)

    def idle_share(self) -> float:
        """Return the share of the time outside of steps, up to the end of the last one."""
        self._marks[-1].synchronize()
        spans = [mark.elapsed_time(after) for mark, after in zip(self._marks, self._marks[1:], strict=False)]
        return float(sum(spans[::2]) / max(sum(spans), 1e-9))


if sys.platform == "win32":

    def peak_memory_mb() -> float | None:
        """Return None: Windows has no such figure without another library."""
        return None

else:
    import resource

    # Linux counts kibibytes, macOS bytes.
    _UNIT_MB = 1e-6 if sys.platform == "darwin" else 1024e-6

    def peak_memory_mb() -> float | None:
        """Return the most memory that this process ever held, in megabytes."""
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT_MB
