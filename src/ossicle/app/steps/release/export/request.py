"""The options of an export, checked before anything is computed."""

import importlib.util
from dataclasses import dataclass
from functools import cache

from ossicle.bundle.runtimes.graph import PRECISIONS
from ossicle.core.errors import UsageError
from ossicle.export.speed import Budget

ONNX, OPENVINO = "onnx", "openvino"


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """The options of an export.

    ``precisions`` are in order, fp32 first. ``folds`` and ``waveform`` request further graphs. ``threads`` and
    ``budget`` are for the measured speeds.
    """

    precisions: tuple[str, ...]
    folds: bool = False
    waveform: bool = False
    threads: int = 1
    budget: Budget | None = None

    @property
    def rows(self) -> tuple["Row", ...]:
        """Return every precision in every installed runtime that computes it here, float32 in onnxruntime first."""
        return tuple(row for row in self._installed_rows if row not in self.unmeasured)

    @property
    def unmeasured(self) -> tuple["Row", ...]:
        """Return the rows that this processor cannot compute: OpenVINO's bf16 without bfloat16 in the processor."""
        return tuple(row for row in self._installed_rows if row == Row("bf16", OPENVINO) and not _computes_bf16())

    @property
    def _installed_rows(self) -> tuple["Row", ...]:
        runtimes = (ONNX, OPENVINO) if importlib.util.find_spec(OPENVINO) else (ONNX,)
        return tuple(Row(precision, runtime) for precision in self.precisions for runtime in runtimes)


@dataclass(frozen=True, slots=True)
class Row:
    """A precision in a runtime: one row of the table."""

    precision: str
    runtime: str

    @property
    def name(self) -> str:
        """Return the name of the row for files and messages."""
        return f"{self.precision}-{self.runtime}"


def precisions_asked(text: str) -> tuple[str, ...]:
    """Return the precisions in a comma-separated list, in the order of ``PRECISIONS``; raises UsageError for others.

    >>> precisions_asked("int8,fp32"), precisions_asked("bf16")
    (('fp32', 'int8'), ('fp32', 'bf16'))
    """
    precisions = {precision.strip() for precision in text.split(",") if precision.strip()}
    if unknown := sorted(precisions - set(PRECISIONS)):
        raise UsageError(f"--precision {', '.join(unknown)} is not one of: {', '.join(PRECISIONS)}")
    return tuple(precision for precision in PRECISIONS if precision in precisions | {PRECISIONS[0]})


@cache
def _computes_bf16() -> bool:
    from ossicle.bundle.runtimes.openvino_runtime import computes_bf16

    return computes_bf16()
