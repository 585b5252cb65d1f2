"""One round of pseudo-labels with labels hidden: what it gains or costs on ESC-10, and how good its labels are.

In every published fold some clips of each class keep their label and the others lose it: these are the unlabelled
recordings. Models are trained on the labels alone, label the rest (`ossicle pseudo`), and are trained again with what
they were sure of. Both times each clip of a fold, labelled or not, is scored by the model that held the fold out and
was kept from its unlabelled clips (`pseudo.group = "fold"`), so no figure is of anything that taught its model. The
hidden labels judge; no model and no setting sees them. `spread` is the standard deviation over seeds, which draw the
training and which labels are hidden; the interval of a difference is by bootstrap over Freesound recordings, the same
clips before and after. The script may be stopped and started again with the same `--work`.
"""

import argparse
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev

import numpy as np
from bench_esc10 import DECLARED
from commands import options, ossicle
from esc10 import Esc10Clip, esc10_clips
from machine import RESULTS, described, table, write_result
from smoke import parsed, recordings
from stand_ins import TINY_CLIPS

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.data import unlabelled
from ossicle.app.steps.engine.step import find_steps
from ossicle.app.steps.pipeline.pipelines import chosen_steps
from ossicle.app.steps.score import pseudo_scores
from ossicle.artefacts.array_files.blocks import read_track
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder, UnlabelledFolder
from ossicle.artefacts.typed.scores import PseudoScoresFolder, ScoresFolder
from ossicle.core.digest import seed_of
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.pseudo_labels.rounds import read_head, read_windows, round_path
from ossicle.evaluation.ground_truth import read_truth

TEMPLATE = "{fold}-{source}-{take}"
ALONE, TAUGHT = 'pseudo.rounds="none"', "pseudo.up_to=1"
RESAMPLES = 2000
PLAIN = ("--progress", "plain")

Said = dict[str, str]


def hide(clips: Sequence[Esc10Clip], per_class: int, seed: int) -> set[Path]:
    """The clips that keep their labels: ``per_class`` of each class in each fold."""
    out: set[Path] = set()
    for key in sorted({(clip.fold, clip.label) for clip in clips}):
        paths = [clip.path for clip in clips if (clip.fold, clip.label) == key]
        order = np.random.default_rng(seed_of(seed, "hide", *key)).permutation(len(paths))
        out.update(paths[int(i)] for i in order[:per_class])
    return out


def lay_out(folder: Path, clips: Sequence[Esc10Clip], per_class: int, seed: int) -> None:
    """The project with its labelled clips by class, and the others in one folder, unless it is there."""
    if (folder / "ossicle.toml").exists():
        return
    labelled = hide(clips, per_class, seed)
    for clip in clips:
        class_folder = folder / "labelled" / clip.label if clip.path in labelled else folder / "hidden"
        class_folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(clip.path, class_folder / clip.path.name)
    ossicle("new", "birds", folder, "--audio", folder / "labelled")


def settings_of(folder: Path, seed: int, sets: Sequence[str]) -> tuple[str, ...]:
    """What differs from the recipe."""
    own = ('pseudo.audio="hidden"', f'pseudo.name_template="{TEMPLATE}"', 'pseudo.group="fold"')
    return (f"training.seed={seed}", *own, *sets)


def labels_said(project: Project) -> tuple[Said, Said]:
    """The highest label of every labelled and every hidden clip, by the model that held its fold out."""
    steps = chosen_steps(project, ("scores",))
    steps += () if any(step.name == unlabelled.INDEX_NAME for step in steps) else (unlabelled.INDEX,)
    artefacts = {
        name: path for name, path in find_steps((*steps, pseudo_scores.STEP), project).items() if path is not None
    }
    corpus, dataset = CorpusFolder.among(artefacts), DatasetFolder.among(artefacts)
    truth, labels = read_truth(corpus, dataset), dataset.labels
    models = dataset.models_by_fold
    held = {truth.recordings[key].fields["fold"]: models[truth.folds[key]] for key in truth.ids}

    def highest(path: Path) -> str:
        return labels[int(read_track(path).scores.max(axis=0).argmax())]

    own = {
        Path(truth.recordings[key].path).name: highest(ScoresFolder.among(artefacts).track_path(key))
        for key in truth.ids
    }
    others = {
        Path(recording.path).name: highest(
            PseudoScoresFolder.among(artefacts).track_path(held[recording.fields["fold"]], recording.id)
        )
        for recording in read_index(UnlabelledFolder.among(artefacts)).recordings
    }
    return own, others


