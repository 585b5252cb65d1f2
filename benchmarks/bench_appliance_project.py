"""Appliance states: `ossicle new appliances` and `ossicle run`, next to logistic regression on its windows.

Each part of the day is held out in turn. The baseline reads mean, deviation and 10th percentile of the log-mel bands
of each window (C = 0.01), with a threshold of 0.5. Ours is given with the thresholds that were fitted on the other
part of the day, and with 0.5. The difference is that of the worst direction, paired over recordings.

    .venv/bin/python benchmarks/bench_appliance_project.py [--windows 2 6] [--sets encoder.name=acoustic]
"""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from commands import ossicle
from machine import RESULTS, described, table, write_result
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from smoke import parsed, recordings

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.engine.step import find_steps
from ossicle.app.steps.pipeline.pipelines import steps_of
from ossicle.app.steps.score.state_plan import state_plan
from ossicle.artefacts.files import read_json
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.results.published import METRICS
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.states import StateDecisionFolder, StateScoresFolder
from ossicle.audio.decoding.mono import load_mono
from ossicle.audio.features.logmel import log_mel
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.evaluation.ground_truth import read_truth
from ossicle.evaluation.states.fold_figures import CROSS_FITTED, FoldFigures, ResampleSettings, fold_figures
from ossicle.evaluation.states.judging_rule import JudgingRule, judging_rule
from ossicle.evaluation.states.out_of_fold import scored_states
from ossicle.evaluation.states.paired_gain import paired_gain, state_counts
from ossicle.evaluation.states.recordings import LabelledWindows, labelled_windows
from ossicle.inference.states.fit import ScoredStates

TEMPLATE = "ac-{ac:on|off}-fridge-{fridge:on|off}-{daypart:day|night}"
FRONT = FrontEndSettings()
HOPS = 4
"""Windows overlap by three quarters, as in the baseline."""


def run_project(work: Path, audio: Path, window_s: float, sets: list[str]) -> Project:
    """Create and run a project; returns it loaded."""
    folder = work / f"{window_s:g}s"
    ossicle("new", "appliances", folder, "--audio", audio, "--template", TEMPLATE, "--force")
    chosen = (f"features.window_s={window_s:g}", f"features.hop_s={window_s / HOPS:g}", *sets)
    ossicle("run", "-p", folder, *(word for override in chosen for word in ("--set", override)))
    return load_project(folder, chosen)


def logistic(project: Project, windows: LabelledWindows, lengths: Mapping[str, int]) -> dict[str, np.ndarray]:
    """Held-out scores of the baseline by recording, for at most ``lengths`` windows each."""
    size, hop = (round(seconds * FRONT.rate / FRONT.hop_samples) for seconds in window_and_hop(project))
    rows = {}
    for key in windows.ids:
        frames = log_mel(load_mono(project.audio_folder / windows.paths[key], FRONT.rate), FRONT)
        starts = range(0, len(frames) - size + 1, hop)
        parts = [frames[start : start + size] for start in starts][: lengths[key]]
        rows[key] = np.array([np.r_[part.mean(0), part.std(0), np.percentile(part, 10, axis=0)] for part in parts])
    scores = {key: np.zeros((len(row), len(windows.labels)), dtype=np.float32) for key, row in rows.items()}
    for fold in set(windows.folds.values()):
        train = [key for key in windows.ids if windows.folds[key] != fold]
        x = np.concatenate([rows[key] for key in train])
        truth = np.concatenate([windows.truth[key][: len(rows[key])] for key in train])
        for column in range(len(windows.labels)):
            model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000)).fit(x, truth[:, column])
            for key in windows.ids:
                if windows.folds[key] == fold:
                    scores[key][:, column] = model.predict_proba(rows[key])[:, 1]
    return scores


def window_and_hop(project: Project) -> tuple[float, float]:
    """Window and hop of a project in seconds."""
    return project.settings.features.window_s, project.settings.features.hop_s


