"""What a second stage gains in event F1, from the artefacts of a project that was run: nothing is trained but trees.

Every kind and calibration judges the same candidates, cross-fitted as `ossicle run` does it; the gain and its interval
come from the paired bootstrap over recordings and groups. `scores and length alone` is the control: there the acoustic
features are dealt to other candidates of the same label, so what is gained comes from the first stage's scores and the
lengths of events.

    .venv/bin/python benchmarks/bench_second_stage.py work/tapes [--set evaluation.iou=0.4] [--lower-on 0.3 0.5 1]
"""

import argparse
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
from commands import ossicle
from machine import RESULTS
from smoke import parsed
from stand_ins import make_tape_project

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.engine.step import find_steps
from ossicle.app.steps.judge.second_stage import candidates_of, feature_settings
from ossicle.app.steps.pipeline.pipelines import chosen_steps
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.events import DecisionFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.scores import ScoresFolder
from ossicle.audio.features.event_features import FEATURES
from ossicle.core.digest import seed_of
from ossicle.core.tracks import Event
from ossicle.evaluation.figures.paired_gain import gain
from ossicle.evaluation.ground_truth import Truth, read_truth
from ossicle.inference.second_stage.candidates import Candidate
from ossicle.metrics.matching.rules import IouMatch
from ossicle.training.second_stage.fold_fits import judge

VARIANTS = (("forest", "platt"), ("forest", "isotonic"), ("boosting", "platt"), ("boosting", "isotonic"))
Found = dict[int | None, dict[str, list[Candidate]]]


@dataclass(frozen=True)
class Corpus:
    """What of a project's artefacts is read."""

    project: Project
    scores: Path
    decision: Path
    truth: Truth
    first: dict[str, list[Event]]


def opened(project: Project) -> Corpus:
    steps = find_steps(chosen_steps(project, until="decision"), project)
    missing = [name for name, path in steps.items() if path is None]
    if missing:
        raise SystemExit(f"{project.file}: the step {missing[0]} is not done; run `ossicle run --until decision` first")
    truth = read_truth(CorpusFolder.among(steps), DatasetFolder.among(steps))
    first = DecisionFolder.among(steps).events(truth.ids)
    return Corpus(project, steps["scores"], steps["decision"], truth, first)


def gathered(corpus: Corpus, share: float) -> Found:
    chosen, decisions = feature_settings(corpus.project), DecisionFolder(corpus.decision).decisions
    gathered_candidates: Found = {fold: {} for fold in decisions}
    for key in corpus.truth.ids:
        path = corpus.project.audio_folder / corpus.truth.recordings[key].path
        track = ScoresFolder(corpus.scores).track(key)
        for fold, candidates in candidates_of(path, track, chosen, decisions, share).items():
            gathered_candidates[fold][key] = candidates
    return gathered_candidates


def dealt(candidates: Found) -> Found:
    """The acoustic features of every label's candidates dealt anew among them, over all recordings."""
    out: Found = {}
    for fold, by_recording in candidates.items():
        flat = [
            (key, index, candidate)
            for key, recording_candidates in by_recording.items()
            for index, candidate in enumerate(recording_candidates)
        ]
        out[fold] = {key: list(recording_candidates) for key, recording_candidates in by_recording.items()}
        for label in {candidate.event.label for _, _, candidate in flat}:
            label_entries = [entry for entry in flat if entry[2].event.label == label]
            order = np.random.default_rng(seed_of("dealt", label)).permutation(len(label_entries))
            for (key, index, candidate), other in zip(label_entries, order.tolist(), strict=True):
                acoustic = label_entries[other][2].features[: len(FEATURES)]
                out[fold][key][index] = replace(
                    candidate, features=np.concatenate([acoustic, candidate.features[len(FEATURES) :]])
                )
    return out


def rows(corpus: Corpus, shares: list[float]) -> Iterator[str]:
    settings = corpus.project.settings
    criterion = IouMatch(threshold=settings.evaluation.iou)
    for share in shares:
        began = time.monotonic()
        candidates = gathered(corpus, share)
        spent, number = time.monotonic() - began, sum(len(by_recording) for by_recording in candidates[None].values())
        variants = [(kind, calibration, candidates) for kind, calibration in VARIANTS]
        variants.append(("scores and length alone", "platt", dealt(candidates)))
        for kind, calibration, variant_candidates in variants:
            began = time.monotonic()
            stage_settings = replace(
                settings.second_stage,
                kind="forest" if kind == "scores and length alone" else kind,
                calibration=calibration,
                lower_on=share,
            )
            both = judge(
                corpus.truth,
                variant_candidates,
                feature_settings(corpus.project),
                stage_settings,
                criterion,
                settings.project.workers,
            )
            bootstrap = gain(corpus.truth, corpus.first, both.events, criterion, 1000, settings.evaluation.seed)
            yield (
                f"| {share:g} | {number} | {kind} | {calibration} | {bootstrap.value[1]:.3f} | "
                f"{bootstrap.value[2]:.3f} ({bootstrap.low[2]:.3f} to {bootstrap.high[2]:.3f}) | "
                f"{bootstrap.value[0]:+.3f} ({bootstrap.low[0]:+.3f} to {bootstrap.high[0]:+.3f}) | "
                f"{'yes' if bootstrap.low[0] > 0 else 'no'} | {spent:.0f} + {time.monotonic() - began:.0f} |"
            )


def table(corpus: Corpus, shares: list[float]) -> str:
    truth, settings = corpus.truth, corpus.project.settings
    lines = [
        f"# Second stage on {settings.project.name}: {date.today().isoformat()}",
        "",
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}. "
        f"{len(truth.ids)} recordings, {sum(truth.durations_s.values()) / 3600:.2f} h, {len(truth.annotations)} "
        f"annotations of {', '.join(truth.labels)}; {len(set(truth.groups.values()))} groups by "
        f"{settings.split.group}, {len(set(truth.folds.values()))} folds. Event F1 at IoU {settings.evaluation.iou:g}, "
        "out of fold; seconds: features + fits.",
        "",
        "| lower_on | candidates | kind | calibration | first stage | both | gain | kept | seconds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for line in rows(corpus, shares):
        print(line, flush=True)
        lines.append(line)
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path, nargs="?", help="a project that was run up to its decision, or its file")
    parser.add_argument("--set", dest="overrides", action="append", default=[], help="as `ossicle run --set`")
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--lower-on", type=float, nargs="+", default=[0.5], help="shares of the on threshold")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser)
    if args.smoke:
        args.project = args.scratch / "project"
        make_tape_project(args.project)
        ossicle("run", "-p", args.project, "--until", "decision", "--progress", "plain")
    elif args.project is None:
        parser.error("name a project")
    corpus = opened(load_project(args.project, args.overrides, args.data_root))
    text = table(corpus, args.lower_on)
    args.out.mkdir(parents=True, exist_ok=True)
    name = f"{date.today().isoformat()}-second_stage-{corpus.project.settings.project.name}.md"
    (args.out / name).write_text(text)


if __name__ == "__main__":
    main()
