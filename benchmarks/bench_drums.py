"""Drum machines: `ossicle new drums` and `ossicle run` as written, next to 400 extra trees on log-mel slices.

Five folds by machine, one run for each seed, which is that of the split and of the training. Each hit has one answer,
the label with the highest score of the model that held its machine out. The trees see the same folds. Toms merged:
the scores of low, mid and high tom are added. Intervals are paired over machines and hits.

    .venv/bin/python benchmarks/bench_drums.py [--seeds 0 1 2] [--work work/drums]

The script may be stopped and started again with the same ``--work``; processor time of all calls is added up.
``--choices`` measures the settings of the recipe one by one instead, in four inner folds of the machines that fold 0
of seed 0 leaves (`drum_choices.py`): two processor minutes for each row and seed, and ``--only`` chooses rows.
"""

import argparse
import json
import resource
import shutil
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import TypeVar

import numpy as np
from commands import REFUSED, options, ossicle
from drum_answers import FIGURES, TOMS, Answered, Compared, compared, confusions, f1_scores, merged, recalls
from drum_choices import (
    CHOICES,
    ENCODED,
    PLAIN,
    SHIFTS_S,
    UNSHIFTED,
    InnerHits,
    back_to_clips,
    held_out_scores,
    inner_hits,
    mean_logits,
)
from machine import RESULTS, described, table, write_result
from sklearn.ensemble import ExtraTreesClassifier
from smoke import parsed, recordings, require

from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import find_steps
from ossicle.app.steps.pipeline.pipelines import steps_of
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.scores import ClipScoresFolder
from ossicle.audio.decoding.mono import load_mono
from ossicle.audio.features.logmel import log_mel
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.evaluation.clips.judged_clips import JudgedClips, read_clips
from ossicle.evaluation.ground_truth import Truth, read_evaluated_truth

T = TypeVar("T")

FRONT = FrontEndSettings(rate=44100, n_fft=1024, hop_samples=256, n_mels=64, fmin_hz=20.0, fmax_hz=16000.0)
SLICES = ((0, 4), (4, 10), (10, 22), (22, 44), (44, 84))
"""STFT frames whose mean each slice is."""
READ_S, FLOOR_DB, TREES = 0.5, -80.0, 400
BARS = (0.60, 0.72, 0.82, 0.82)
MOST_MINUTES = 45.0
MOONSHOT = 0.92


def answered_clips(folder: Path, sets: Sequence[str], until: str = "") -> JudgedClips:
    """Run a project, to its end or one step, and return its held-out hits with their scores."""
    arguments = ["--until", until] if until else []
    ossicle("run", "-p", folder, *arguments, "--progress", "none", *options(sets), codes=(0, REFUSED))
    return read_clips(ClipScoresFolder.among(artefacts(folder, sets)), truth_of(folder, sets))


def artefacts(folder: Path, sets: Sequence[str] = ()) -> dict[str, Path]:
    """The folder of each finished step of a project."""
    project = load_project(folder, tuple(sets))
    return {name: path for name, path in find_steps(steps_of(project), project).items() if path is not None}


def truth_of(folder: Path, sets: Sequence[str] = ()) -> Truth:
    """The recordings of a project with their folds."""
    made_artefacts = artefacts(folder, sets)
    return read_evaluated_truth(CorpusFolder.among(made_artefacts), DatasetFolder.among(made_artefacts))


def new_project(folder: Path, audio: Path) -> None:
    """Start a project, unless it is there."""
    if not (folder / "ossicle.toml").exists():
        ossicle("new", "drums", folder, "--audio", audio)


