"""From clips to soundscapes: models trained on ESC-10's clips, judged on minutes made of clips that they never heard.

For every published fold, clips of the fold are mixed into scenes (`scenes.py`: several events over quiet noise at 20 to
0 dB), and the model that held the fold out reads them, a window every second. Ranking is by windows of 5 s side by
side: macro ROC AUC and cmAP over classes. Events are runs of windows above a threshold that the other folds' scenes
chose, class by class; since a window hears 5 s, events come out longer than they are, so they are matched at a low IoU
and judged by segments of 5 s besides. Intervals are by bootstrap over scenes.

With `--pseudo`, other scenes are made whose labels nobody reads; `ossicle pseudo` has each model label those of the
folds that it has learned from, the models are trained again with them, and read the same scenes as before.

The project is that of `bench_esc10.py` (its `--work` and `--set`); what it has trained is not trained again.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from bench_esc10 import DECLARED, scaffold
from commands import options, ossicle
from machine import RESULTS, described, table, write_result
from numpy.typing import NDArray
from scenes import SCENE_S, SNR_DB, MixedScene, mix_scene, window_truth
from smoke import parsed, recordings
from stand_ins import TINY_CLIPS

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.engine.step import Silent
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.audio.decoding.mono import load_mono
from ossicle.core.decisions.decision import Decision
from ossicle.core.model_input.chunks import window_plan
from ossicle.core.tracks import ScoreTrack
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import write_raven
from ossicle.evaluation.ground_truth import Truth, read_truth
from ossicle.inference.batch import score_recording
from ossicle.inference.decisions.decide import decide
from ossicle.metrics.clips import best_f1_threshold
from ossicle.metrics.events import evaluate_events
from ossicle.metrics.matching.rules import IouMatch
from ossicle.metrics.reports.event_report import Estimate
from ossicle.metrics.resampling.ranking_bootstrap import ranking
from ossicle.metrics.segments import evaluate_segments

WINDOW_S, STEP_S = 5.0, 1.0
PRESENT_S = 0.25
"""A window of 5 s has a label of which it holds at least this much, as opensoundscape's tables say by default."""
IOU = 0.2
RESAMPLES = 1000
FOLD_NAME = "fold{fold}_{scene}"

Spans = dict[str, dict[str, NDArray[np.float64]]]
Clip = tuple[str, str, NDArray[np.float32]]


@dataclass(frozen=True)
class Heard:
    """Scenes by name: the fold they are made of, what is in them, and what a model said of them."""

    folds: dict[str, str]
    scenes: dict[str, MixedScene]
    tracks: dict[str, ScoreTrack]


def models_by_fold(truth: Truth, held_out: Mapping[str, Sequence[int]]) -> dict[str, str]:
    """The model that held each published fold out, by ``fold1`` to ``fold5`` of the names of its recordings.

    Raises ValueError where a model's recordings are not those of one published fold.
    """
    out: dict[str, str] = {}
    for name, folds in held_out.items():
        published = {fold_of(truth.recordings[key].path) for key in truth.ids if truth.folds[key] in folds}
        if len(published) > 1:
            raise ValueError(f"{name} holds out recordings of {', '.join(sorted(published))}: not the published folds")
        out |= dict.fromkeys(published, name)
    return out


def fold_of(path: str) -> str:
    """``fold1`` of ``rain/1-17367-A.ogg``."""
    return f"fold{Path(path).stem.split('-')[0]}"


def clips_by_fold(project: Project, truth: Truth) -> dict[str, list[Clip]]:
    """The clips of each published fold."""
    label_of = {note.recording_id: note.label for note in truth.annotations}
    rate = project.settings.frontend.rate
    out: dict[str, list[Clip]] = {}
    for key in truth.ids:
        path = truth.recordings[key].path
        clip = (label_of[key], path, load_mono(project.audio_folder / path, rate))
        out.setdefault(fold_of(path), []).append(clip)
    return out


def make_scenes(clips: Mapping[str, Sequence[Clip]], n: int, seed: int, kind: str, rate: int) -> dict[str, MixedScene]:
    """``n`` scenes of every fold, ``<fold>_<kind>NNN``."""
    return {
        f"{fold}_{kind}{number:03}": mix_scene(fold_clips, rate, seed, f"{fold} {kind} {number}")
        for fold, fold_clips in clips.items()
        for number in range(n)
    }


