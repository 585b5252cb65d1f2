"""Units of Mboshi against its words, each of three speakers held out in turn, beside the baseline's features.

Bars: with the features of each utterance normalised by itself, as in the baseline, the adjusted mutual information of
units and words is at least 0.13 on average and 0.105 for the worst speaker; `ossicle run --until motifs` takes at most
3 minutes of the processor and 1.2 GiB. How the features were chosen is told in docs/encoders.md.
"""

import argparse
import csv
import resource
from pathlib import Path

import numpy as np
from commands import ossicle
from machine import RESULTS, described, table, write_result
from smoke import parsed, recordings
from unit_features import METHODS, Judged, Speech, judge, speech_of, with_interval

from ossicle.core.records import Annotation

BAR_MEAN, BAR_WORST, BAR_CPU_S, BAR_GIB = 0.13, 0.105, 180, 1.2
JUDGED = "mfcc, by utterance"


def read_speech(folder: Path, most: int) -> Speech:
    """The utterances with their speakers and words; of each speaker the first ``most`` alone."""
    with (folder / "words.tsv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    words = [Annotation(row["utterance"], float(row["start_s"]), float(row["end_s"]), row["word"]) for row in rows]
    by_speaker: dict[str, list[Path]] = {}
    for path in sorted((folder / "audio").iterdir()):
        by_speaker.setdefault(path.stem.split("_")[0], []).append(path)
    files = [path for paths in by_speaker.values() for path in paths[:most]]
    return speech_of(files, lambda key: key.split("_")[0], words)


def rows_of(method: str, outcome: Judged) -> list[list[str]]:
    """One row for each held-out speaker."""
    rows = []
    for speaker, fold in outcome.folds.items():
        assert fold.words is not None
        agreement, edges = fold.words.agreement, fold.words.boundaries
        rows.append(
            [
                method,
                speaker,
                with_interval(agreement.ami),
                f"{agreement.ami_shuffled:.4f}",
                f"{agreement.ami_shifted:.3f}",
                f"{agreement.nmi.value:.3f} (chance {agreement.nmi_chance:.3f})",
                f"{agreement.purity.value:.3f} (shuffled {agreement.purity_shuffled:.3f})",
                f"{edges.f1.value:.3f} (random {fold.words.random_f1:.3f})",
                f"{edges.r_value.value:.3f}",
                f"{fold.rates.bitrate.value:.0f}",
                f"{fold.rates.repeat_rate.value:.2f}",
                *(with_interval(abx.error) for abx in fold.abx.values()),
            ]
        )
    return rows


def run_cost(folder: Path, work: Path, until: str) -> str:
    """What `ossicle run` takes up to a step, in words."""
    project = work / "project"
    ossicle(
        *("new", "units", project, "--audio", folder / "audio", "--words", folder / "words.tsv"),
        *("--group", "speaker", "--name-template", "{speaker}_*"),
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ossicle("run", "-p", project, "--until", until, "--progress", "none")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return (
        f"`ossicle run --until {until}`: {cpu_s:.0f} s of the processor (bar {BAR_CPU_S}), at most "
        f"{after.ru_maxrss / (1 << 20):.2f} GiB in one process (bar {BAR_GIB})."
    )


def main() -> None:
    """Measure, and leave the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=10_000, help="utterances of each speaker")
    parser.add_argument("--resamples", type=int, default=1000, help="resamples of the intervals")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS), metavar="METHOD")
    parser.add_argument("--work", type=Path, help="folder for the project whose run is measured; none: not measured")
    parser.add_argument("--until", default="motifs", help="last step of the run whose cost is measured")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the result")
    args = parsed(parser, resamples=20, methods=[JUDGED], until="features")
    folder = recordings("mboshi", args)
    if folder is None:
        return
    cost = run_cost(folder, args.work, args.until) if args.work else "The cost of a run was not measured."
    speech = read_speech(folder, args.most)
    judged = {method: judge(speech, method, args.resamples) for method in args.methods}
    lines = [
        "# Units of Mboshi against its words\n",
        f"{len(speech.files)} utterances (--most {args.most}); each speaker is held out in turn; 100 units.",
        "Permuted: AMI of the same units permuted over the frames. Shifted: of the same units moved in time, which",
        "runs of units and words reach without hearing anything. Intervals of AMI: jackknife over utterances. ABX",
        "between words, X of the held-out speaker.\n",
        table(
            ["features", "held out", "AMI", "permuted", "shifted", "NMI", "purity", "boundary F", "R-value", "bits/s",
             "repeats", "ABX of units, within", "across"],
            [row for method, outcome in judged.items() for row in rows_of(method, outcome)],
        ),
        "",
        table(
            ["features", "mean AMI", "worst", "mean AMI above shifted", "ABX of frames, within", "across"],
            [summary(method, outcome) for method, outcome in judged.items()],
        ),
        "",
        cost,
        "",
        verdict(judged.get(JUDGED)),
        "",
        described(["numpy", "scikit-learn"]),
    ]  # fmt: skip
    write_result("units-mboshi", "\n".join(lines), args.out)


def summary(method: str, outcome: Judged) -> list[str]:
    """Mean and worst AMI, and the ABX errors before quantising."""
    agreements = [fold.words.agreement for fold in outcome.folds.values() if fold.words]
    ami_values = [agreement.ami.value for agreement in agreements]
    above = np.mean([agreement.ami.value - agreement.ami_shifted for agreement in agreements])
    means = [f"{np.mean(ami_values):.4f}", f"{min(ami_values):.4f}", f"{above:.4f}"]
    return [method, *means, *(with_interval(frame.error) for frame in outcome.frames.values())]


def verdict(outcome: Judged | None) -> str:
    """Whether the bars of quality are met, in words."""
    if outcome is None:
        return f"The bars are about {JUDGED!r}, which was not measured."
    ami_values = [fold.words.agreement.ami.value for fold in outcome.folds.values() if fold.words]
    met = np.mean(ami_values) >= BAR_MEAN and min(ami_values) >= BAR_WORST
    return (
        f"Bars ({JUDGED}): mean AMI {np.mean(ami_values):.4f} (at least {BAR_MEAN}), worst {min(ami_values):.4f} (at "
        f"least {BAR_WORST}): {'met' if met else 'missed'}."
    )


if __name__ == "__main__":
    main()
