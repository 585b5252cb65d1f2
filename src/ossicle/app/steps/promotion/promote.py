"""Promote a finished run to the registry, or refuse it; ``ossicle run`` never does this."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ossicle.app.project.bundle_places import registry_folder
from ossicle.app.project.load import Project
from ossicle.app.steps.judge.probe_gate import judged_probe, require_probe_gate
from ossicle.app.steps.maintenance.pins import keep
from ossicle.app.steps.pipeline.pipelines import pipeline_of
from ossicle.app.steps.promotion.card import promotion_card
from ossicle.app.steps.promotion.finished_run import FinishedRun, finished_run
from ossicle.app.steps.promotion.same_clips import same_clips, write_answers
from ossicle.artefacts.files import file_digest
from ossicle.artefacts.logs.environment import environment
from ossicle.bundle.format import read_bundle
from ossicle.bundle.manifest import MANIFEST
from ossicle.bundle.registry.references import PREFIX
from ossicle.bundle.registry.registry import Candidate, Judgement, Outcome, Registry
from ossicle.bundle.registry.version import Version
from ossicle.core.digest import digest
from ossicle.core.errors import GateRefused
from ossicle.evaluation.gates.gate_line import GateLine, failed
from ossicle.evaluation.gates.promotion import promotion_lines

_LONGEST_PIN = 80


@dataclass(frozen=True, slots=True)
class Promotion:
    """A promotion or a refusal: the name, the registry, how it ended, and the lines of the gates."""

    name: str
    registry: Registry
    outcome: Outcome
    lines: tuple[GateLine, ...]

    @property
    def reference(self) -> str:
        """``registry:NAME@NUMBER`` of the version that is current now; empty if there is none."""
        number = self.outcome.number if self.outcome.promoted else self.outcome.against
        return "" if number is None else f"{PREFIX}{self.name}@{number}"

    @property
    def refusal(self) -> GateRefused | None:
        """Why the run was refused, each failed line on a line of its own; None if it was promoted."""
        if self.outcome.promoted:
            return None
        consequence = (
            f"version {self.outcome.against} stays current" if self.outcome.against else "nothing was promoted"
        )
        reasons = "\n".join(f"  {reason}" for reason in self.outcome.reasons)
        return GateRefused(
            f"the promotion gate refused the run for {self.name!r}; {consequence}:\n{reasons}\n"
            f"see {self.outcome.path}; the limits are [promotion] and [probe_gate] in the project file"
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "name": self.name,
            "promoted": self.outcome.promoted,
            "number": self.outcome.number,
            "against": self.outcome.against,
            "reference": self.reference,
            "folder": str(self.outcome.path),
            "failed": list(self.outcome.reasons),
            "lines": [line.to_json() for line in self.lines],
        }


def promote(project: Project, name: str = "") -> Promotion:
    """Judge the finished run of a project or variant, and promote or refuse it.

    Parameters
    ----------
    project
        The project or variant; all its steps must be finished.
    name
        The name in the registry; by default that of the project.

    Raises
    ------
    UsageError
        A step is not finished, nothing was evaluated, or the name is not plain.
    BundleError
        The promoted version that the run would be compared with is damaged.
    """
    run = finished_run(project, "promote")
    name = name or project.settings.project.name
    metrics, bundle = run.metrics, read_bundle(run.bundle)
    origin = {"project": project.settings.project.name, "variant": project.variant}
    judged: list[GateLine] = []

    def judge(against: Version | None) -> Judgement:
        judged[:] = gate_lines(run, metrics, against)
        lines = tuple(judged)
        return Judgement(
            {"passed": all(line.passed for line in lines), "lines": [line.to_json() for line in lines]},
            failed(lines),
            lambda number: promotion_card(name, number, bundle, lines, metrics, origin, against),
        )

    candidate = Candidate(
        run.bundle,
        metrics,
        {"training": run.environment, "promotion": environment()},
        origin,
        lambda folder: write_answers(run, folder),
        lambda number: _keep(run, name, number),
    )
    registry = Registry(registry_folder(project))
    return Promotion(name, registry, registry.propose(name, candidate, judge), tuple(judged))


def promoted_before(project: Project, name: str = "") -> str:
    """Return ``registry:NAME@NUMBER`` if the current version is this very run and still passes; empty if not.

    Parameters
    ----------
    project
        The project or variant; all its steps must be finished.
    name
        The name in the registry; by default that of the project.

    Raises
    ------
    UsageError
        A step is not finished, nothing was evaluated, or the name is not plain.
    BundleError
        The current version is damaged.
    """
    run, registry = finished_run(project, "promote"), Registry(registry_folder(project))
    name = name or project.settings.project.name
    number = registry.current(name)
    if number is None or failed(gate_lines(run, run.metrics, None)):
        return ""
    bundles = (run.bundle, registry.open(name, number).bundle)
    run_digest, promoted = (file_digest(bundle / MANIFEST) for bundle in bundles)
    return f"{PREFIX}{name}@{number}" if run_digest == promoted else ""


def gate_lines(run: FinishedRun, metrics: Mapping[str, Any], against: Version | None) -> list[GateLine]:
    """Return the lines of all gates that a run must pass to be promoted."""
    lines: list[GateLine] = []
    if (refused := pipeline_of(run.project).refusal(run.artefacts, run.project)) is not None:
        lines.append(GateLine("noise gate", False, reason=str(refused)))
    if run.project.settings.probe_gate.active:
        require_probe_gate(run.project)
        probed = judged_probe(run.project, run.artefacts).lines
        lines += [replace(gate_line, name=f"probe gate: {gate_line.name}") for gate_line in probed]
    settings = run.project.settings.promotion
    if against is None:
        return [*lines, *promotion_lines(metrics, settings)]
    same = same_clips(run, metrics, against)
    label = f"version {against.number}{same.where}"
    return [
        *lines,
        *promotion_lines(
            metrics, settings, same.promoted, compared=same.own_figures, against=label, other_data=same.other_data
        ),
    ]


def _keep(run: FinishedRun, name: str, number: int) -> None:
    """Make ``ossicle purge`` keep what a version was made from."""
    pin = f"promoted-{name}-{number}"
    if len(pin) > _LONGEST_PIN:
        pin = f"promoted-{digest(name)[:16]}-{number}"
    keep(run.project.data_root, pin, f"version {number} of {name} in the registry", run.contents)
