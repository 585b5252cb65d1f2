"""Step ``heads``: fit a head to the cached embeddings for each held-out fold, and one to all recordings."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.train.heads.fitted_heads import FittedHeads
from ossicle.app.steps.train.heads.head_run import fit_missing_heads, head_settings, write_head_run
from ossicle.app.steps.train.model_units import model_units
from ossicle.app.steps.train.tracked_training import tracked_training
from ossicle.artefacts.array_files.arrays import arrays_to_bytes
from ossicle.artefacts.files import whole_file
from ossicle.artefacts.filesystem.changes import make_folder
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.states import HeadsFolder, StateDatasetFolder
from ossicle.audio.encoders.acoustic import level_direction
from ossicle.core.errors import SplitError

if TYPE_CHECKING:
    from ossicle.evaluation.states.recordings import LabelledWindows
    from ossicle.training.heads.stage_two import StageTwoFit
    from ossicle.training.heads.windows import HeadWindows

STEP_VERSION = 2
# From this many groups on, the inner split for the number of epochs divides groups; below it, recordings.
_ENOUGH_GROUPS = 10


def run(context: Context) -> None:
    """Fit all heads that are not fitted yet, one after the other: each takes seconds."""
    output = context.own(HeadsFolder)
    fit_missing_heads(context, output.is_done, partial(_fit, context))
    output.write_summary({name: output.fit(name) for name in context.read(DatasetFolder).models})


def _fit(context: Context, name: str) -> None:
    # Torch is an optional extra, needed only for actual training.
    from ossicle.evaluation.ground_truth import read_truth
    from ossicle.evaluation.states.recordings import labelled_windows
    from ossicle.models.predictor import use_threads
    from ossicle.models.weights import save_weights
    from ossicle.training.heads.fit import fit_head
    from ossicle.training.heads.stage_two import fit_stage_two

    settings, output = context.project.settings, context.own(HeadsFolder)
    windows = labelled_windows(read_truth(context.read(CorpusFolder), context.read(DatasetFolder)), _features(context))
    held_out = context.read(DatasetFolder).models[name]
    ids = [key for key in windows.ids if windows.folds[key] not in held_out]
    use_threads(settings.training.threads)
    material = training_windows(context, windows, ids)
    stage_two: dict[str, Any] = {}
    if settings.head.unfreeze_blocks:
        heads = FittedHeads(context.project, _features(context), output, len(windows.labels))
        both = fit_stage_two(heads.network, material, settings.head, settings.training.seed)
        stage_two = {"stage_two": _stage_two(both)}
        if both.tail is not None:
            make_folder(output.run(name).path)
            save_weights(both.tail, output.tail_file(name))
        context.progress.say(f"{name}: {stage_two_in_words(stage_two['stage_two'])}")
        head_fit = both.first
    else:
        head_fit = fit_head(material, settings.head, settings.training.seed)
    tracked = tracked_training(context.project, name, windows.labels, heads=True)
    write_head_run(output.run(name), head_fit, windows.labels, tracked)
    level = _fit_level(context, name, windows, ids)
    output.write_fit(
        name,
        {
            "epochs": head_fit.epochs,
            "epochs_chosen_on": list(head_fit.held_out_groups),
            "recordings": len(ids),
            "windows": len(material.features),
            "trained": list(head_fit.trained),
            **stage_two,
            **level,
        },
    )


def _fit_level(context: Context, name: str, windows: "LabelledWindows", ids: Sequence[str]) -> dict[str, Any]:
    """Fit the class models of a model to its recordings as they are, and say in how many joint states."""
    from ossicle.training.heads.level_fit import fit_level

    level = context.project.settings.head.level
    # Loading the project refuses it with another encoder than acoustic.
    if not level.follow:
        return {}
    material = training_windows(context, windows, ids, copies=0)
    on = material.targets == 1
    model = fit_level(material.features[:, 0], on, material.known, level_direction(), level.shrinkage)
    if model is None:
        context.progress.say(f"{name}: the level is not followed: a label has windows of one state only")
        return {"level": None}
    with whole_file(context.own(HeadsFolder).level_file(name)) as part:
        part.write_bytes(arrays_to_bytes(model.arrays(), {}))
    return {"level": {"joint_states": len(model.states)}}


def _stage_two(stage_two_fit: "StageTwoFit") -> dict[str, Any]:
    return {
        "kept": stage_two_fit.kept,
        "stage_one": stage_two_fit.stage_one,
        "stage_two": stage_two_fit.stage_two,
        "held_out": list(stage_two_fit.held_out_groups),
        "trained": list(stage_two_fit.trained),
        "frozen": list(stage_two_fit.frozen),
    }


def stage_two_in_words(heads: Mapping[str, Any]) -> str:
    """Return what became of stage 2, from ``heads.json``.

    >>> stage_two_in_words({"kept": True, "stage_one": 0.9, "stage_two": 0.95})
    'stage 2 is kept: balanced accuracy 0.900 to 0.950 on inner held-out groups'
    """
    if heads["stage_one"] is None:
        return "stage 2 is not kept: too few groups to hold some out within the training set"
    verdict = "kept" if heads["kept"] else "not kept"
    figures = f"{heads['stage_one']:.3f} to {heads['stage_two']:.3f}"
    return f"stage 2 is {verdict}: balanced accuracy {figures} on inner held-out groups"


def training_windows(
    context: Context, windows: "LabelledWindows", ids: Sequence[str], copies: int | None = None
) -> "HeadWindows":
    """Return the windows of recordings that a head is fitted to, with augmented copies if there are any.

    The loudest windows are left out, and so are windows of which no label is known. If the head reads the mean of the
    tokens, means are all that is kept in memory.

    Parameters
    ----------
    context
        The inputs of a step that needs ``dataset`` and ``features``.
    windows
        The labels.
    ids
        The recordings.
    copies
        Copies to read of each recording; None: all.

    Raises
    ------
    SplitError
        There is no window with a known label.
    """
    from ossicle.training.heads.windows import HeadWindows

    head = context.project.settings.head
    # Blocks of the encoder that are trained need every token.
    features, mean = _features(context), head.pooling == "mean" and head.unfreeze_blocks == 0
    starts = context.read(StateDatasetFolder).windows.partition_by("recording_id", as_dict=True)
    by_group = len({windows.groups[key] for key in ids}) >= _ENOUGH_GROUPS
    parts: list[NDArray[Any]] = []
    targets: list[NDArray[np.int8]] = []
    groups: list[str] = []
    for key in ids:
        truth = windows.truth[key]
        is_kept = np.zeros(len(truth), dtype=np.bool_)
        if (recording_starts := starts.get((key,))) is not None:
            rows = np.rint(recording_starts["start_s"].to_numpy() / features.hop_s).astype(np.int64)
            is_kept[rows[rows < len(truth)]] = True
        is_kept &= (truth != -1).any(axis=1)
        for copy in range((features.copies if copies is None else copies) + 1):
            tokens = np.asarray(features.copy(key, copy)[is_kept])
            parts.append(tokens.astype(np.float32).mean(axis=1, keepdims=True) if mean else tokens)
            targets.append(truth[is_kept])
            groups += [windows.groups[key] if by_group else key] * int(is_kept.sum())
    if not groups:
        raise SplitError("no window of the training recordings has a known label; set a shorter [features] window_s")
    truths = np.concatenate(targets)
    return HeadWindows(
        np.concatenate(parts),
        (truths == 1).astype(np.float32),
        truths != -1,
        np.ones(len(groups), dtype=np.float32),
        np.array(groups),
    )


def _features(context: Context) -> FeaturesFolder:
    return context.read(FeaturesFolder)


STEP = Step(
    name=HeadsFolder.step,
    version=STEP_VERSION,
    needs=("corpus", "dataset", "features"),
    settings=head_settings,
    run=run,
    logs=HeadsFolder.LOGS,
    work_units=model_units(_fit, lambda folder, name: HeadsFolder(folder).is_done(name)),
)