def compared(project: Project, bootstrap: int) -> list[list[str]]:
    """The rows of the table for one project, and the paired difference."""
    artefacts = {name: path for name, path in find_steps(steps_of(project), project).items() if path is not None}
    dataset, features = DatasetFolder.among(artefacts), FeaturesFolder.among(artefacts)
    windows = labelled_windows(read_truth(CorpusFolder.among(artefacts), dataset), features)
    ours = scored_states(windows, StateScoresFolder.among(artefacts))
    baseline = logistic(project, windows, {key: len(states.scores) for key, states in ours.items()})
    n = {key: min(len(ours[key].scores), len(baseline[key])) for key in windows.ids}
    ours = {key: cut(states, states.scores, n[key]) for key, states in ours.items()}
    baseline_states = {key: cut(states, baseline[key], n[key]) for key, states in ours.items()}
    written = StateDecisionFolder.among(artefacts).written["folds"]
    fitted = {int(fold): judging_rule(decision) for fold, decision in written.items()}
    half = {fold: JudgingRule(rule.decision, dict.fromkeys(windows.labels, 0.5)) for fold, rule in fitted.items()}
    resample_settings = ResampleSettings(bootstrap, 0, project.settings.state_decision.within_s)
    plan = state_plan(project, features.spec)
    rows = []
    for name, scored, rules in (
        ("ours", ours, fitted),
        ("ours, at 0.5", ours, half),
        ("logistic", baseline_states, half),
    ):
        folds = [
            fold_figures(
                dataset.fold_name(fold),
                CROSS_FITTED,
                {key: states for key, states in scored.items() if states.fold == fold},
                windows.labels,
                rule,
                plan,
                resample_settings,
            )
            for fold, rule in rules.items()
        ]
        rows += [row(f"{project.settings.features.window_s:g} s", name, one) for one in folds]
    counts = [state_counts(baseline_states, windows.labels, half), state_counts(ours, windows.labels, fitted)]
    gain = paired_gain(counts[0], counts[1], windows.folds, windows.groups, bootstrap, 0)
    insufficient = read_json(project.results / METRICS)["insufficient"]
    difference = f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"
    last = [rows[0][0], "ours minus logistic", "worst of both", difference, "", "", "insufficient" * insufficient]
    return [*rows, last]


def cut(states: ScoredStates, scores: np.ndarray, n: int) -> ScoredStates:
    """The first ``n`` windows of a recording, with these scores."""
    return replace(states, scores=scores[:n], truth=states.truth[:n])


def row(window: str, name: str, fold_figures: FoldFigures) -> list[str]:
    """One line of the table."""
    level = fold_figures.windows
    figures = (level.state_accuracy, level.f1_unmasked["fridge"], level.f1["fridge"], fold_figures.files.state_accuracy)
    return [window, name, fold_figures.name, *map(cell, figures)]


def cell(estimate: Any) -> str:
    """A figure with its interval."""
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def main() -> None:
    """Run every window and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=float, nargs="+", default=[2.0, 6.0], help="lengths of windows in seconds")
    parser.add_argument("--sets", nargs="*", default=[], help="settings of the project, as TABLE.KEY=VALUE")
    parser.add_argument("--bootstrap", type=int, default=1000, help="resamples of the intervals")
    parser.add_argument("--work", type=Path, default=Path("work/appliances"), help="folder of the projects")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the table")
    tiny = ["head.epochs=4", "state_decision.switches=20", "report.examples=0", "evaluation.bootstrap=100"]
    args = parsed(parser, windows=[2.0], bootstrap=100, sets=tiny)
    audio = recordings("appliances", args)
    if audio is None:
        return
    rows = [
        line
        for window in args.windows
        for line in compared(run_project(args.work, audio, window, args.sets), args.bootstrap)
    ]
    head = ("window", "model", "held out", "state accuracy", "F1 fridge, not hidden", "F1 fridge, all", "files")
    lengths = " ".join(f"{window:g}" for window in args.windows)
    caption = (
        f"`bench_appliance_project.py --windows {lengths}`: the named part of the day is held out. "
        "Eight recordings: every figure is *insufficient* for a claim about other rooms.\nThe values of the acoustic "
        "encoder were chosen on these recordings (`docs/encoders.md`), so even its held-out figures are optimistic."
    )
    write_result(
        "appliance-project",
        f"# Appliance states, through a whole project\n\n{described(['torch'])}\n\n{caption}\n\n{table(head, rows)}",
        args.out,
    )


if __name__ == "__main__":
    main()
