"""Onsets of whole recordings: patterns of held-out machines, with labels of all hits or contradictory single ones.

Machines of ``drum_machines`` are divided into kits, and patterns are made of the hits of one kit each
(`drum_patterns.py`). Kits are in train, val or test by the hash of their names, as `ossicle new drums --manifest` says;
60 patterns of 20 s are of test kits. Two projects hear the same training patterns for equally many steps:

- multi-label: every hit of a pattern is annotated;
- contradictory: simultaneous hits are separated as the old scripts did, one label for each clip: each training pattern
  occurs several times, and in each copy only one of the hits that are struck at once is annotated.

Both are judged on the same 60 patterns with all labels, at 30 ms. A third row gives the contradictory model one answer
for each onset, the label with the highest score, as the old scripts did. The figures are compared with `mir_eval`, and
`ossicle predict --format midi` is read back with `pretty_midi`.

The second row has what the old scripts had not: an independent score for each label, and thresholds from patterns in
which every hit is annotated. With several copies of a pattern the network learns a score of about one half for each of
two simultaneous hits, and such a threshold finds both: the contradiction costs certainty, not hits. The old scripts
answered with the one label of the highest softmax score, so the third row is the comparison with them. With one answer
for each onset no model can exceed a bound on simultaneous hits, which ``--bound`` computes without training.
"""

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import mir_eval
import numpy as np
import pretty_midi
from commands import ossicle
from drum_patterns import Hit, Kit, Samples, load_kits, make_pattern, write_patterns
from machine import RESULTS, described, table, write_result
from single_answers import OneAnswerBound, one_answer_bound, single_answers
from smoke import parsed, recordings, require

from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Silent
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.events import SecondStageFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.core.tracks import Event
from ossicle.corpus.splits.folds import SplitSettings
from ossicle.corpus.splits.hashed_split import hashed_fold
from ossicle.corpus.splits.split_kinds import SPLIT_NAMES
from ossicle.corpus.transcription.drum_notes import notes_of
from ossicle.corpus.transcription.midi import midi_notes, write_midi
from ossicle.evaluation.criteria.onsets import OnsetCriterion
from ossicle.evaluation.figures.onsets import onset_figures
from ossicle.evaluation.ground_truth import Truth, read_evaluated_truth
from ossicle.evaluation.settings import EvaluationSettings

SETS = ("multi-label", "contradictory")
WINDOW_S = 0.03
COPIES = 2
BARS = {"kick": 0.80, "snare": 0.80, "hihat_closed": 0.80}
GAIN = 0.10


def part_of(kit: str) -> str:
    """The part of the split that a kit is in."""
    return SPLIT_NAMES[hashed_fold(kit, SplitSettings(strategy="hashed", group="kit"))]


def kits_by_part(kits: Mapping[str, Kit], shares: Mapping[str, int]) -> dict[str, dict[str, Kit]]:
    """Name kits so that the hash of their names puts ``shares`` of them into each part, the rest into train."""
    out: dict[str, dict[str, Kit]] = {"test": {}, "val": {}, "train": {}}
    parts_in_turn = [part for part, n in shares.items() for _ in range(n)]
    names = iter(f"k{number}" for number in range(10_000))
    for index, kit in enumerate(kits.values()):
        part = parts_in_turn[index] if index < len(parts_in_turn) else "train"
        out[part][next(name for name in names if part_of(name) == part)] = kit
    return out


def separated(hits: Sequence[Hit], copy: int) -> list[Hit]:
    """Keep one of the hits that are struck at once: another one in each copy."""
    by_onset: dict[float, list[Hit]] = {}
    for hit in hits:
        by_onset.setdefault(hit.onset_s, []).append(hit)
    return [together[copy % len(together)] for together in by_onset.values()]


def drawn(
    parts: Mapping[str, Mapping[str, Kit]], part: str, n: int, args: argparse.Namespace
) -> Iterator[tuple[str, str, Samples, list[Hit]]]:
    """The patterns of a part: name, kit, samples and hits."""
    kits = sorted(parts[part].items())
    for number in range(n):
        kit_name, kit = kits[number % len(kits)]
        rng = np.random.default_rng([args.seed, number, len(part)])
        yield f"{part}{number:03d}", kit_name, *make_pattern(kit, args.seconds, rng)


def divided(machines: Path, args: argparse.Namespace) -> dict[str, dict[str, Kit]]:
    """The kits of each part."""
    return kits_by_part(load_kits(machines, args.kits), {"test": args.test_kits, "val": args.val_kits})


