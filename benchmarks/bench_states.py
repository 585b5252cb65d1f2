"""States in scenes of half an hour: switches found, false ones, delay and time in the wrong state.

Heads on the acoustic encoder are trained on the recordings of one part of the day. Their scores of the other part are
out of fold, and so are those of the scenes spliced from it. The rule that judges the scenes of one part is fitted by
replay to the steady recordings of the other. Beside it stands the rule of the old scripts on the same scores: median of
7, 0.80 and 0.60 for the air conditioner, 0.75 and 0.55 for the fridge, debounce 2. The curve gives further rules with
the fitted thresholds. The best of many rules, chosen with the truth of the scenes, says what no rule can mend in these
scores, and the last table in which seconds of which recordings the false switches of our rule lie.

With `--follow-level` scores follow the level (`[head.level] follow`). Copies differ in level and tilt; with
`--background` half of them have sound of the recording in which nothing runs. `--first` takes other scenes.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import torch
from appliance_scenes import LABELS, MASKS, PARTS, ApplianceScene, make_places, make_scene, read_recordings
from followed_levels import following, level_model
from machine import RESULTS, described, table, write_result
from numpy.typing import NDArray
from smoke import parsed, recordings, require

from ossicle.audio.encoders.acoustic import AcousticEncoder
from ossicle.audio.encoders.copies import Background, Copy
from ossicle.audio.encoders.feature_settings import CopySettings
from ossicle.core.decisions.states import StateDecision, StateRule
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.scores.level_settings import LevelSettings
from ossicle.inference.states.fit import ScoredStates, cross_fit_states
from ossicle.inference.states.fit_settings import StateFitSettings
from ossicle.inference.states.fold import StateFold
from ossicle.inference.states.frames import first_full_frame
from ossicle.inference.states.splices import share_of
from ossicle.metrics.states.switches import (
    JudgedStates,
    SwitchFigures,
    matched_switches,
    reported_switches,
    switch_figures,
    true_switches,
)
from ossicle.models.heads.head import Head
from ossicle.models.heads.scoring import head_scores
from ossicle.models.heads.settings import HeadSettings
from ossicle.training.heads.fit import fit_head
from ossicle.training.heads.windows import HeadWindows

WITHIN_S = 3.0
OLD = {
    "ac": StateRule(on=0.8, off=0.6, smoothing="median", frames=7, debounce=2),
    "fridge": StateRule(on=0.75, off=0.55, smoothing="median", frames=7, debounce=2),
}
CURVE = (("none", 1), ("median", 3), ("median", 5), ("median", 7), ("ema", 3), ("ema", 7))
MIDDLES, APART = (-2.0, 0.0, 2.0), (0.0, 4.0, 8.0)
SMOOTHED = (("none", 1, 1), ("none", 1, 2), ("median", 3, 1))
PLACE_S = 5
"""The recordings were mixed from clips of this length."""
MOST_PLACES = 8

ENCODER = AcousticEncoder()
FOLLOWING = LevelSettings(follow=True)
RATE = ENCODER.spec.rate
Embeddings = NDArray[np.float32]


def plan_of(window_s: float, hop_s: float) -> ChunkPlan:
    return ChunkPlan(
        rate=RATE,
        hop_samples=2 * round(hop_s * RATE / 2),
        window_samples=2 * round(window_s * RATE / 2),
        core_frames=1,
        context_frames=0,
    )


def full_windows(samples: NDArray[np.float32], plan: ChunkPlan) -> Iterator[NDArray[np.float32]]:
    """The windows of the frames that lie wholly in the recording."""
    start = first_full_frame(plan) * plan.hop_samples + (plan.hop_samples - plan.window_samples) // 2
    while start + plan.window_samples <= len(samples):
        yield samples[start : start + plan.window_samples]
        start += plan.hop_samples


def encoded(samples: NDArray[np.float32], plan: ChunkPlan, copy: Copy | None = None) -> Embeddings:
    changed = (
        full_window if copy is None else copy(k, full_window)
        for k, full_window in enumerate(full_windows(samples, plan))
    )
    return np.concatenate([ENCODER.encode(samples[None]) for samples in changed])


def trained_head(features: Mapping[str, list[Embeddings]], truth: Mapping[str, tuple[bool, bool]], seed: int) -> Head:
    """A head on the windows of recordings: their embeddings and those of their copies, by name."""
    pieces = [(name, embeddings) for name, own in features.items() for embeddings in own]
    targets = np.concatenate(
        [np.tile(np.array(truth[name], np.float32), (len(embeddings), 1)) for name, embeddings in pieces]
    )
    windows = HeadWindows(
        np.concatenate([embeddings for _, embeddings in pieces]),
        targets,
        np.ones(targets.shape, np.bool_),
        np.ones(len(targets), np.float32),
        np.concatenate([np.full(len(embeddings), name) for name, embeddings in pieces]),
    )
    return fit_head(windows, HeadSettings(pooling="mean"), seed).head


def scores_of(head: Head, embeddings: Embeddings) -> NDArray[np.float32]:
    return np.concatenate(list(head_scores(head, embeddings)))


def reported(
    scene: ApplianceScene, scores: NDArray[np.float32], decision: StateDecision, plan: ChunkPlan
) -> JudgedStates:
    """What a decision reports in a scene, beside the truth."""
    before = np.zeros((first_full_frame(plan), len(LABELS)), np.float32)
    changes = StateFold(decision, LABELS, plan).feed(np.concatenate([before, scores]))
    return JudgedStates(scene.truth, changes, scene.seconds, scene.name)


def judged(
    scenes: Sequence[ApplianceScene],
    scores: Mapping[str, NDArray[np.float32]],
    decisions: Mapping[str, StateDecision],
    plan: ChunkPlan,
) -> dict[str, SwitchFigures]:
    """Figures of all scenes, each under the decision of its part of the day."""
    rows = [reported(scene, scores[scene.name], decisions[scene.part], plan) for scene in scenes]
    return switch_figures(rows, LABELS, WITHIN_S)


def best_rules(
    scenes: Sequence[ApplianceScene], scores: Mapping[str, NDArray[np.float32]], plan: ChunkPlan
) -> StateDecision:
    """The rules with the best F1 of switches in these scenes, of a grid: chosen with their truth, so in-sample."""
    chosen = {label: StateRule(on=0.5, off=0.5) for label in LABELS}
    for label in LABELS:

        def f1(rule: StateRule, label: str = label) -> float:
            decision = StateDecision({**chosen, label: rule}, MASKS, LABELS)
            rows = [reported(scene, scores[scene.name], decision, plan) for scene in scenes]
            figures = switch_figures(rows, LABELS, WITHIN_S, n_bootstrap=1)[label]
            return 2 * figures.n_found / max(1, figures.n_switches + figures.n_found + figures.n_false)

        rules = []
        for middle, gap, (kind, frames, debounce) in product(MIDDLES, APART, SMOOTHED):
            off, on = share_of(np.array([middle - gap / 2, middle + gap / 2])).tolist()
            rules.append(StateRule(on=on, off=off, smoothing=kind, frames=frames, debounce=debounce))
        chosen[label] = max(rules, key=f1)
    return StateDecision(chosen, MASKS, LABELS)


def false_places(label: str, judged: Sequence[JudgedStates], places: Mapping[str, NDArray[np.float32]]) -> Counter[str]:
    """False switches of a label by what runs, the recording's part of the day, and the clip in it."""
    counts: Counter[str] = Counter()
    for judged_states in judged:
        switches, reports = true_switches(judged_states.truth, label), reported_switches(judged_states.changes, label)
        right = {number for _, number in matched_switches(switches, reports, WITHIN_S)}
        for number, change in enumerate(reports):
            states = {
                each.label: each.state for each in judged_states.truth if each.start_s <= change.time_s < each.end_s
            }
            if number in right or states.get(label, "unknown") == "unknown":
                continue
            second = int(places[judged_states.group][int(change.time_s * RATE)] // PLACE_S) * PLACE_S
            states_text = ", ".join(f"{name} {state}" for name, state in states.items())
            counts[f"{judged_states.group.split('-')[0]}: {states_text}; {second} to {second + PLACE_S} s"] += 1
    return counts


def rows_of(name: str, figures_by_label: Mapping[str, SwitchFigures], plan: ChunkPlan) -> list[list[str]]:
    most_delay_s = (plan.window_samples + 2 * plan.hop_samples) / plan.rate
    out = []
    for label, figures in figures_by_label.items():
        holds = (
            figures.found.value >= 0.95
            and figures.delay_median_s <= most_delay_s
            and figures.false_per_hour.value <= 1
            and figures.wrong.value <= 0.02
        )
        out.append(
            [
                name,
                label,
                f"{figures.n_found} of {figures.n_switches}: {figures.found.value:.3f} ({figures.found.low:.3f} to "
                f"{figures.found.high:.3f})",
                f"{figures.delay_median_s:.2f} ({figures.delay_p90_s:.2f})",
                f"{figures.n_false}: {figures.false_per_hour.value:.2f} ({figures.false_per_hour.low:.2f} to "
                f"{figures.false_per_hour.high:.2f})",
                f"{figures.wrong.value:.4f}",
                f"{figures.wrong_live.value:.4f}",
                f"{figures.unknown.value:.4f}",
                "yes" if holds else "no",
            ]
        )
    return out


HEAD = ["rule", "label", "switches found in 3 s", "median delay (p90), s", "false, an hour", "time wrong"]
HEAD += ["time wrong live", "time unknown", "all four bars"]


def with_smoothing(decision: StateDecision, kind: str, frames: int) -> StateDecision:
    rules = {
        label: replace(rule, smoothing=kind, frames=frames, debounce=1, min_on_s=0.0, min_off_s=0.0)
        for label, rule in decision.rules.items()
    }
    return replace(decision, rules=rules)


def rules_text(decisions: Mapping[str, StateDecision]) -> list[str]:
    return [
        f"- {part}, {label}: on {rule.on:.3f}, off {rule.off:.3f}, {rule.smoothing} of {rule.frames}, debounce "
        f"{rule.debounce}, at least {rule.min_on_s:g} s"
        for part, decision in decisions.items()
        for label, rule in decision.rules.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=6, help="scenes of each part of the day")
    parser.add_argument("--seconds", type=float, default=1800.0, help="length of a scene")
    parser.add_argument("--switches", type=int, default=20, help="least number of switches of each appliance")
    parser.add_argument("--window-s", type=float, default=2.0)
    parser.add_argument("--hop-s", type=float, default=0.5)
    parser.add_argument("--copies", type=int, default=2, help="augmented copies of each recording for training")
    parser.add_argument("--follow-level", action="store_true", help="let scores follow the level of the scenes")
    parser.add_argument("--background", action="store_true", help="mix the recording without appliances into copies")
    parser.add_argument("--first", type=int, default=0, help="number of the first scene of each part of the day")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS)
    tiny = {"scenes": 1, "seconds": 60.0, "switches": 1, "copies": 0}
    args = parsed(parser, **tiny)
    folder = recordings("appliances", args)
    if folder is None:
        return
    torch.set_num_threads(1)
    plan = plan_of(args.window_s, args.hop_s)
    sounds = read_recordings(folder, RATE)
    gains_db = np.linspace(-6, 6, args.scenes) if args.scenes > 1 else [3.0]
    truth = {f"{part}-{ac:d}{fridge:d}": (ac, fridge) for part, ac, fridge in sounds}
    features: dict[str, list[Embeddings]] = {}
    quiet = {part: next(folder.glob(f"ac-off-fridge-off-{part}.*")) for part in PARTS}
    for (part, ac, fridge), samples in sounds.items():
        name = f"{part}-{ac:d}{fridge:d}"
        backgrounds = []
        if args.background:
            end_s = len(sounds[part, False, False]) / RATE
            backgrounds = [Background(f"{part}-00", quiet[part], 0.0, end_s, "mean")]
        copies = [Copy(name, k + 1, RATE, CopySettings(), backgrounds) for k in range(args.copies)]
        features[name] = [encoded(samples, plan, copy) for copy in (None, *copies)]
    heads = {
        part: trained_head({name: own for name, own in features.items() if not name.startswith(part)}, truth, args.seed)
        for part in PARTS
    }
    scorings: dict[str, Callable[[Embeddings], NDArray[np.float32]]]
    scorings = {part: partial(scores_of, heads[part]) for part in PARTS}
    if args.follow_level:
        plain = {part: {name: own[:1] for name, own in features.items() if not name.startswith(part)} for part in PARTS}
        models = {part: level_model(plain[part], truth, FOLLOWING) for part in PARTS}
        scorings = {part: following(heads[part], models[part], FOLLOWING, plan.hop_s) for part in PARTS}
    steady = [
        ScoredStates(
            scorings[part](features[f"{part}-{ac:d}{fridge:d}"][0]),
            np.tile(np.array([ac, fridge], np.int8), (len(features[f"{part}-{ac:d}{fridge:d}"][0]), 1)),
            part,
            PARTS.index(part),
        )
        for part, ac, fridge in sounds
    ]
    fit_settings = StateFitSettings(switches=20, debounce=(1, 2), frames=(3,)) if args.smoke else StateFitSettings()
    fitted = cross_fit_states(steady, LABELS, plan, MASKS, LABELS, fit_settings)
    decisions = {part: fitted[PARTS.index(part)].decision for part in PARTS}
    scenes, scores, places = [], {}, {}
    for part in PARTS:
        for number, gain_db in enumerate(gains_db, start=args.first):
            scene = make_scene(sounds, part, number, RATE, args.seconds, float(gain_db), args.switches)
            scores[scene.name] = scorings[part](encoded(scene.samples, plan))
            places[scene.name] = make_places(sounds, part, number, RATE, args.seconds, args.switches)
            scenes.append(replace(scene, samples=np.zeros(0, np.float32)))
    require(
        all(n >= args.switches for scene in scenes for n in scene.switches.values()), "each appliance switches enough"
    )
    old = {part: StateDecision(OLD, MASKS, LABELS) for part in PARTS}
    lines = rows_of("ours, fitted on the other part of the day", judged(scenes, scores, decisions, plan), plan)
    lines += rows_of("old scripts", judged(scenes, scores, old, plan), plan)
    best = best_rules(scenes, scores, plan)
    lines += rows_of("best rule, chosen with the truth", judged(scenes, scores, dict.fromkeys(PARTS, best), plan), plan)
    ours = [reported(scene, scores[scene.name], decisions[scene.part], plan) for scene in scenes]
    where = []
    for label in LABELS:
        counts = false_places(label, ours, places)
        where += [[label, place, f"{n} of {counts.total()}"] for place, n in counts.most_common(MOST_PLACES)]
    curve = []
    for kind, frames in CURVE:
        changed = {part: with_smoothing(decision, kind, frames) for part, decision in decisions.items()}
        curve += rows_of(f"fitted thresholds, {kind} of {frames}", judged(scenes, scores, changed, plan), plan)
    warned = [f"- {part}: {line}" for part in PARTS for line in fitted[PARTS.index(part)].warnings]
    text = [
        f"# States of appliances: {len(scenes)} scenes of {args.seconds / 60:g} minutes",
        "",
        described(["numpy", "torch", "onnxruntime"]),
        "",
        f"Windows of {args.window_s:g} s every {args.hop_s:g} s, acoustic encoder, {args.copies} copies in "
        f"training{', half of them with background' if args.background else ''}; the level is "
        f"{'' if args.follow_level else 'not '}followed; gains of the scenes from "
        f"{min(gains_db):g} to {max(gains_db):g} dB. Intervals are over scenes.",
        "",
        table(HEAD, lines),
        "",
        "Bars: 0.95 of the switches found within 3 s, median delay at most the window and two hops, at most one false "
        "switch an hour and appliance, at most 0.02 of the time in the wrong state.",
        "",
        "Rules:",
        "",
        *rules_text(decisions),
        *warned,
        "",
        "The curve: the fitted thresholds without debounce and minimum times.",
        "",
        table(HEAD, curve),
        "",
        "Where the false switches of our rule lie: what runs, and the clip of the recording that is heard then.",
        "",
        table(["label", "recording and clip", "false switches"], where),
    ]
    write_result("states", "\n".join(text), args.out)


if __name__ == "__main__":
    main()