def write_scenes(scenes: Mapping[str, MixedScene], audio: Path, selections: Path | None) -> None:
    """FLAC files, and their truth as Raven tables where it may be known."""
    audio.mkdir(parents=True, exist_ok=True)
    for name, scene in scenes.items():
        soundfile.write(audio / f"{name}.flac", scene.samples, scene.rate, subtype="PCM_16")
        if selections is not None:
            rows = [
                RawSelection(
                    event.start_sample / scene.rate, (event.start_sample + event.n_samples) / scene.rate, event.label
                )
                for event in scene.events
            ]
            write_raven(selections / f"{name}.Table.1.selections.txt", rows)


def hear(project: Project, artefacts: Mapping[str, Path], scenes: Mapping[str, MixedScene], audio: Path) -> Heard:
    """What the model of each fold says of the scenes made of it."""
    from ossicle.models.predictor import load_predictor, use_threads

    settings = project.settings
    use_threads(settings.training.threads)
    plan = window_plan(settings.frontend, settings.chunks.window_s, STEP_S, 10.0, exact=True)
    truth = read_truth(CorpusFolder.among(artefacts), DatasetFolder.among(artefacts))
    models = models_by_fold(truth, DatasetFolder.among(artefacts).models)
    folds, tracks = {name: name.split("_")[0] for name in scenes}, {}
    for fold in sorted(set(folds.values())):
        weights = RunFolder(artefacts["training"] / models[fold]).weights
        predictor = load_predictor(weights, settings.model, truth.labels, plan, settings.frontend)
        for name in sorted(name for name, of in folds.items() if of == fold):
            tracks[name], _ = score_recording(audio / f"{name}.flac", predictor)
    return Heard(folds, dict(scenes), tracks)


def windows_of(track: ScoreTrack, window_s: float) -> NDArray[np.float32]:
    """The scores of windows side by side: of the frame around each window's middle, (n_windows, n_labels)."""
    middles = window_s * (np.arange(int(SCENE_S / window_s)) + 0.5)
    return track.scores[np.minimum((middles / track.hop_s).astype(int), len(track.scores) - 1)]


def judge(heard: Heard, labels: Sequence[str]) -> dict[str, Estimate]:
    """The figures by name."""
    names = sorted(heard.scenes)
    spans = {name: {label: heard.scenes[name].truth(label) for label in labels} for name in names}
    n = int(SCENE_S / WINDOW_S)
    scores = np.concatenate([windows_of(heard.tracks[name], WINDOW_S) for name in names])
    positive = np.concatenate([window_truth(spans[name], labels, n, WINDOW_S, PRESENT_S) for name in names])
    ranked = ranking(scores, positive, np.repeat(np.arange(len(names)), n), names, RESAMPLES, 0)
    predicted = events_of(heard, spans, labels)
    durations_s = dict.fromkeys(names, SCENE_S)
    by_event = evaluate_events(spans, predicted, durations_s, labels, IouMatch(threshold=IOU), n_bootstrap=RESAMPLES)
    by_segment = evaluate_segments(spans, predicted, durations_s, labels, segment_s=WINDOW_S, n_bootstrap=RESAMPLES)
    figures = {"macro ROC AUC": ranked.macro_roc_auc, "cmAP": ranked.cmap}
    for name, report in ((f"event F1 at IoU {IOU:g}", by_event), ("segment F1 of 5 s", by_segment)):
        figures[name], figures[f"macro {name}"] = report.pooled.rates.f1, report.macro.f1
    for snr_db in SNR_DB:
        figures[f"events touched at {snr_db:g} dB"] = touched(heard, predicted, snr_db)
    return figures


def events_of(heard: Heard, spans: Spans, labels: Sequence[str]) -> Spans:
    """Events under thresholds of best F1 on the frames of the other folds' scenes, class by class; spans by scene."""
    frames = {
        name: window_truth(spans[name], labels, len(track.scores), track.hop_s, track.hop_s / 2)
        for name, track in heard.tracks.items()
    }
    decisions: dict[str, dict[str, Decision]] = {}
    for fold in set(heard.folds.values()):
        others = sorted(name for name, of in heard.folds.items() if of != fold)
        scores = np.concatenate([heard.tracks[name].scores for name in others])
        truth = np.concatenate([frames[name] for name in others])
        limits = [best_f1_threshold(scores[:, column], truth[:, column]) for column in range(len(labels))]
        decisions[fold] = {
            label: Decision(on=limit, off=limit) if np.isfinite(limit) else Decision(on=1.0, off=1.0)
            for label, limit in zip(labels, limits, strict=True)
        }
    out: Spans = {}
    for name, track in heard.tracks.items():
        times_by_label: dict[str, list[tuple[float, float]]] = {}
        for event in decide(track, decisions[heard.folds[name]]):
            times_by_label.setdefault(event.label, []).append((event.start_s, event.end_s))
        out[name] = {label: np.array(times, dtype=np.float64) for label, times in times_by_label.items()}
    return out


