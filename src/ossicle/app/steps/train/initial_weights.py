"""Step ``initial_weights``: the weights from which each model starts, of another variant, a folder or a bundle.

Only projects with ``[training] init_from`` have it. Each model starts from the one that holds out the same folds, so
no model starts from weights that learned from what it is judged on.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ossicle.app.project.bundle_places import bundle_folder
from ossicle.app.project.load import Project, load_project
from ossicle.app.project.variants.starting_variant import overrides_for_start
from ossicle.app.steps.engine.step import Context, Progress, Step, run_steps
from ossicle.artefacts.files import file_digest, whole_file
from ossicle.artefacts.filesystem.changes import copy_file
from ossicle.artefacts.shelf import MANIFEST, Shelf
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.training import InitialWeightsFolder, TrainingFolder
from ossicle.bundle.format import read_bundle
from ossicle.bundle.manifest import MANIFEST as BUNDLE_MANIFEST
from ossicle.core.errors import UsageError
from ossicle.core.settings import digestible

STEP_VERSION = 1
NEEDS = ("corpus", "dataset", "store")
_NETWORK = ("model", "frontend", "plan")
_MOST_NAMED = 3

StepsOf = Callable[[Project], tuple[Step, ...]]
"""Returns the steps of a project."""
Judge = Callable[[Project, Sequence[Step], Progress], None]
"""Judges a variant whose training others start from, and raises GateRefused if a gate refuses it."""


def started_chain(
    steps: tuple[Step, ...], project: Project, trained: str, steps_of: StepsOf, judge: Judge
) -> tuple[Step, ...]:
    """Return the steps of a project: with ``[training] init_from``, the step ``trained`` starts from the weights that a
    step before it brings, if ``judge`` lets the variant pass that they are from.
    """
    if not project.settings.training.init_from:
        return steps
    source = _Source(trained, steps_of, judge)
    step = Step(
        name=InitialWeightsFolder.step,
        version=STEP_VERSION,
        needs=NEEDS,
        settings=source.settings,
        run=source.run,
        extra=source.digests,
    )
    chain: list[Step] = []
    for chain_step in steps:
        chain += [step, after_initial_weights(chain_step)] if chain_step.name == trained else [chain_step]
    return tuple(chain)


def after_initial_weights(step: Step) -> Step:
    """Return a step that also reads the initial weights."""
    return replace(step, needs=(*step.needs, InitialWeightsFolder.step))


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the weights of a project come from.

    ``trained``: the name of the step that trains; ``steps_of``: returns the steps of a project; ``judge``: the probe
    gate.
    """

    trained: str
    steps_of: StepsOf
    judge: Judge

    def settings(self, project: Project) -> Mapping[str, Any]:
        """Return what shapes the trainings of the other variant and is no input of this step; its name does not."""
        if (parent := _variant(project)) is None:
            return {}
        return {
            step.name: [step.version, dict(step.settings(parent))] for step in self._steps_of_parent(project, parent)
        }

    def digests(self, project: Project) -> Mapping[str, str]:
        """Return the digests of the files of a folder, or of the further inputs of the other variant's steps."""
        parent = _variant(project)
        if parent is None:
            training = _folder(project)
            return {f"weights of {run.path.name}": file_digest(run.weights) for run in training.runs() if run.done}
        steps = self._steps_of_parent(project, parent)
        return {f"{step.name}: {key}": digest for step in steps for key, digest in step.extra(parent).items()}

    def run(self, context: Context) -> None:
        """Train the other variant if it is not trained, and copy the weights of each model."""
        project, dataset = context.project, context.read(DatasetFolder)
        parent = _variant(project)
        if parent is None:
            training = _folder(project)
            parent_dataset = _inputs_of(training).get(DatasetFolder.step, "")
            if parent_dataset != dataset.content:
                raise UsageError(
                    f"{_where(project)}: was trained on another dataset, so its models may have learned from what is "
                    "held out here; give the trainings of this project, or the name of a variant"
                )
        else:
            chain, progress = self._chain(parent), _Inside(parent.variant, context.progress)
            upto = next(index for index, step in enumerate(chain) if step.name == DatasetFolder.step) + 1
            before = DatasetFolder.among(run_steps(chain[:upto], parent, progress).artefacts)
            _require_labels(project, dataset, before.labels)
            if before.content != dataset.content:
                _require_unseen(project, dataset, before)
            training = TrainingFolder.among(run_steps(chain, parent, progress).artefacts)
            self.judge(parent, self.steps_of(parent), progress)
        _require_labels(project, dataset, tuple(training.summary["labels"]))
        output = context.own(InitialWeightsFolder)
        for name in dataset.models:
            if not training.run(name).done:
                raise UsageError(f"{_where(project)}: has no model {name!r}; train it on the same folds")
            # A step that was killed left some of them in this folder.
            with whole_file(output.weights(name)) as part:
                copy_file(training.run(name).weights, part)
        output.write_source({name: training.run(name).selection.get("inner_groups", ()) for name in dataset.models})

    def _chain(self, project: Project) -> tuple[Step, ...]:
        """Return the steps of a project up to its training."""
        steps = self.steps_of(project)
        return steps[: [step.name for step in steps].index(self.trained) + 1]

    def _steps_of_parent(self, project: Project, parent: Project) -> Iterator[Step]:
        """Yield the steps of the other variant whose results are no inputs of this step."""
        for step in self._chain(parent):
            shared = step.name in NEEDS and dict(step.settings(parent)) == dict(step.settings(project))
            if not shared:
                yield step


