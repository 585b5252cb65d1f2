"""The main job on real recordings: scaffold, run, and a table of event figures over seeds.

Everything goes through the command line with the settings that `ossicle new` writes; only the seed differs. The figures
are out of fold with cross-fitted thresholds; `minutes` is the wall time of `ossicle run`.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from datetime import date
from pathlib import Path
from statistics import mean, stdev

from commands import REFUSED, options, ossicle
from machine import RESULTS, cpu
from smoke import parsed, recordings
from stand_ins import TINY_TAPES

from ossicle.artefacts.typed.results.published import PublishedResults

CORPORA = {
    "tapes": ["--group", "site"],
    "finch_song": ["--group", "recording", "--folds", "5"],
}


def run_seed(corpus: str, source: Path, seed: int, work: Path, extra: list[str]) -> dict:
    """The metrics of a new project on the recordings in ``source``, and the minutes that it took."""
    folder = work / f"{corpus}-{seed}"
    new = ["new", "tapes", folder, "--audio", source / "audio", "--annotations", source / "selections", "--force"]
    ossicle(*new, *CORPORA[corpus])
    began = time.monotonic()
    sets = options([f"training.seed={seed}", *extra])
    ossicle("run", "-p", folder, "--progress", "plain", *sets, codes=(0, REFUSED))
    metrics = json.loads(PublishedResults(folder).metrics.read_text())
    return {"seed": seed, "minutes": (time.monotonic() - began) / 60, "metrics": metrics}


def table(corpus: str, runs: list[dict], sets: list[str]) -> str:
    first = runs[0]["metrics"]
    protocol = first["protocol"]
    lines = [
        f"# {corpus}: {date.today().isoformat()}",
        "",
        f"{os.cpu_count()} cores ({cpu()}), Python {platform.python_version()}. {protocol['criterion']}; scores out of "
        f"fold ({protocol['folds']} folds, grouped by {protocol['group']}), decision {protocol['decision']}.",
        f"Settings: those of `ossicle new tapes`{''.join(f', {override}' for override in sets)}.",
        "",
        "| seed | event F1 | precision | recall | macro F1 | in-sample F1 | F1 at 0.2 s collar | gate | minutes |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        metrics = run["metrics"]
        cells = [_interval(metrics["events"][key]) for key in ("f1", "precision", "recall")]
        cells += [_interval(metrics["macro"]["f1"]), _interval(metrics["in_sample"]["events"]["f1"])]
        cells += [_interval(metrics["at_collar"]["events"]["f1"])]
        cells += ["passed" if metrics["gate"]["passed"] else "refused", f"{run['minutes']:.1f}"]
        lines.append(f"| {run['seed']} | " + " | ".join(cells) + " |")
    for name, pick in (("event F1", lambda m: m["events"]), ("macro F1", lambda m: m["macro"])):
        values = [pick(run["metrics"])["f1"]["value"] for run in runs]
        spread = f", standard deviation {stdev(values):.4f}" if len(values) > 1 else ""
        lines += ["", f"Mean {name} over {len(values)} seeds: **{mean(values):.4f}**{spread}."]
    grid = first["frame_grid"]
    lines += [
        "",
        f"Frames of {1000 * grid['hop_s']:g} ms: perfect scores on this grid would reach F1 {grid['ceiling_f1']:.4f} "
        f"(macro {grid['ceiling_macro_f1']:.4f}); of {grid['neighbours']} neighbouring annotations of one class "
        f"{grid['closer_than_20_ms']} lie less than 20 ms apart, {grid['closer_than_a_frame']} less than a frame.",
        "",
        "| seed | " + " | ".join(f"IoU {row['iou']:g}" for row in first["iou_sweep"]) + " |",
        "|---|" + "---|" * len(first["iou_sweep"]),
    ]
    for run in runs:
        lines.append(
            f"| {run['seed']} | " + " | ".join(f"{row['f1']:.3f}" for row in run["metrics"]["iou_sweep"]) + " |"
        )
    lines += ["", "| seed | " + " | ".join(f"group {name}" for name in _groups(first)) + " |"]
    lines.append("|---|" + "---|" * len(_groups(first)))
    for run in runs:
        per_group = run["metrics"]["per_group"]
        lines.append(
            f"| {run['seed']} | "
            + " | ".join(_number(per_group[name]["f1"]["value"]) for name in _groups(first))
            + " |"
        )
    return "\n".join(lines) + "\n"


def _groups(metrics: dict) -> list[str]:
    return sorted(metrics["per_group"])[:8]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _interval(estimate: dict) -> str:
    if estimate["low"] is None:
        return _number(estimate["value"])
    return f"{estimate['value']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", nargs="+", default=list(CORPORA), choices=list(CORPORA))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--set", nargs="*", default=[], help="settings for `ossicle run`, for experiments")
    parser.add_argument("--work", type=Path, help="folder to keep the projects in; else a temporary one")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, corpus=["tapes"], seeds=[0], set=list(TINY_TAPES))
    with tempfile.TemporaryDirectory() as temporary:
        for corpus in args.corpus:
            source = recordings(corpus, args)
            if source is None:
                continue
            runs = [run_seed(corpus, source, seed, args.work or Path(temporary), args.set) for seed in args.seeds]
            text = table(corpus, runs, args.set)
            args.out.mkdir(parents=True, exist_ok=True)
            (args.out / f"{date.today().isoformat()}-{corpus}.md").write_text(text)
            print(text)


if __name__ == "__main__":
    main()