def touched(heard: Heard, predicted: Spans, snr_db: float) -> Estimate:
    """Share of the events of one SNR that a predicted event of their class overlaps."""
    hits = total = 0
    for name, scene in heard.scenes.items():
        for event in scene.events:
            if event.snr_db == snr_db:
                start, end = event.start_sample / scene.rate, (event.start_sample + event.n_samples) / scene.rate
                times = predicted[name].get(event.label, np.zeros((0, 2)))
                hits += bool(((times[:, 0] < end) & (times[:, 1] > start)).any())
                total += 1
    return Estimate(hits / total if total else float("nan"), float("nan"), float("nan"))


def in_words(estimate: Estimate) -> str:
    """A figure with its interval, where it has one."""
    if not np.isfinite(estimate.value):
        return "–"
    return (
        f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"
        if np.isfinite(estimate.low)
        else f"{estimate.value:.3f}"
    )


def pseudo_round(folder: Path, scenes: Mapping[str, MixedScene], sets: Sequence[str], above: float) -> tuple[str, ...]:
    """One round on scenes whose labels nobody reads; returns the settings under which the models are taught by it.

    A scene's name says its fold, and no model hears scenes of the fold that it holds out.
    """
    write_scenes(scenes, folder / "unlabelled", None)
    with_pseudo = (
        *sets,
        'pseudo.audio="unlabelled"',
        f'pseudo.name_template="{FOLD_NAME}"',
        'pseudo.group="fold"',
        f"pseudo.threshold={above:g}",
    )
    command = ["pseudo", "-p", folder, "--round", 1, "--force", "--progress", "plain"]
    ossicle(*command, *options(with_pseudo))
    return with_pseudo


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("work/bench-esc10"), help="the project of bench_esc10.py")
    parser.add_argument("--set", nargs="*", default=list(DECLARED), help="its settings other than the recipe's")
    parser.add_argument("--seed", type=int, default=0, help="of its training, and of the scenes")
    parser.add_argument("--scenes", type=int, default=12, help="scenes of every fold")
    parser.add_argument("--pseudo", type=int, default=0, help="unlabelled scenes of every fold; 0: no round")
    parser.add_argument("--threshold", type=float, default=0.5, help="least score of a window that is kept as a label")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, set=list(TINY_CLIPS), scenes=1, pseudo=1)
    audio = recordings("esc10", args)
    if audio is None:
        return
    scaffold(args.work, audio)
    sets = (*args.set, f"training.seed={args.seed}")
    project = load_project(args.work, sets)
    artefacts = run_project(project, Silent(), until="training").artefacts
    truth: Truth = read_truth(CorpusFolder.among(artefacts), DatasetFolder.among(artefacts))
    clips, rate = clips_by_fold(project, truth), project.settings.frontend.rate
    scenes = make_scenes(clips, args.scenes, args.seed, "test", rate)
    scene_folder = args.work / "scenes"
    write_scenes(scenes, scene_folder / "audio", scene_folder / "selections")
    columns = {"clips alone": judge(hear(project, artefacts, scenes, scene_folder / "audio"), truth.labels)}
    if args.pseudo:
        others = make_scenes(clips, args.pseudo, args.seed, "pseudo", rate)
        taught = load_project(args.work, pseudo_round(args.work, others, sets, args.threshold))
        again = run_project(taught, Silent(), until="training").artefacts
        columns["after one pseudo-label round"] = judge(
            hear(taught, again, scenes, scene_folder / "audio"), truth.labels
        )
    rows = [[name, *(in_words(of[name]) for of in columns.values())] for name in next(iter(columns.values()))]
    n_events = sum(len(scene.events) for scene in scenes.values())
    unlabelled = f", {args.pseudo * len(clips)} unlabelled scenes" if args.pseudo else ""
    snr = ", ".join(f"{snr_db:g}" for snr_db in SNR_DB)
    text = f"""# Soundscapes of ESC-10

`benchmarks/bench_soundscapes.py`; {described(["torch"])}

{len(scenes)} scenes of {SCENE_S:g} s, {n_events} events at {snr} dB over coloured noise, each scene of one fold's clips
and read by the model that held the fold out{unlabelled}. Windows of {WINDOW_S:g} s side by side for ranking (a label is
there from {PRESENT_S:g} s on), thresholds of the other folds' scenes for events. 95 % intervals over scenes; seed
{args.seed}.

{table(["figure", *columns], rows)}
"""
    write_result("soundscapes", text, args.out)


if __name__ == "__main__":
    main()
