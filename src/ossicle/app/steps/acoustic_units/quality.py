"""Step ``quality``: how much units say about words they were never told, with groups held out in turn."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.app.project.load import Project
from ossicle.app.steps.acoustic_units.judged_speech import JudgedSpeech
from ossicle.app.steps.acoustic_units.quantiser import groups_of
from ossicle.app.steps.engine.step import LOCK_WAIT_S, Context, Step, WorkUnits
from ossicle.artefacts.filesystem.changes import make_folder, remove_folder
from ossicle.artefacts.locks.lock import work_unit_lock
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.units.quality import QualityFolder
from ossicle.artefacts.typed.units.segments import SegmentsFolder
from ossicle.artefacts.typed.units.sequences import SequencesFolder
from ossicle.core.settings import digestible
from ossicle.core.text.counting import counted
from ossicle.evaluation.units.abx_figures import ACROSS, WITHIN, abx_figures
from ossicle.evaluation.units.hold_outs import hold_outs
from ossicle.evaluation.units.over_folds import UNDEFINED, over_folds, thin_folds
from ossicle.evaluation.units.settings import HOLD_OUT_GROUPS
from ossicle.evaluation.units.unit_figures import Resampling, UnitFigures, unit_figures
from ossicle.evaluation.units.words import JudgedSegment
from ossicle.metrics.units.abx import AbxError
from ossicle.metrics.units.dtw import angles, differing
from ossicle.units.frames import SegmentFrames
from ossicle.units.kmeans.state import Checkpoint
from ossicle.units.normalisation import GROUP
from ossicle.units.normalised import GroupStatistics, group_statistics
from ossicle.units.quantiser_training import TooFewFrames, train_quantiser

STEP_VERSION = 3
IN_SAMPLE, ALL_SPEECH = "in-sample", "all speech"
_BESIDE_VOCODER = "The project's own units were trained without the groups that choose and are judged for the vocoder."


def run(context: Context) -> None:
    """Judge each fold that is not judged yet, and write ``metrics.json``."""
    output = context.own(QualityFolder)
    if output.metrics_file.exists():
        # Killed after it was written: only the figures of the folds remain to be removed.
        remove_folder(output.folds_folder)
        return
    speech, settings = JudgedSpeech.of(context), context.project.settings
    inside = _own_units(context, speech)
    folds: dict[str, Mapping[str, Any]] = {}
    if speech.words is not None and settings.quality.hold_out == HOLD_OUT_GROUPS:
        planned = hold_outs(speech.frames_by_group, settings.quality.folds)
        for number, (name, groups) in enumerate(planned.items()):
            with work_unit_lock(context.folder, _fold_name(number), LOCK_WAIT_S):
                if not output.is_judged(number):
                    output.write_fold(number, _figures_of_fold(context, speech, number, groups))
            folds[name] = output.fold(number)
            context.progress.advance(number + 1, len(planned), "hold-outs")
    judged = folds or {ALL_SPEECH: inside.to_json()}
    reasons = thin_folds(judged)
    output.write_metrics(
        {
            "units": {**over_folds(judged), "folds": folds, **_features(context, speech)},
            "insufficient": bool(reasons),
            **({"insufficient_because": reasons} if reasons else {}),
            "in_sample": {"units": inside.to_json()},
            "notes": _notes(context.project, speech, judged),
            "protocol": _protocol(context.project, speech, len(folds)),
        }
    )
    remove_folder(output.folds_folder)
    if reasons:
        context.progress.say(f"insufficient: {reasons[0]}{f' and {len(reasons) - 1} more' * (len(reasons) > 1)}")


def _fold_name(number: int) -> str:
    return f"fold-{number:03d}"


def _fold_names(inputs: Mapping[str, Path]) -> tuple[str, ...]:
    """Return a name for each group of the judged speech: as many folds as there can be."""
    speech = JudgedSpeech.made_of(
        CorpusFolder.among(inputs), SegmentsFolder.among(inputs), FeaturesFolder.among(inputs)
    )
    groups = 0 if speech.words is None else len(speech.frames_by_group)
    return tuple(map(_fold_name, range(groups))) if groups > 1 else ()


def _wanted_folds(project: Project, names: tuple[str, ...]) -> tuple[str, ...]:
    quality = project.settings.quality
    return names[: quality.folds] if quality.hold_out == HOLD_OUT_GROUPS else ()


def _run_one(context: Context, name: str) -> None:
    speech, number = JudgedSpeech.of(context), int(name.rpartition("-")[2])
    planned = hold_outs(speech.frames_by_group, context.project.settings.quality.folds)
    groups = tuple(planned.values())[number]
    context.own(QualityFolder).write_fold(number, _figures_of_fold(context, speech, number, groups))


def _is_judged(folder: Path, name: str) -> bool:
    quality_folder = QualityFolder(folder)
    return quality_folder.metrics_file.exists() or quality_folder.is_judged(int(name.rpartition("-")[2]))


def _own_units(context: Context, speech: JudgedSpeech) -> UnitFigures:
    """Return the figures of the project's own units on the speech that its quantiser was trained on."""
    sequences = context.read(SequencesFolder)
    units_by_segment = dict(zip(sequences.table["segment_id"].to_list(), sequences.column("units"), strict=True))
    segments = [segment for segment in speech.segments if segment.segment_id in units_by_segment]
    units = [units_by_segment[segment.segment_id] for segment in segments]
    abx: dict[str, AbxError] = {}
    if speech.words is not None and len(speech.frames_by_group) < 2:
        abx = abx_figures(
            segments,
            speech.words,
            speech.times,
            lambda judged_segment: units_by_segment[judged_segment.segment_id],
            differing,
            _resampling(context.project),
        )
    k = int(sequences.summary["n_units"])
    return unit_figures(segments, units, k, speech.times, speech.words, abx, _resampling(context.project))


