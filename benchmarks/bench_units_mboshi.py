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
    seen: dict[str, list[Path]] = {}
    for path in sorted((folder / "audio").iterdir()):
        seen.setdefault(path.stem.split("_")[0], []).append(path)
    files = [path for paths in seen.values() for path in paths[:most]]
    return speech_of(files, lambda key: key.split("_")[0], words)


def rows_of(method: str, found: Judged) -> list[list[str]]:
    """One row for each held-out speaker."""
    rows = []
    for speaker, fold in found.folds.items():
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
    asked = parsed(parser, resamples=20, methods=[JUDGED], until="features")
    folder = recordings("mboshi", asked)
    if folder is None:
        return
    cost = run_cost(folder, asked.work, asked.until) if asked.work else "The cost of a run was not measured."
    speech = read_speech(folder, asked.most)
    judged = {method: judge(speech, method, asked.resamples) for method in asked.methods}
    lines = [
        "# Units of Mboshi against its words\n",
        f"{len(speech.files)} utterances (--most {asked.most}); each speaker is held out in turn; 100 units.",
        "Permuted: AMI of the same units permuted over the frames. Shifted: of the same units moved in time, which",
        "runs of units and words reach without hearing anything. Intervals of AMI: jackknife over utterances. ABX",
        "between words, X of the held-out speaker.\n",
        table(
            ["features", "held out", "AMI", "permuted", "shifted", "NMI", "purity", "boundary F", "R-value", "bits/s",
             "repeats", "ABX of units, within", "across"],
            [row for method, found in judged.items() for row in rows_of(method, found)],
        ),
        "",
        table(
            ["features", "mean AMI", "worst", "mean AMI above shifted", "ABX of frames, within", "across"],
            [summary(method, found) for method, found in judged.items()],
        ),
        "",
        cost,
        "",
        verdict(judged.get(JUDGED)),
        "",
        described(["numpy", "scikit-learn"]),
    ]  # fmt: skip
    write_result("units-mboshi", "\n".join(lines), asked.out)


def summary(method: str, found: Judged) -> list[str]:
    """Mean and worst AMI, and the ABX errors before quantising."""
    agreements = [fold.words.agreement for fold in found.folds.values() if fold.words]
    values = [one.ami.value for one in agreements]
    above = np.mean([one.ami.value - one.ami_shifted for one in agreements])
    means = [f"{np.mean(values):.4f}", f"{min(values):.4f}", f"{above:.4f}"]
    return [method, *means, *(with_interval(frame.error) for frame in found.frames.values())]


def verdict(found: Judged | None) -> str:
    """Whether the bars of quality are met, in words."""
    if found is None:
        return f"The bars are about {JUDGED!r}, which was not measured."
    values = [fold.words.agreement.ami.value for fold in found.folds.values() if fold.words]
    met = np.mean(values) >= BAR_MEAN and min(values) >= BAR_WORST
    return (
        f"Bars ({JUDGED}): mean AMI {np.mean(values):.4f} (at least {BAR_MEAN}), worst {min(values):.4f} (at least "
        f"{BAR_WORST}): {'met' if met else 'missed'}."
    )


if __name__ == "__main__":
    main()