def right_windows(folder: Path, project: Project, clips: Mapping[str, Esc10Clip]) -> dict[str, tuple[int, int]]:
    """By view of the round: windows kept, and those whose highest label is the hidden one."""
    head = read_head(round_path(folder / "pseudo", 1))
    index = find_steps((unlabelled.INDEX,), project)[unlabelled.INDEX_NAME]
    assert index is not None
    names = {recording.id: Path(recording.path).name for recording in read_index(UnlabelledFolder(index)).recordings}
    out = {}
    for view in sorted(head.members):
        windows = read_windows(head, view)
        answers = zip(windows.recordings.tolist(), windows.top.tolist(), strict=True)
        out[view] = (len(windows), sum(clips[names[key]].label == head.labels[top] for key, top in answers))
    return out


def share(answers: Mapping[str, str], clips: Mapping[str, Esc10Clip]) -> float:
    """Accuracy in percent."""
    return 100 * mean(clips[name].label == label for name, label in answers.items())


def difference(runs: Sequence[tuple[Said, Said]], clips: Mapping[str, Esc10Clip]) -> tuple[float, float]:
    """The 95 % interval of after minus before in points, over Freesound recordings; all seeds together."""
    gains: dict[str, list[int]] = {}
    for before, after in runs:
        for name, label in before.items():
            gain = int(clips[name].label == after[name]) - int(clips[name].label == label)
            gains.setdefault(clips[name].source, []).append(gain)
    sums = np.array([[sum(of), len(of)] for of in gains.values()], dtype=np.float64)
    rng = np.random.default_rng(0)
    drawn = sums[rng.integers(len(sums), size=(RESAMPLES, len(sums)))].sum(axis=1)
    low, high = np.percentile(100 * drawn[:, 0] / drawn[:, 1], [2.5, 97.5])
    return float(low), float(high)


def in_words(values: Sequence[float]) -> str:
    """Mean and spread over seeds."""
    return f"{mean(values):.2f}" + (f" ± {stdev(values):.2f}" if len(values) > 1 else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("work/bench-pseudo"))
    parser.add_argument("--set", nargs="*", default=list(DECLARED), help="settings other than the recipe's")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--kept", type=int, default=3, help="labelled clips of the 8 of each class in a fold")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, set=[*TINY_CLIPS, "pseudo.threshold=0.1"], seeds=[0], kept=1)
    audio = recordings("esc10", args)
    if audio is None:
        return
    listed = esc10_clips(audio)
    clips = {clip.path.name: clip for clip in listed}
    runs_by_group: dict[str, list[tuple[Said, Said]]] = {"labelled clips": [], "clips whose label was hidden": []}
    windows_by_view: list[dict[str, tuple[int, int]]] = []
    for seed in args.seeds:
        folder = args.work / f"seed{seed}-kept{args.kept}"
        lay_out(folder, listed, args.kept, seed)
        sets = settings_of(folder, seed, args.set)
        labels = []
        for number, state in enumerate((ALONE, TAUGHT), start=1):
            ossicle("run", "-p", folder, "--until", "scores", *PLAIN, *options((*sets, state)))
            # The second round is made for the scores of its models alone.
            ossicle("pseudo", "-p", folder, "--round", number, "--force", *PLAIN, *options(sets))
            labels.append(labels_said(load_project(folder, (*sets, state))))
        (own_before, others_before), (own_after, others_after) = labels
        runs_by_group["labelled clips"].append((own_before, own_after))
        runs_by_group["clips whose label was hidden"].append((others_before, others_after))
        windows_by_view.append(right_windows(folder, load_project(folder, sets), clips))
    rows = []
    for group, runs in runs_by_group.items():
        before, after = ([share(run[i], clips) for run in runs] for i in (0, 1))
        low, high = difference(runs, clips)
        gain = in_words([b - a for a, b in zip(before, after, strict=True)])
        rows.append([group, str(len(runs[0][0])), in_words(before), in_words(after), f"{gain} [{low:.2f}, {high:.2f}]"])
    of_views = []
    for view in sorted(windows_by_view[0]):
        n, right = (
            mean(counts[view][0] for counts in windows_by_view),
            mean(counts[view][1] for counts in windows_by_view),
        )
        of_views.append([view, f"{n:.0f}", f"{100 * right / n:.1f} %" if n else "–"])
    differs = ", ".join(args.set) or "nothing"
    text = f"""# One round of pseudo-labels on ESC-10, labels hidden

`benchmarks/bench_pseudo.py`; {described(["torch", "timm"])}

{args.kept} of 8 clips of each class in a fold are labelled, the others are not; recipe `birds`, {differs} besides;
seeds {", ".join(map(str, args.seeds))}. Accuracy in percent, each clip by the model that held its fold out; mean ±
spread over seeds; 95 % interval of the difference over Freesound recordings.

{table(["judged on", "clips", "labels alone", "after a round", "difference"], rows)}

What the round kept (mean over seeds): each fold model's lessons are its own view, the final model's the mean of all.

{table(["view", "windows", "highest label right"], of_views)}
"""
    write_result("pseudo", text, args.out)


if __name__ == "__main__":
    main()