def _figures_of_fold(context: Context, speech: JudgedSpeech, number: int, groups: Collection[str]) -> dict[str, Any]:
    """Return the figures of a fold; undefined, with the reason, if the other groups have too few frames for k."""
    try:
        return _held_out_figures(context, speech, number, groups).to_json()
    except TooFewFrames as problem:
        settings = context.project.settings
        named = ", ".join(sorted(groups)[:5]) + (f" and {len(groups) - 5} more" if len(groups) > 5 else "")
        reason = (
            f"{settings.split.group} {named} held out: no figures, as too few frames are left to train on ({problem})"
        )
        nothing = unit_figures(
            [], [], settings.quantiser.k, speech.times, speech.words, {}, _resampling(context.project)
        )
        return {**nothing.to_json(), UNDEFINED: reason}


def _held_out_figures(context: Context, speech: JudgedSpeech, number: int, groups: Collection[str]) -> UnitFigures:
    """Return the figures of some groups by a quantiser that was trained on the others."""
    settings, output = context.project.settings.quantiser, context.own(QualityFolder)
    by_segment = groups_of(context.read(SegmentsFolder))
    frames = SegmentFrames.of_shards(speech.features, by_segment)
    # Frames of the groups held out are normalised by their own statistics, as those of any new speaker would be.
    statistics: GroupStatistics = group_statistics(frames) if settings.normalisation == GROUP else {}
    training_segments = {segment.segment_id for segment in speech.segments if segment.group not in groups}
    make_folder(output.folds_folder)
    quantiser = train_quantiser(
        frames.only(np.array([segment_id in training_segments for segment_id in frames.ids], dtype=np.bool_)),
        settings,
        speech.features.spec,
        speech.features.hop_s,
        speech.features.origin_s,
        statistics_by_group=statistics or None,
        threads=context.project.settings.project.workers,
        checkpoint=Checkpoint(output.checkpoint_file(number)),
    )

    def units_of(segment: JudgedSegment) -> NDArray[Any]:
        return quantiser.assign(speech.frames(segment), statistics.get(by_segment[segment.segment_id]))

    assert speech.words is not None
    resampling, judged = (
        _resampling(context.project),
        [segment for segment in speech.segments if segment.group in groups],
    )
    abx = abx_figures(speech.segments, speech.words, speech.times, units_of, differing, resampling, judged=groups)
    return unit_figures(
        judged,
        [units_of(judged_segment) for judged_segment in judged],
        quantiser.k,
        speech.times,
        speech.words,
        abx,
        resampling,
    )


