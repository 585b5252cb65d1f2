"""What the logs of trainings say in words: their curves, whether they waited for data, what trackers missed."""

import math
import os
from collections import defaultdict
from collections.abc import Mapping
from statistics import median

from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.core.text.rounding import rounded
from ossicle.metrics.curves.diagnosis import diagnose
from ossicle.training.settings import TrainingSettings

_WAITING = 0.4
"""Share of waiting for data beyond which a training is bound by its loader."""
_NAMED = 4


def training_notes(runs: Mapping[str, RunFolder], training: TrainingSettings, n_cores: int | None = None) -> list[str]:
    """Return all lines about the trainings of a run, for a terminal.

    Parameters
    ----------
    runs
        Run folders by model.
    training
        The settings of the trainings.
    n_cores
        Cores of this machine; None: found here.
    """
    advice = loader_advice(runs, training, n_cores or os.cpu_count() or 1)
    return [*curve_notes(runs), *filter(None, [advice]), *_tracking_problems(runs)]


def curve_notes(runs: Mapping[str, RunFolder]) -> list[str]:
    """Return a line for each kind of finding: the models with its epoch, counted from 0 as in the curves, and the
    likely cause.
    """
    places_by_finding: dict[tuple[str, str], list[str]] = defaultdict(list)
    for model, run in runs.items():
        for finding in diagnose(run.epochs()):
            places_by_finding[finding.kind, finding.cause].append(f"{model} from epoch {finding.epoch}")
    return [
        f"training: {kind} ({_first_names(places)}); likely cause: {cause}"
        for (kind, cause), places in places_by_finding.items()
    ]


def loader_advice(runs: Mapping[str, RunFolder], training: TrainingSettings, n_cores: int) -> str:
    """Return one line if the trainings waited for data, with what to set; else nothing."""
    waits, rates = [], []
    for run in runs.values():
        # The first epoch includes the start of processes and files that no cache holds yet.
        lines = [line for line in run.epochs() if "data_wait" in line][1:]
        if lines:
            waits.append(median(line["data_wait"] for line in lines))
            rates.append(median(line["samples_per_s"] for line in lines))
    if not waits or median(waits) <= _WAITING:
        return ""
    share = median(waits)
    n_workers = training.workers + max(1, math.ceil(min(share / (1 - min(share, 0.99)), 8)))
    set_ = f"set training.workers = {n_workers} (now {training.workers}): processes that read ahead"
    if training.parallel * (1 + n_workers) > n_cores and len(runs) > 1:
        set_ += f", and training.parallel = {max(1, n_cores // (1 + n_workers))} for this machine's {n_cores} cores"
    return (
        f"training: waited for data in {share:.0%} of the time, at {rounded(median(rates))} samples/s; {set_}. "
        "Recordings in the store, and features.cache = true, take less time to read"
    )


def _tracking_problems(runs: Mapping[str, RunFolder]) -> list[str]:
    models_by_problem: dict[str, list[str]] = defaultdict(list)
    for model, run in runs.items():
        for tracker, problem in run.tracking.get("problems", {}).items():
            models_by_problem[f"tracking: {tracker} failed: {problem}"].append(model)
    return [
        f"{line} ({_first_names(models)}); `ossicle track sync` starts from the log"
        for line, models in models_by_problem.items()
    ]


def _first_names(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