class _Inside:
    """Shows the steps of another variant as parts of one step."""

    def __init__(self, variant: str, progress: Progress) -> None:
        self._variant, self._progress, self._step = variant, progress, ""

    def begin(self, step: str) -> None:
        """Note which step runs."""
        self._step = step

    def advance(self, done: int, total: int, note: str = "") -> None:
        """Pass on how far the step is, with its name."""
        self._progress.advance(done, total, f"{self._variant}, {self._step}: {note}" if note else self._variant)

    def say(self, line: str) -> None:
        """Pass on a line, with the name of the variant."""
        self._progress.say(f"{self._variant}: {line}")

    def end(self, step: str, outcome: str, seconds: float) -> None:
        """Say that a step was computed."""
        if outcome == "computed":
            self._progress.say(f"{self._variant}: {step} computed")


def _variant(project: Project) -> Project | None:
    """Return the variant to start from; None if ``init_from`` is a folder or a promoted bundle.

    Raises
    ------
    UsageError
        The variant has another network.
    """
    named = project.settings.training.init_from
    if named not in project.variants:
        return None
    parent = load_project(project.file, overrides_for_start(project.overrides), project.data_root, named)
    ours, parent_network = (
        {name: digestible(getattr(project_of.settings, name)) for name in _NETWORK} for project_of in (project, parent)
    )
    _require_network(project, ours, parent_network)
    return parent


def _folder(project: Project) -> TrainingFolder:
    """Return the trainings that ``init_from`` names by their folder, or by a bundle that was made from them.

    Raises
    ------
    UsageError
        The folder holds no trainings, or those of another network; or those of the bundle are not in the data root.
    BundleError
        The bundle is damaged.
    """
    folder = bundle_folder(project.settings.training.init_from, project, project.folder)
    training = TrainingFolder(_made_from(project, folder) if (folder / BUNDLE_MANIFEST).is_file() else folder)
    if not (training.manifest_file.is_file() and training.summary_file.is_file()):
        raise UsageError(
            f"{_where(project)}: is no variant of the project, no folder of trainings and no bundle; give the name of "
            "a variant, the folder of an artefact `training` in a data root, or registry:NAME@current. One file of "
            "weights does not say what it learned from; weights of a backbone go into training.pretrained"
        )
    made_from = Shelf(training.path.parent).manifest(training.path)["settings"]
    ours = {name: digestible(getattr(project.settings, name)) for name in _NETWORK}
    _require_network(project, ours, {name: made_from[name] for name in _NETWORK})
    return training


