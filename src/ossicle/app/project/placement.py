"""``[jobs]``: where the work of each step is done, and with what. Nothing here can change a result."""

import re
from dataclasses import fields, replace
from typing import Any

from ossicle.core.settings import setting, settings

SHELL = ("setup", "sbatch")
"""Settings that a shell or sbatch obeys as they are: not taken from a project file, which may be a stranger's."""
_PLAIN = re.compile(r"[A-Za-z0-9_.,:@%+=-]*")
_TIME = re.compile(r"(\d+-)?\d+(:\d+){0,2}")
_KNOWN_CAPS = {"scores": 15, "benchmark_scores": 15, "benchmark_evaluation": 20}


def _refuse(table: "StepPlacement") -> None:
    """Refuse what would be more than one word of an sbatch line."""
    for name in ("partition", "account", "qos", "gpu_type", "memory"):
        if not _PLAIN.fullmatch(getattr(table, name)):
            raise ValueError(f"{name} = {getattr(table, name)!r} is no name that Slurm could know")
    if table.time and not _TIME.fullmatch(table.time):
        raise ValueError(f"time = {table.time!r} is no wall time: write minutes, H:MM:SS or D-HH:MM:SS")
    for name in SHELL:
        if any("\n" in line or "\r" in line for line in getattr(table, name)):
            raise ValueError(f"{name} holds a line end: write one text for each line")


@settings
class StepPlacement:
    """Where one step runs; what is left empty is as in ``[jobs]``, and there as the machine has it."""

    on: str = setting(
        default="", help="where to run: local or slurm; empty: local", choices=("", "local", "slurm"), digest=False
    )
    partition: str = setting(default="", help="Slurm partition", digest=False)
    account: str = setting(default="", help="Slurm account", digest=False)
    qos: str = setting(default="", help="Slurm quality of service", digest=False)
    gpus: int = setting(
        default=-1, help="number of GPUs for each task; -1: as in [jobs], where it means none", ge=-1, digest=False
    )
    gpu_type: str = setting(default="", help="GPU type, as in --gres=gpu:TYPE:N", digest=False)
    cpus: int = setting(default=0, help="number of CPUs for each task; 0: Slurm's default", ge=0, digest=False)
    memory: str = setting(default="", help="memory for each task, as 16G", digest=False)
    time: str = setting(default="", help="wall time for each task: minutes, H:MM:SS or D-HH:MM:SS", digest=False)
    max_concurrent: int = setting(
        default=0,
        help="highest number of parallel tasks; 0: 15 for scoring, 20 for evaluation, otherwise no limit",
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
        """Refuse what would be more than one word of an sbatch line."""
        _refuse(self)


def _table(what: str) -> Any:
    return setting(default=StepPlacement(), help=what, digest=False)


@settings
class JobsSettings(StepPlacement):
    """``[jobs]``, and a table for each step that is to run elsewhere or with other means."""

    attempts: int = setting(
        default=3, help="number of runs of a failing task before it counts as failed", ge=1, digest=False
    )
    continuations: int = setting(
        default=50, help="how often a task that saved its state at its wall time is queued again", ge=0, digest=False
    )
    poll_s: float = setting(
        default=5.0, help="time between checks of the queue", unit="s", ge=0.2, le=600, digest=False
    )
    store: StepPlacement = _table("the store")
    training: StepPlacement = _table("trainings, one task for each")
    scores: StepPlacement = _table("scores, one task for each fold")
    decision: StepPlacement = _table("thresholds")
    calibration: StepPlacement = _table("the calibration")
    second_stage: StepPlacement = _table("the second stage")
    evaluation: StepPlacement = _table("figures")
    noise_gate: StepPlacement = _table("the noise gate")
    bundle: StepPlacement = _table("the bundle")
    report: StepPlacement = _table("the report page")
    benchmark_scores: StepPlacement = _table("scores of the benchmark, one task for each model and window")
    benchmark_evaluation: StepPlacement = _table("decisions and figures of the benchmark, one task for each model")

    def __post_init__(self) -> None:
        """Refuse what would be more than one word of an sbatch line."""
        _refuse(self)

    def placed(self, step: str) -> StepPlacement:
        """Where a step runs, with everything that ``[jobs]`` says for all.

        >>> JobsSettings(on="slurm", cpus=4, training=StepPlacement(cpus=8)).placed("training").cpus
        8
        """
        own = getattr(self, step, StepPlacement()) if step in {spec.name for spec in fields(self)} else StepPlacement()
        given: dict[str, Any] = {}
        for spec in fields(StepPlacement):
            mine, general = getattr(own, spec.name), getattr(self, spec.name)
            if isinstance(mine, tuple):
                given[spec.name] = (*general, *mine)
            else:
                given[spec.name] = mine if mine != spec.default else general
        out = StepPlacement(**given)
        cap = out.max_concurrent or _KNOWN_CAPS.get(step, 0)
        return replace(out, on=out.on or "local", gpus=max(0, out.gpus), max_concurrent=cap)