def onsets_of_test(machines: Path, args: argparse.Namespace) -> list[list[float]]:
    """The times of all hits of each test pattern."""
    made = drawn(divided(machines, args), "test", args.test, args)
    return [[hit.onset_s for hit in hits] for *_, hits in made]


def in_words(bound: OneAnswerBound, args: argparse.Namespace) -> str:
    """The bound of one answer for each onset."""
    return (
        f"Bound of one answer for each onset: the {args.test} test patterns have {bound.n_hits} hits that are struck "
        f"with others, at {bound.n_onsets} onsets. One right answer at each of these has an F1 of {bound.f1:.3f}; no "
        "model with one answer has more."
    )


def make_sets(work: Path, machines: Path, args: argparse.Namespace) -> dict[str, list[Hit]]:
    """Write both sets of patterns; return the hits of the test patterns by name."""
    parts = divided(machines, args)
    whole, single, truth = {}, {}, {}
    for part, n in (("test", args.test), ("val", args.val), ("train", args.train)):
        for name, kit_name, samples, hits in drawn(parts, part, n, args):
            whole[name] = (kit_name, samples, hits)
            if part != "train":
                single[name] = whole[name]
                truth |= {name: hits} if part == "test" else {}
                continue
            single |= {f"{name}-{copy}": (kit_name, samples, separated(hits, copy)) for copy in range(COPIES)}
    write_patterns(work / SETS[0], whole)
    write_patterns(work / SETS[1], single)
    return truth


def found_in(folder: Path, data: Path, settings: Sequence[str]) -> tuple[Truth, dict[str, list[Event]]]:
    """Create a project, train its transcription, and return the truth and the held-out onsets of the test patterns."""
    if not (folder / "ossicle.toml").exists():
        arguments = ["--manifest", data / "events.jsonl", "--audio-root", data / "audio", "--group", "kit"]
        ossicle("new", "drums", folder, *arguments)
    project = load_project(folder, tuple(settings), variant="onsets")
    artefacts = run_project(project, Silent(), "second_stage").artefacts
    truth = read_evaluated_truth(CorpusFolder.among(artefacts), DatasetFolder.among(artefacts))
    events = SecondStageFolder.among(artefacts).events(truth.ids)
    return truth, {key: list(events[key]) for key in truth.ids}


def mir_eval_f1(truth: Truth, events: Mapping[str, Sequence[Event]], labels: Sequence[str]) -> float:
    """The same F1 from mir_eval: recordings and labels are laid one after another."""
    places = [(key, label) for key in truth.ids for label in labels]
    apart_s = 1.0 + max(truth.durations_s.values())
    reference, estimated = [np.zeros(0)], [np.zeros(0)]
    for index, (key, label) in enumerate(places):
        at_s = apart_s * index
        reference.append(at_s + np.sort(truth.references[key].get(label, np.zeros((0, 2)))[:, 0]))
        estimated.append(at_s + np.sort([event.start_s for event in events[key] if event.label == label]))
    if not any(map(len, estimated)) or not any(map(len, reference)):
        return 0.0
    return float(mir_eval.onset.f_measure(np.concatenate(reference), np.concatenate(estimated), window=WINDOW_S)[0])