def _made_from(project: Project, bundle: Path) -> Path:
    """Return the trainings of the data root that a bundle was made from: its own weights learned from every fold."""
    content, shelf = read_bundle(bundle).provenance.get(TrainingFolder.step), Shelf(project.data_root)
    for file in sorted((shelf.root / TrainingFolder.step).glob(f"*/{MANIFEST}")):
        if shelf.content(file.parent) == content:
            return file.parent
    raise UsageError(
        f"{_where(project)}: the trainings that {bundle} was made from are not in {project.data_root}, and the model "
        "in the bundle learned from recordings that are held out here; give the folder of its artefact `training` in "
        "the data root where it was made, or the name of a variant"
    )


def _inputs_of(training: TrainingFolder) -> Mapping[str, str]:
    inputs: Mapping[str, str] = Shelf(training.path.parent).manifest(training.path)["inputs"]
    return inputs


def _require_network(project: Project, ours: Mapping[str, Any], parent_network: Mapping[str, Any]) -> None:
    """Raise UsageError with the settings in which two networks differ."""
    own_values, other = dict(_flat(ours)), dict(_flat(parent_network))
    keys = [key for key in sorted(own_values.keys() | other.keys()) if own_values.get(key) != other.get(key)]
    if not keys:
        return
    named = "; ".join(
        f"{key} is {other.get(key)!r} there and {own_values.get(key)!r} here" for key in keys[:_MOST_NAMED]
    )
    more = f"; and {len(keys) - _MOST_NAMED} more" if len(keys) > _MOST_NAMED else ""
    raise UsageError(f'{_where(project)}: has another network: {named}{more}; make them equal, or set init_from = ""')


def _flat(tables: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tables.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", list(value) if isinstance(value, tuple) else value


def _require_labels(project: Project, dataset: DatasetFolder, parent_labels: tuple[str, ...]) -> None:
    """Raise UsageError unless the labels are the same."""
    if parent_labels == dataset.labels:
        return
    missing, more = sorted(set(dataset.labels) - set(parent_labels)), sorted(set(parent_labels) - set(dataset.labels))
    parts = [f"{difference} {', '.join(map(repr, names[:_MOST_NAMED]))}" for difference, names in
             (("without", missing), ("with", more)) if names]  # fmt: skip
    raise UsageError(
        f"{_where(project)}: has other labels, {' and '.join(parts)}; start from a variant with the same labels, or "
        'set init_from = ""'
    )


def _require_unseen(project: Project, ours: DatasetFolder, parent_dataset: DatasetFolder) -> None:
    """Raise UsageError if a model would start from one that learned from a recording or group that it holds out."""
    for name, folds in ours.models.items():
        held = ours.clips.where(ours.clips.held_out_in(folds))
        if name not in parent_dataset.models:
            raise UsageError(f"{_where(project)}: has no model {name!r}; train it on the same folds")
        learned = parent_dataset.clips.where(~parent_dataset.clips.held_out_in(parent_dataset.models[name]))
        for noun, held_out_items, other in (
            ("recording", set(held.recording_ids), set(learned.recording_ids)),
            ("group", _groups(held), _groups(learned)),
        ):
            if leaked := sorted(held_out_items & other):
                raise UsageError(
                    f"{_where(project)}: its model {name!r} learned from {len(leaked)} {noun}(s) that {name!r} holds "
                    f"out here (first: {leaked[0]}); give both variants the same [split] and [dataset]"
                )


def _groups(clips: Any) -> set[str]:
    return {clips.group_names[code] for code in set(clips.group.tolist())} - {""}


def _where(project: Project) -> str:
    training = project.settings.training
    return f'{project.origin("training", "init_from")}: [training] init_from = "{training.init_from}"'
