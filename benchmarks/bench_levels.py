"""Clips that are fainter than those that taught: what a clip model makes of level, by how it is told of it.

Networks of the benchmark of ESC-10 (its project and declared settings) are trained on published folds 1 to 4 and judged
on fold 5, the one on which settings are chosen there: as recorded, and 20 and 40 dB fainter, in float32 files. A
recorder further away does this to a call, noise aside. Ways differ in how a window is normalised, whether crops are
brought to one peak in training, and how deep the floor of the spectrogram lies. What is trained stays in `--work`.
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean

import soundfile
from bench_esc10 import DECLARED, scaffold
from held_out import HeldOut, held_out
from machine import RESULTS, described, table, write_result
from smoke import parsed, recordings
from stand_ins import TINY_CLIPS

from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.audio.decoding.mono import load_mono
from ossicle.inference.batch import score_recording
from ossicle.models.predictor import load_predictor, use_threads
from ossicle.training.detector.crossval import fit_all

FOLD = 4
FAINTER_DB = (0, 20, 40)
WAYS: Mapping[str, tuple[str, ...]] = {
    "levels are heard": (
        'model.window.normalise="level"',
        'augment.normalise="none"',
        "augment.gain_db=6.0",
        "frontend.floor_db=-100.0",
    ),
    "each window to its peak": (
        'model.window.normalise="peak"',
        'augment.normalise="late"',
        "augment.gain_db=0.0",
        "frontend.floor_db=-100.0",
    ),
    "the same, a floor of -140 dB (the recipe)": (),
}


def trained(folder: Path, way: str, seed: int, more: Sequence[str]) -> HeldOut:
    """The training of a way on all folds but one."""
    sets = (*more, f"training.seed={seed}", "training.validation_crops=0", *WAYS[way])
    return held_out(folder, f"{list(WAYS).index(way)}-{seed}", FOLD, sets)


def accuracies(folder: Path, way: str, seed: int, more: Sequence[str]) -> list[float]:
    """Percent right of the fold's clips at each of :data:`FAINTER_DB`."""
    held = trained(folder, way, seed, more)
    job, truth = held.job, held.truth
    label_of = {note.recording_id: note.label for note in truth.annotations}
    predictor = load_predictor(RunFolder(job.folder).weights, job.model, job.labels, job.plan, job.front)
    right = dict.fromkeys(FAINTER_DB, 0)
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "clip.wav"
        for key in held.ids:
            samples = load_mono(held.project.audio_folder / truth.recordings[key].path, job.front.rate)
            for fainter_db in FAINTER_DB:
                soundfile.write(file, samples * 10 ** (-fainter_db / 20), job.front.rate, subtype="FLOAT")
                scores = score_recording(file, predictor)[0].scores.max(axis=0)
                right[fainter_db] += job.labels[int(scores.argmax())] == label_of[key]
    return [100 * right[fainter_db] / len(held.ids) for fainter_db in FAINTER_DB]


def rows_of(folder: Path, seeds: Sequence[int], more: Sequence[str]) -> list[list[str]]:
    """A row a way: accuracies, mean over seeds."""
    rows = []
    for way in WAYS:
        by_seed = [accuracies(folder, way, seed, more) for seed in seeds]
        rows.append([way, *(f"{mean(column):.1f}" for column in zip(*by_seed, strict=True))])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("work/bench-levels"), help="folder of the project, kept")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--set", nargs="*", default=list(DECLARED), help="settings other than the recipe's")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, set=list(TINY_CLIPS))
    audio = recordings("esc10", args)
    if audio is None:
        return
    scaffold(args.work, audio)
    fit_all([trained(args.work, way, seed, args.set).job for seed in args.seeds for way in WAYS], 2, lambda *_: None)
    use_threads(2)
    head = ["way", "as recorded", *(f"{fainter_db} dB fainter" for fainter_db in FAINTER_DB[1:])]
    text = f"""# Faint clips

`benchmarks/bench_levels.py --seeds {" ".join(map(str, args.seeds))}`; {described(["torch", "timm"])}

Accuracy in percent on published fold 5 of ESC-10 (80 clips, so one is 1.25 points; chance is 10), trained on the other
four; {", ".join(args.set)} besides the recipe's; mean over the seeds.

{table(head, rows_of(args.work, args.seeds, args.set))}
"""
    write_result("levels", text, args.out)


if __name__ == "__main__":
    main()