def processor_s() -> float:
    """Processor seconds of this process and of all its children that ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def timed(folder: Path, work: Callable[[], T]) -> tuple[T, float]:
    """Do some work; returns its result and the processor minutes of all calls for ``folder``."""
    clock = folder / "processor-minutes.json"
    folder.mkdir(parents=True, exist_ok=True)
    spent, began = json.loads(clock.read_text()) if clock.exists() else 0.0, processor_s()
    try:
        outcome = work()
    finally:
        spent += (processor_s() - began) / 60
        clock.write_text(json.dumps(spent))
    return outcome, spent


def slices(audio: Path, paths: Sequence[str]) -> np.ndarray:
    """The features of the baseline: means of log-mel bands in five slices of each file, (n, 320)."""
    rows = []
    for path in paths:
        wave = load_mono(audio / path, FRONT.rate, 0.0, READ_S)
        wave = np.pad(wave, (0, max(0, round(READ_S * FRONT.rate) - len(wave))))
        levels_db = np.maximum(log_mel(wave / max(float(np.abs(wave).max()), 1e-6), FRONT), FLOOR_DB)
        rows.append(np.concatenate([levels_db[a:b].mean(axis=0) for a, b in SLICES]))
    return np.array(rows)


def trees_held_out(
    features: np.ndarray, folds: np.ndarray, truth: np.ndarray, n_labels: int, seed: int, n_trees: int
) -> np.ndarray:
    """Scores of extra trees on hits whose fold they did not see: (n, n_labels)."""
    out = np.zeros((len(truth), n_labels))
    for fold in np.unique(folds):
        held = folds == fold
        trees = ExtraTreesClassifier(n_trees, random_state=seed, class_weight="balanced", n_jobs=1)
        trees.fit(features[~held], truth[~held])
        out[np.ix_(held, trees.classes_)] = trees.predict_proba(features[held])
    return out


def answered(clips: JudgedClips, scores: np.ndarray, merge_toms: bool) -> Answered:
    """The answers of a model; with ``merge_toms`` one label for all toms."""
    labels, truth = tuple(clips.clips.labels), clips.clips.label
    if merge_toms:
        scores, labels, column = merged(scores, labels, "tom", TOMS)
        truth = column[truth]
    groups = tuple(clips.groups[group_index] for group_index in clips.clips.recording.tolist())
    return Answered(labels, truth, scores.argmax(axis=1).astype(np.int64), groups)


def cell(comparison: Compared, row: int, column: int) -> str:
    """A figure with its interval."""
    value, low, high = (matrix[row, column] for matrix in (comparison.value, comparison.low, comparison.high))
    sign = "+" if row == 2 else ""
    return f"{value:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"


def bar_rows(comparison: Compared, n_labels: int, bars: Sequence[float] | None) -> list[list[str]]:
    """The rows of one number of labels; bars only where there are some."""
    rows = []
    for column, name in enumerate(FIGURES):
        reached = ""
        if bars is not None:
            above = comparison.value[0, column] >= bars[column] and comparison.value[2, column] > 0
            reached = f"{bars[column]:.2f}: {'reached' if above else 'missed'}"
        rows.append([str(n_labels), name, *(cell(comparison, row, column) for row in range(3)), reached])
    return rows


def labels_table(ours: Sequence[Answered], theirs: Sequence[Answered]) -> str:
    """F1 and recall of each label in the mean of the seeds."""

    def means(models: Sequence[Answered]) -> np.ndarray:
        every = [f1_scores(confusions(model, np.ones((1, len(model.truth)), dtype=np.int64)))[0] for model in models]
        return np.nan_to_num(np.mean(every, axis=0))

    mine, other, recall = means(ours), means(theirs), recalls(ours)
    counts = np.bincount(ours[0].truth, minlength=len(ours[0].labels))
    rows = [
        [label, str(counts[i]), f"{mine[i]:.3f}", f"{recall[label]:.3f}", f"{other[i]:.3f}"]
        for i, label in enumerate(ours[0].labels)
    ]
    return table(("label", "hits", "F1", "recall", "F1 of the trees"), rows)


def measure_seeds(args: argparse.Namespace, audio: Path) -> None:
    """Run every seed and write the table."""
    clips, minutes = [], []
    for seed in args.seeds:
        folder = args.work / f"seed-{seed}"
        new_project(folder, audio)
        sets = sets_of(seed, args.sets)
        judged_clips, spent = timed(folder, lambda folder=folder, sets=sets: answered_clips(folder, sets))
        clips.append(judged_clips)
        minutes.append(spent)
    files = truth_of(args.work / f"seed-{args.seeds[0]}", sets_of(args.seeds[0], args.sets)).recordings
    ids = [clips[0].clips.recording_ids[index] for index in clips[0].clips.recording.tolist()]
    paths = [files[key].path for key in ids]
    features = slices(audio, paths)
    trees = [
        trees_held_out(features, clip.folds, clip.clips.label, len(clip.clips.labels), seed, args.trees)
        for clip, seed in zip(clips, args.seeds, strict=True)
    ]
    rows = []
    for merge_toms in (False, True):
        ours = [answered(clip, clip.scores, merge_toms) for clip in clips]
        theirs = [answered(clip, scores, merge_toms) for clip, scores in zip(clips, trees, strict=True)]
        judged_clips = compared(ours, theirs, args.bootstrap)
        rows += bar_rows(judged_clips, len(ours[0].labels), None if merge_toms else BARS)
        if not merge_toms:
            per_label, recall = labels_table(ours, theirs), recalls(ours)
            best = [judged_clips.value[0, FIGURES.index(name)] for name in ("F1 kick", "F1 snare")]
    silent = [label for label, value in recall.items() if value == 0]
    text = [
        "# Drum machines, through a whole project",
        described(["torch", "scikit-learn"]),
        f"`{command('', args)}`: "
        f"{len(clips[0].clips)} hits of {len(set(clips[0].groups))} machines, five folds by machine; means over the "
        "seeds, intervals of 95 % over machines and hits.",
        table(("labels", "figure", "ours", "extra trees", "difference", "bar"), rows),
        f"Processor time: {sum(minutes):.1f} minutes in all ({', '.join(f'{minute:.1f}' for minute in minutes)}); "
        f"the bar is {MOST_MINUTES:g}: {'reached' if sum(minutes) <= MOST_MINUTES else 'missed'}. "
        f"Labels without recall in the "
        f"mean of the seeds: {', '.join(silent) or 'none'}. Moonshot of {MOONSHOT:g} for kick and snare: "
        f"{'reached' if min(best) >= MOONSHOT else 'missed'} ({best[0]:.3f}, {best[1]:.3f}).",
        per_label,
    ]
    write_result("drums", "\n\n".join(text), args.out)


def sets_of(seed: int, sets: Sequence[str]) -> list[str]:
    """The settings of the run of a seed."""
    return [f"split.seed={seed}", f"training.seed={seed}", *sets]


def measure_choices(args: argparse.Namespace, audio: Path) -> None:
    """Train the recipe and each change of it on the machines that fold 0 of seed 0 leaves, and write the table."""
    folder = inner_project(args.work, audio)
    sets = ["split.folds=4", *args.sets]
    ossicle("run", "-p", folder, "--until", "store", "--progress", "none", *options(sets))
    rows, base = dict[str, tuple[list[Answered], float]](), list[Answered]()
    for name in args.only or CHOICES:
        scores, minutes, ours = [], [], []
        for seed in args.seeds:
            own = [*sets, f"training.seed={seed}", *CHOICES[name]]
            work = args.work / "choices" / f"{list(CHOICES).index(name)}-{seed}"
            if name == ENCODED:
                # Heads on embeddings are no networks, so this row is a project until its scores.
                judged, spent = timed(work, lambda own=own: answered_clips(folder, own, "clip_scores"))
                ours.append(answered(judged, judged.scores, merge_toms=False))
            else:
                hits = inner_hits(folder, own)
                shifted_scores, spent = timed(work, lambda hits=hits, work=work: held_out_scores(hits, work))
                scores.append(shifted_scores)
                ours.append(hits.answered(shifted_scores[UNSHIFTED]))
            minutes.append(spent)
        rows[name] = (ours, float(np.mean(minutes)))
        base = base or rows[name][0]
        require(np.array_equal(ours[0].truth, base[0].truth), "every row judges the same hits in one order")
        if name == PLAIN:
            rows |= afterwards(hits, scores, audio, args)
    text = (
        "# What earned its place in the recipe of drums\n\n"
        f"{described(['torch', 'scikit-learn'])}\n\n`{command('--choices', args)}`: four inner folds of the "
        f"{len(set(hits.groups))} machines ({len(hits.clips)} hits) that fold 0 of seed 0 leaves; means over the seeds "
        f"{', '.join(map(str, args.seeds))} of the training, intervals of 95 % over machines and hits. Rows "
        "after the first change one setting, or what is done with the scores of the first, which needs no training."
        f"\n\n{choices_table(rows, base, args.bootstrap)}"
    )
    write_result("drums-choices", text, args.out)


def inner_project(work: Path, audio: Path) -> Path:
    """The project of the machines that fold 0 of seed 0 leaves."""
    outer, inner = work / "outer", work / "inner-machines"
    new_project(outer, audio)
    ossicle("run", "-p", outer, "--until", "dataset", "--progress", "none")
    truth = truth_of(outer)
    for key, recording in truth.recordings.items():
        target = inner / recording.path
        if truth.folds[key] != 0 and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(audio / recording.path, target)
    new_project(work / "inner", inner)
    return work / "inner"


def afterwards(
    hits: InnerHits, scores: Sequence[np.ndarray], audio: Path, args: argparse.Namespace
) -> dict[str, tuple[list[Answered], float]]:
    """What can be done with the networks of :data:`PLAIN`, which costs no training."""
    plain = [score[UNSHIFTED] for score in scores]
    pairs = [mean_logits(pair) for pair in combinations(plain, 2)] or plain
    back = back_to_clips(hits)
    features, began = slices(audio, hits.paths), processor_s()
    n_labels = len(hits.material.labels)
    trees = [trees_held_out(features, hits.clips.fold, hits.truth, n_labels, seed, args.trees) for seed in args.seeds]
    minutes = (processor_s() - began) / 60 / len(args.seeds)
    scores_by_name: dict[str, tuple[list[np.ndarray], float]] = {
        "half of the sampling taken back": ([scores_of_plain * back for scores_of_plain in plain], 0.0),
        "two of them averaged": (pairs, 0.0),
        "two of them averaged, half of the sampling taken back": ([pair * back for pair in pairs], 0.0),
        f"mean over windows moved by up to {1000 * max(SHIFTS_S):g} ms": (
            [mean_logits(list(score)) for score in scores],
            0,
        ),
        "extra trees on log-mel slices averaged in": (
            [(scores_of_plain + two) / 2 for scores_of_plain, two in zip(plain, trees, strict=True)],
            minutes,
        ),
    }
    return {name: ([hits.answered(row) for row in rows], spent) for name, (rows, spent) in scores_by_name.items()}


def choices_table(rows: Mapping[str, tuple[list[Answered], float]], base: Sequence[Answered], n: int) -> str:
    """A row for each setting, with its difference to the first one on the same hits."""
    cells = []
    for name, (ours, minutes) in rows.items():
        comparison = compared(ours, base, n)
        differences = [cell(comparison, 2, column) for column in (0, 1)]
        cells.append([name, *(f"{comparison.value[0, i]:.3f}" for i in range(4)), *differences, f"{minutes:.1f}"])
    head = ("setting", *FIGURES, "macro-F1 less the first", "accuracy less the first", "processor minutes a seed")
    return table(head, cells)


def command(mode: str, args: argparse.Namespace) -> str:
    """The command line of a result."""
    arguments = ["bench_drums.py", *([mode] if mode else []), "--seeds", *map(str, args.seeds)]
    arguments += ["--only", *(f'"{name}"' for name in args.only)] if args.only else []
    return " ".join([*arguments, *(["--sets", *args.sets] if args.sets else [])])


def main() -> None:
    """Measure the recipe, or its settings one by one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="seeds of split and training")
    parser.add_argument("--choices", action="store_true", help="measure the settings of the recipe one by one")
    parser.add_argument("--only", nargs="*", choices=list(CHOICES), help="rows of --choices")
    parser.add_argument("--sets", nargs="*", default=[], help="settings of the projects, as TABLE.KEY=VALUE")
    parser.add_argument("--trees", type=int, default=TREES, help="trees of the baseline")
    parser.add_argument("--bootstrap", type=int, default=1000, help="resamples of the intervals")
    parser.add_argument("--work", type=Path, default=Path("work/drums"), help="folder of the projects")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the table")
    tiny = ["training.epochs=1", "split.folds=2", "evaluation.bootstrap=100", "report.examples=0", "project.workers=1"]
    args = parsed(parser, seeds=[0], trees=10, bootstrap=100, sets=tiny)
    audio = recordings("drum_machines", args)
    if audio is None:
        return
    (measure_choices if args.choices else measure_seeds)(args, audio)


if __name__ == "__main__":
    main()