def _features(context: Context, speech: JudgedSpeech) -> dict[str, Any]:
    """Return the ABX errors of the features before they are quantised, of all groups; empty without words."""
    if speech.words is None:
        return {}
    resampling, dim = _resampling(context.project), speech.features.spec.dim
    abx_errors = abx_figures(speech.segments, speech.words, speech.times, speech.frames, angles, resampling, dim=dim)
    return {"features": {name: abx_error.to_json() for name, abx_error in abx_errors.items()}}


def _resampling(project: Project) -> Resampling:
    return Resampling(project.settings.evaluation.bootstrap, project.settings.evaluation.seed)


def _notes(project: Project, speech: JudgedSpeech, judged: Mapping[str, Mapping[str, Any]]) -> list[str]:
    group = project.settings.split.group
    beside = [_BESIDE_VOCODER] if project.settings.vocoder.preset else []
    if speech.words is None:
        return [
            *beside,
            "There are no words with times, so AMI, purity, ABX and boundaries are left out. Give a table of words as "
            "annotations to judge the units (docs/units.md).",
        ]
    notes = [*beside, *(figures[UNDEFINED] for figures in judged.values() if UNDEFINED in figures)]
    one_group = len(speech.frames_by_group) < 2
    if one_group:
        notes.append(f"There is one {group} only: nothing can be held out, and nothing is compared across {group}.")
    elif project.settings.quality.hold_out != HOLD_OUT_GROUPS:
        notes.append(
            f'[quality] hold_out = "{project.settings.quality.hold_out}": ABX of the units is left out, as it compares '
            f'units of a {group} that was held out; set hold_out = "{HOLD_OUT_GROUPS}" for it.'
        )
    for name, in_words in ((WITHIN, "within one"), (ACROSS, "across")):
        if one_group and name == ACROSS:
            continue
        if any(name in figures and figures[name]["triples"] == 0 for figures in judged.values()):
            notes.append(f"ABX {in_words} {group}: too few words are said often enough, so some folds have no figure.")
    return notes


def _protocol(project: Project, speech: JudgedSpeech, n_folds: int) -> dict[str, Any]:
    group, spec = project.settings.split.group, speech.features.spec
    if n_folds:
        basis = f"held out by {group}"
        in_words = (
            f"Each figure is that of the worst of {counted(n_folds, 'fold')}: each {group} is judged by a quantiser "
            f"that was trained without it; X of the ABX test is of the {group} held out. Silence is left out."
        )
    else:
        basis = IN_SAMPLE
        in_words = "The project's own quantiser is judged on the speech that it was trained on, without labels."
        if project.settings.vocoder.preset:
            # It was not trained on the groups that choose and judge the vocoder.
            in_words = "The project's own quantiser is judged on all speech, part of which it was trained on."
    return {
        "basis": basis,
        "group": group,
        "words": speech.words is not None,
        "in_words": in_words,
        "encoder": spec.name,
        "k": project.settings.quantiser.k,
        "normalisation": project.settings.quantiser.normalisation,
        "tolerance_s": 0.02,
        "intervals": "95 %",
    }


STEP = Step(
    name=QualityFolder.step,
    version=STEP_VERSION,
    needs=("corpus", "segments", "features", "sequences"),
    settings=lambda project: {
        "quality": digestible(project.settings.quality),
        "quantiser": {key: value for key, value in digestible(project.settings.quantiser).items() if key != "sweep"},
        "group": project.settings.split.group,
        "bootstrap": project.settings.evaluation.bootstrap,
        "seed": project.settings.evaluation.seed,
    },
    run=run,
    work_units=WorkUnits(
        named_by=(CorpusFolder.step, SegmentsFolder.step, FeaturesFolder.step),
        names=_fold_names,
        chosen=_wanted_folds,
        run=_run_one,
        done=_is_judged,
        # One of them uses all workers.
        parallel=lambda project: 1,
        max_concurrent=15,
    ),
)
