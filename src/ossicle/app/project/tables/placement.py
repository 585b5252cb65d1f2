"""``[jobs]``: where each step runs, and with which resources. Nothing here can change a result."""

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from ossicle.core.settings import setting, settings
from ossicle.core.text.controls import first_control

SHELL = ("setup", "sbatch")
"""Settings that a shell or sbatch executes; they are not read from a project file, which may come from a stranger."""
_PLAIN = re.compile(r"[A-Za-z0-9_.,:@%+=-]*")
_TIME = re.compile(r"(\d+-)?\d+(:\d+){0,2}")
LOCAL, SLURM, MODAL = "local", "slurm", "modal"
PLACES = (LOCAL, SLURM, MODAL)
"""Where a step can run: the names of the runners."""
STEP_TABLES = "steps"
"""The field of :class:`JobsSettings` that holds the tables ``[jobs.STEP]``."""


def _refuse(table: "StepPlacement") -> None:
    """Reject values that would be more than one word of an sbatch line."""
    for name in ("partition", "account", "qos", "gpu_type", "memory"):
        if not _PLAIN.fullmatch(getattr(table, name)):
            raise ValueError(f"{name} = {getattr(table, name)!r} is not a valid Slurm name")
    if table.time and not _TIME.fullmatch(table.time):
        raise ValueError(f"time = {table.time!r} is not a wall time: write minutes, H:MM:SS or D-HH:MM:SS")
    for name in SHELL:
        if any(first_control(line) is not None for line in getattr(table, name)):
            raise ValueError(f"{name} contains a line break: write one text for each line")


@settings
class StepPlacement:
    """Where one step runs; empty settings are those of ``[jobs]``, and there the machine's defaults."""

    on: str = setting(
        default="", help="where to run: local, slurm or modal; empty: local", choices=("", *PLACES), digest=False
    )
    partition: str = setting(default="", help="Slurm partition", digest=False)
    account: str = setting(default="", help="Slurm account", digest=False)
    qos: str = setting(default="", help="Slurm quality of service", digest=False)
    gpus: int = setting(
        default=-1, help="number of GPUs for each task; -1: as in [jobs], where it means none", ge=-1, digest=False
    )
    gpu_type: str = setting(
        default="", help="GPU type: on Slurm as in --gres=gpu:TYPE:N, on Modal as A100", digest=False
    )
    cpus: int = setting(
        default=0, help="number of CPUs for each task; 0: the default of Slurm or Modal", ge=0, digest=False
    )
    memory: str = setting(default="", help="memory for each task, as 16G", digest=False)
    time: str = setting(default="", help="wall time for each task: minutes, H:MM:SS or D-HH:MM:SS", digest=False)
    max_concurrent: int = setting(
        default=0,
        help="highest number of parallel tasks; 0: 15 for scoring, 20 for evaluation, otherwise no limit "
        "(on Modal that of [modal])",
        ge=0,
        digest=False,
    )
    sbatch: tuple[str, ...] = setting(
        default=(),
        help="more sbatch options, one per line, after those of [jobs]; only in ossicle.local.toml or --set",
        digest=False,
    )
    setup: tuple[str, ...] = setting(
        default=(),
        help="shell lines before each task (modules, environment), after those of [jobs]; only in ossicle.local.toml "
        "or --set",
        digest=False,
    )

    def __post_init__(self) -> None:
        """Reject values that would be more than one word of an sbatch line."""
        _refuse(self)


@settings
class JobsSettings(StepPlacement):
    """``[jobs]``, with a table for each step that runs elsewhere or with other resources."""

    attempts: int = setting(
        default=3, help="number of runs of a failing task before it counts as failed", ge=1, digest=False
    )
    continuations: int = setting(
        default=50, help="how often a task that saved its state at its wall time is queued again", ge=0, digest=False
    )
    poll_s: float = setting(
        default=5.0, help="time between checks of the queue", unit="s", ge=0.2, le=600, digest=False
    )
    steps: Mapping[str, StepPlacement] = setting(
        default={}, help="`[jobs.STEP]`: the keys above, for one step of the pipeline only", digest=False
    )

    def __post_init__(self) -> None:
        """Reject values that would be more than one word of an sbatch line."""
        _refuse(self)

    def own(self, step: str) -> StepPlacement:
        """Return the table ``[jobs.STEP]`` of a step; all settings are empty if there is no such table."""
        return self.steps.get(step, StepPlacement())

    def placed(self, step: str, most: int = 0) -> StepPlacement:
        """Return where a step runs, with the settings of ``[jobs]`` for all steps.

        ``most`` is how many tasks may run at a time if no table sets it; 0 sets no limit.

        >>> JobsSettings(on="slurm", cpus=4, steps={"training": StepPlacement(cpus=8)}).placed("training").cpus
        8
        """
        step_table = self.own(step)
        placement_values: dict[str, Any] = {}
        for spec in fields(StepPlacement):
            step_value, general = getattr(step_table, spec.name), getattr(self, spec.name)
            if isinstance(step_value, tuple):
                placement_values[spec.name] = (*general, *step_value)
            else:
                placement_values[spec.name] = step_value if step_value != spec.default else general
        placement = StepPlacement(**placement_values)
        return replace(
            placement,
            on=placement.on or LOCAL,
            gpus=max(0, placement.gpus),
            max_concurrent=placement.max_concurrent or most,
        )


def with_step_tables(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables of a project file with each ``[jobs.STEP]`` moved below ``steps`` of ``[jobs]``.

    >>> with_step_tables({"jobs": {"on": "slurm", "training": {"cpus": 8}}})
    {'jobs': {'on': 'slurm', 'steps': {'training': {'cpus': 8}}}}
    """
    jobs = values.get("jobs")
    if not isinstance(jobs, Mapping):
        return dict(values)
    tables = {key: value for key, value in jobs.items() if isinstance(value, Mapping)}
    general = {key: value for key, value in jobs.items() if key not in tables}
    return {**values, "jobs": {**general, **({STEP_TABLES: tables} if tables else {})}}


def without_step_tables(path: tuple[str, ...]) -> tuple[str, ...]:
    """Return a path of keys as in the project file, from one that :func:`with_step_tables` returned.

    >>> without_step_tables(("jobs", "steps", "training", "cpus"))
    ('jobs', 'training', 'cpus')
    """
    return ("jobs", *path[2:]) if path[:2] == ("jobs", STEP_TABLES) else path
