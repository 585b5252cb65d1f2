"""What each known division of clips flatters: its figures beside the grouped ones, of the same network on real tapes.

For every preset, `ossicle dataset optimism` trains a network that holds out the division's clips of val and test, and
one for each site that holds out the site, on the same dataset; then it judges both on the division's test clips, and
the second on all. Short trainings of one seed: the differences are what is looked at. Everything goes through the
command line.
"""

import argparse
import os
import platform
import tempfile
from datetime import date
from pathlib import Path

from commands import options, ossicle, ossicle_json
from machine import RESULTS
from smoke import parsed, recordings
from stand_ins import TINY_TAPES

PRESETS = (
    "random",
    "random_more_noise",
    "quality_balanced",
    "clipwise_balanced",
    "quality_and_clipwise_balanced",
    "proportional_by_tape",
)


def project(folder: Path, tapes: Path) -> None:
    """A project on the tapes with a variant for every preset."""
    new = ["new", "tapes", folder, "--audio", tapes / "audio", "--annotations", tapes / "selections"]
    ossicle(*new, "--group", "site", capture=True)
    lines = [f'[variants.{name}]\nbase = "preset:{name}"\n' for name in PRESETS]
    # The tapes say no quality worse than others to be left out.
    lines.append("[variants.proportional_by_tape.dataset]\nquality_min = 0\n")
    with (folder / "ossicle.toml").open("a") as file:
        file.write("\n" + "\n".join(lines))


def rows_of(folder: Path, name: str, sets: list[str]) -> list[dict]:
    command = ["dataset", "optimism", "-p", folder, "--variant", name, "--progress", "plain"]
    rows: list[dict] = ossicle_json(*command, *options(sets))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--presets", nargs="+", default=list(PRESETS), choices=PRESETS)
    parser.add_argument("--set", action="append", default=[], help="a setting for every training, TABLE.KEY=VALUE")
    parser.add_argument("--work", type=Path, help="folder for the project; else a temporary one")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, presets=["random"], set=list(TINY_TAPES))
    tapes = recordings("tapes", args)
    if tapes is None:
        return
    lines = [
        f"# What known divisions flatter: {date.today().isoformat()}",
        "",
        f"`benchmarks/bench_optimism.py {' '.join(f'--set {override}' for override in args.set)}`; {os.cpu_count()} "
        f"cores, Python {platform.python_version()}. Ten tapes of four sites, 274 annotated notes; figures of single "
        "clips, F1 and accuracy under a threshold that other clips chose. One seed; an F1 of 100 clips is good to "
        "about 0.05.",
        "",
        "| preset | judged on | split of the network | clips with, without | AP | ROC AUC | F1 | accuracy |",
        "|---|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as temporary:
        folder = (args.work or Path(temporary)) / "optimism"
        project(folder, tapes)
        for name in args.presets:
            for row in rows_of(folder, name, args.set):
                for label_figures in row["labels"].values():
                    counts = f"{label_figures['n_positive']}, {label_figures['n_negative']}"
                    figures = " | ".join(
                        "–" if label_figures[key] is None else f"{label_figures[key]:.3f}"
                        for key in ("average_precision", "roc_auc", "f1", "accuracy")
                    )
                    split = f"{row['strategy']}{' (leaky)' if row['leaky'] else ''}"
                    lines.append(f"| {name} | {row['clips']} | {split} | {counts} | {figures} |")
                    print(lines[-1], flush=True)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / f"{date.today().isoformat()}-optimism.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