def midi_error_s(events: Mapping[str, Sequence[Event]], labels: Sequence[str]) -> float:
    """The largest difference of an onset to that of the MIDI file, as pretty_midi reads it."""
    notes, worst = notes_of(labels, {}), 0.0
    with tempfile.TemporaryDirectory() as scratch:
        for number, of in enumerate(events.values()):
            path = Path(scratch) / f"{number}.mid"
            onsets = [(event.start_s, event.label) for event in of]
            write_midi(path, midi_notes(onsets, [event.score for event in of], notes))
            read = [note for drums in pretty_midi.PrettyMIDI(str(path)).instruments for note in drums.notes]
            read_notes = sorted((note.pitch, note.start) for note in read)
            expected = sorted((notes[label], time_s) for time_s, label in onsets)
            require([pitch for pitch, _ in read_notes] == [pitch for pitch, _ in expected], "MIDI holds every onset")
            worst = max([worst, *(abs(a - b) for (_, a), (_, b) in zip(read_notes, expected, strict=True))])
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--work", type=Path, default=Path("work-transcription"))
    for name, value in (("kits", 17), ("test-kits", 5), ("val-kits", 2), ("test", 60), ("val", 14), ("train", 100)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--seconds", type=float, default=20.0, help="length of a pattern")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], help="a setting of both projects")
    parser.add_argument("--bound", action="store_true", help="only the bound of one answer for each onset")
    tiny = ["training.epochs=1", "training.steps_per_epoch=1", "training.batch_size=2", "evaluation.bootstrap=100"]
    args = parsed(parser, kits=4, test_kits=1, val_kits=1, test=2, val=1, train=2, seconds=3.0, set=tiny)
    machines = recordings("drum_machines", args)
    if machines is None:
        return
    bound = one_answer_bound(onsets_of_test(machines, args), WINDOW_S)
    if args.bound:
        write_result(
            "transcription-bound",
            f"# One answer for each onset\n\n{described()}\n\n{in_words(bound, args)}",
            args.out,
        )
        return
    if not (args.work / SETS[1]).exists():
        make_sets(args.work, machines, args)
    settings = EvaluationSettings(criterion="onsets", onset_s=WINDOW_S)
    rule, figures, labels = OnsetCriterion(settings).rule, dict[str, dict[str, Any]](), tuple[str, ...]()
    largest_difference, worst_midi_s = 0.0, 0.0
    for name in SETS:
        truth, events = found_in(args.work / f"project-{name}", args.work / name, args.set)
        labels = truth.labels
        rows = {name: events}
        if name == SETS[1]:
            rows["contradictory, one answer"] = {key: single_answers(of, WINDOW_S) for key, of in events.items()}
        for row, found in rows.items():
            figures[row] = onset_figures(truth, found, rule, settings)
            for label in (*labels, ""):
                own = figures[row]["f1"][label]["value"] if label else figures[row]["f1"]["value"]
                peer_f1 = mir_eval_f1(truth, found, [label] if label else labels)
                # mir_eval calls a figure of nothing 0; figures in files have six decimals.
                largest_difference = max(largest_difference, abs((own or 0.0) - peer_f1))
            worst_midi_s = max(worst_midi_s, midi_error_s(found, labels))
    require(largest_difference <= 1e-6, "figures equal those of mir_eval to the six decimals of metrics.json")
    require(worst_midi_s < 1e-3, "MIDI is read back within a millisecond")
    write_result("transcription", report(figures, labels, args, worst_midi_s, bound), args.out)


def report(
    figures: Mapping[str, Mapping[str, Any]],
    labels: Sequence[str],
    args: argparse.Namespace,
    worst_midi_s: float,
    bound: OneAnswerBound,
) -> str:
    """The tables: all labels and each, then simultaneous onsets, then the bars."""

    def cell(estimate: Mapping[str, Any]) -> str:
        if estimate["value"] is None:
            return "-"
        return (
            f"{estimate['value']:.3f}"
            if estimate["low"] is None
            else f"{estimate['value']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"
        )

    names = list(figures)
    every = [["all (micro)", *(cell(figures[name]["f1"]) for name in names)]]
    every += [[label, *(cell(figures[name]["f1"][label]) for name in names)] for label in labels]
    together = [["all (micro)", *(cell(figures[name]["simultaneous"]["f1"]) for name in names)]]
    together += [
        [bar, *(cell(figures[name]["simultaneous"]["f1"][bar]) for name in names)] for bar in BARS if bar in labels
    ]
    multi = figures[SETS[0]]
    bars = [
        [f"{label} >= {bar:.2f}", cell(multi["f1"][label]), met((multi["f1"][label]["value"] or 0) >= bar)]
        for label, bar in BARS.items()
        if label in labels
    ]
    for name in names[1:]:
        gain = (multi["simultaneous"]["f1"]["value"] or 0) - (figures[name]["simultaneous"]["f1"]["value"] or 0)
        bars.append([f"simultaneous: {GAIN:.2f} above {name}", f"{gain:+.3f}", met(gain >= GAIN)])
    return "\n".join(
        [
            "# Onsets of whole recordings",
            "",
            __doc__ or "",
            f"{described(('torch', 'mir_eval', 'pretty_midi', 'mido'))}",
            "",
            f"{args.train} training patterns of {args.seconds:g} s, {args.val} that choose thresholds, "
            f"{args.test} that are judged, of {args.test_kits} of {args.kits} kits; seed {args.seed}. F1 at 30 ms, "
            "with 95 % intervals over kits where there are enough. Equal to mir_eval in all rows. The largest error of "
            "an onset read back from MIDI: "
            f"{1000 * worst_midi_s:.3f} ms.",
            "",
            "## All onsets",
            "",
            table(["F1", *names], every),
            "",
            "## Onsets with one of another drum at most 30 ms away",
            "",
            table(["F1", *names], together),
            "",
            in_words(bound, args),
            "",
            "## Bars",
            "",
            table(["bar", "figure", ""], bars),
        ]
    )


def met(holds: bool) -> str:
    return "met" if holds else "missed"


if __name__ == "__main__":
    main()
