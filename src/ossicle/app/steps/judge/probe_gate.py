"""The probe gate: judge a part of the held-out clips of a warm-up before the training that starts from it.

Results are kept in the data root, so that the next run of the same variant can be compared with them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import LOCK_WAIT_S, Progress, Step, run_steps
from ossicle.app.steps.judge.held_out_answers import held_out_answers
from ossicle.artefacts.locks.lock import work_unit_lock
from ossicle.artefacts.logs.lines import append_line, read_lines
from ossicle.artefacts.shelf import Shelf
from ossicle.artefacts.typed.scores import ClipScoresFolder
from ossicle.core.errors import GateRefused, UsageError

if TYPE_CHECKING:
    from ossicle.evaluation.gates.gate_line import GateLine

HISTORY = "probes.jsonl"
"""In the data root: one line for each run that was judged."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What the probe gate found: lines, number of clips, labels of which no clip was recognised."""

    name: str
    lines: tuple["GateLine", ...]
    n_clips: int
    zero_recall: tuple[str, ...]

    @property
    def refusal(self) -> GateRefused | None:
        """Why the gate refused, each failed line on a line of its own; None if it passed."""
        reasons = [f"  {line.in_words}" for line in self.lines if not line.passed]
        if not reasons:
            return None
        zeros = f"\nno clip was recognised of: {', '.join(self.zero_recall)}" if self.zero_recall else ""
        listed_reasons = "\n".join(reasons)
        return GateRefused(
            f"the probe gate refused {self.name} on {self.n_clips} held-out clips:\n{listed_reasons}{zeros}\n"
            "the limits are [probe_gate] in the project file"
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "name": self.name,
            "passed": self.refusal is None,
            "n_clips": self.n_clips,
            "zero_recall": list(self.zero_recall),
            "lines": [line.to_json() for line in self.lines],
        }


def require_passed(project: Project, steps: Sequence[Step], progress: Progress) -> None:
    """Run a variant up to the scores of its held-out clips and judge it, if it has a probe gate.

    Parameters
    ----------
    project
        The variant from whose weights another one is about to start.
    steps
        All its steps.
    progress
        Where the steps report how far they are.

    Raises
    ------
    GateRefused
        A line of the gate failed.
    UsageError
        The project judges no clips.
    """
    if not project.settings.probe_gate.active:
        return
    require_probe_gate(project)
    upto = [step.name for step in steps].index(ClipScoresFolder.step) + 1
    probe = judged_probe(project, run_steps(steps[:upto], project, progress).artefacts)
    if probe.refusal is not None:
        raise GateRefused(f"no training starts from the variant {project.variant}, because {probe.refusal}")


def require_probe_gate(project: Project) -> None:
    """Raise UsageError if a project has no probe gate, or judges no clips."""
    if not project.settings.probe_gate.active:
        raise UsageError(f"{project.file}: [probe_gate] sets no limit; set accuracy, buckets or pairs")
    if not project.settings.evaluation.kind.judges_clips:
        raise UsageError(
            f'{project.file}: [probe_gate] judges clips, but evaluation.criterion = "'
            f'{project.settings.evaluation.criterion}"; set criterion = "clips", or remove [probe_gate]'
        )
    if not project.settings.split.kind.judges_recordings:
        raise UsageError(
            f'{project.file}: [probe_gate] judges held-out clips, but split.strategy = "'
            f'{project.settings.split.strategy}" holds out no recording; set strategy = "grouped"'
        )


def judged_probe(project: Project, artefacts: Mapping[str, Path]) -> Probe:
    """Judge the scored clips among artefacts, and record the result if they were not judged before."""
    from ossicle.evaluation.gates.probe import confusion_shares, labels_without_recall, probe_lines

    settings = project.settings
    answers = held_out_answers(artefacts)
    assert answers is not None
    figures = answers.part(settings.probe_gate, settings.evaluation.fraction).figures()
    content = Shelf(project.data_root).content(artefacts[ClipScoresFolder.step])
    name, file = settings.project.name, project.data_root / HISTORY
    lines = tuple(probe_lines(figures, settings.probe_gate, _previous(project, content)))
    zeros = tuple(labels_without_recall(figures))
    probe = Probe(f"{name} (variant {project.variant})" if project.variant else name, lines, figures.n_clips, zeros)
    entry = {
        "project": _family(project),
        "variant": project.variant,
        "content": content,
        "clips": figures.n_clips,
        "accuracy": figures.accuracy,
        "recall": {label: figures.recall(label) for label in figures.labels},
        "confusions": confusion_shares(figures, settings.probe_gate),
        "failed": [line.in_words for line in lines if not line.passed],
    }
    # A promotion judges without the lock of the data root.
    with work_unit_lock(project.data_root, "probes", LOCK_WAIT_S):
        earlier = [record for _, record in read_lines(file)]
        if not earlier or {key: earlier[-1].get(key) for key in entry} != entry:
            append_line(file, {"time": datetime.now(UTC).isoformat(timespec="seconds"), **entry})
    return probe


def _previous(project: Project, content: str) -> Mapping[str, Any] | None:
    """Return the confusions of the last other run of the variant, else of the variant that it starts from."""
    family = _family(project)
    earlier = [
        record
        for _, record in read_lines(project.data_root / HISTORY)
        if record.get("project") == family
        and record.get("content") != content
        and isinstance(record.get("confusions"), dict)
    ]
    start = project.settings.training.init_from
    for variant in (project.variant, start):
        of_variant = [record for record in earlier if record.get("variant") == variant]
        if of_variant:
            confusions: Mapping[str, Any] = of_variant[-1]["confusions"]
            return confusions
        if not start:
            break
    return None


def _family(project: Project) -> str:
    """Return the name of the project without that of its variant."""
    return project.settings.project.name.removesuffix(f"-{project.variant}")
