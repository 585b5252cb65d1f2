"""Pseudo-labels of a training: pass them to it, and record them with its models.

The summary of the training then holds, by model, the rounds and views, the windows by label, and what was not used and
why. Its table holds the unlabelled recordings that each model was trained on, and all labelled recordings that shaped
it through other models.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ossicle.app.project.load import Project
from ossicle.app.steps.data.unlabelled import group_field, teaching_rounds
from ossicle.app.steps.engine.step import Context
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder, UnlabelledFolder
from ossicle.artefacts.typed.shards.store import UnlabelledStoreFolder
from ossicle.artefacts.typed.training import TrainingFolder
from ossicle.corpus.pseudo_labels.rounds import round_digest

if TYPE_CHECKING:
    from ossicle.corpus.pseudo_labels.windows import Labelled
    from ossicle.training.batches.pseudo import PseudoSource

_HEARD, _KINDS = "heard", ("ids", "digests", "groups")


def pseudo_settings(project: Project) -> dict[str, Any]:
    """Return the pseudo-label settings that shape a training; empty if it uses no round."""
    if not teaching_rounds(project):
        return {}
    settings = project.settings.pseudo
    drawn = {"probability": settings.probability, "same_class": settings.same_class}
    return {"pseudo": {**drawn, "group": group_field(project)}}


def pseudo_inputs(project: Project) -> dict[str, str]:
    """Return the digests of the rounds that a training uses."""
    return {path.name: round_digest(path) for path in teaching_rounds(project)}


def pseudo_source(context: Context) -> "PseudoSource | None":
    """Return where the trainings of the step find their pseudo-labels; None if they use no round."""
    from ossicle.training.batches.pseudo import PseudoSource

    rounds = teaching_rounds(context.project)
    if not rounds:
        return None
    settings = context.project.settings
    return PseudoSource(
        rounds=tuple(rounds),
        dataset=context.read(DatasetFolder),
        corpus=context.read(CorpusFolder),
        unlabelled=context.read(UnlabelledFolder),
        store=context.read(UnlabelledStoreFolder).path,
        group=settings.split.group,
        own_group=group_field(context.project),
        settings=settings.pseudo,
    )


def write_taught(context: Context, models: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """Write which pseudo-labels trained each model, and return the summary's entry; empty if they use no round."""
    from ossicle.training.batches.pseudo import lesson

    source = pseudo_source(context)
    if source is None:
        return {}
    described: dict[str, Any] = {}
    rows: list[tuple[str, str, str]] = []
    for name, folds in models.items():
        found = lesson(source, context.project.settings.plan, folds, name)
        described[name] = {
            "rounds": [{"round": one, "digest": digest, "view": view} for one, digest, view in found.views],
            "windows": len(found.windows),
            "recordings": len(found.heard()),
            "labels": found.windows.counts(),
            "unused": dict(found.unused),
        }
        rows += [(name, _HEARD, value) for value in found.heard()]
        rows += [(name, kind, value) for kind in _KINDS for value in getattr(found.taught, kind)]
    context.own(TrainingFolder).write_taught(rows)
    return {"pseudo": described}


def read_taught(training: TrainingFolder, model: str) -> "tuple[frozenset[str], Labelled]":
    """Read which recordings shaped a model through pseudo-labels.

    Parameters
    ----------
    training
        The artefact of the training.
    model
        The name of the model.

    Returns
    -------
    tuple[frozenset[str], Labelled]
        The unlabelled recordings (ids) that it was trained on, and the labelled recordings that trained the models
        behind their pseudo-labels. Both are empty if the model used no round.
    """
    from ossicle.corpus.pseudo_labels.windows import Labelled

    of = training.taught.filter(training.taught["model"] == model)
    heard, *taught = (frozenset(of.filter(of["kind"] == kind)["value"].to_list()) for kind in (_HEARD, *_KINDS))
    return heard, Labelled(*taught)


def pseudo_in_words(training: TrainingFolder) -> str:
    """Describe in one line the pseudo-labels that trained the models; empty if there were none."""
    made = training.summary
    described: Mapping[str, Any] = made.get("pseudo", {})
    if not described:
        return ""
    rounds = sorted({one["round"] for of in described.values() for one in of["rounds"]})
    # The file sorts its keys, and the final model must come last.
    names = sorted(described, key=lambda name: (not made["held_out"][name], name))
    counts = ", ".join(f"{name} {described[name]['windows']}" for name in names)
    return f"pseudo-labelled windows of {', '.join(rounds)}: {counts}"
