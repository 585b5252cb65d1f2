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
        taught_lesson = lesson(source, context.project.settings.plan, folds, name)
        described[name] = {
            "rounds": [
                {"round": round_number, "digest": digest, "view": view}
                for round_number, digest, view in taught_lesson.views
            ],
            "windows": len(taught_lesson.windows),
            "recordings": len(taught_lesson.heard()),
            "labels": taught_lesson.windows.counts(),
            "unused": dict(taught_lesson.unused),
        }
        rows += [(name, _HEARD, value) for value in taught_lesson.heard()]
        rows += [(name, kind, value) for kind in _KINDS for value in getattr(taught_lesson.taught, kind)]
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

    model_rows = training.taught.filter(training.taught["model"] == model)
    heard, *taught = (
        frozenset(model_rows.filter(model_rows["kind"] == kind)["value"].to_list()) for kind in (_HEARD, *_KINDS)
    )
    return heard, Labelled(*taught)


def pseudo_in_words(training: TrainingFolder) -> str:
    """Describe in one line the pseudo-labels that trained the models; empty if there were none."""
    summary = training.summary
    described: Mapping[str, Any] = summary.get("pseudo", {})
    if not described:
        return ""
    rounds = sorted({round_row["round"] for model_rounds in described.values() for round_row in model_rounds["rounds"]})
    # The file sorts its keys, and the final model must come last.
    names = sorted(described, key=lambda name: (not summary["held_out"][name], name))
    counts = ", ".join(f"{name} {described[name]['windows']}" for name in names)
    return f"pseudo-labelled windows of {', '.join(rounds)}: {counts}"
