"""Crops of noise in training: what they cost in F1, and what the noise gate then says, paired with trainings without.

For every set and seed a project runs twice, with `augment.noise_share` as it is by default and with 0: the same seeds,
folds, crops and augmentation. Figures are out of fold; the difference is the leaderboard's, on the same resampled
recordings, with its 95 % interval. `--mend N` then mends each refused training without noise by N epochs of
fine-tuning. Everything goes through the command line. `tapes`, `finch_song` and `esc10` are real; `digits`, `dogs` and
`whistles` are mixed (`mixed_tapes.py`).
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands import REFUSED, options, ossicle, ossicle_json
from machine import data_folder, described, write_result
from mixed_tapes import SETS, short_tapes
from smoke import parsed, recordings, require
from stand_ins import TINY_TAPES

from ossicle.artefacts.typed.results.published import PublishedResults

REAL = {"tapes": ("tapes", "selections", "site"), "finch_song": ("tapes", "selections", ""), "esc10": ("birds", "", "")}
"""Recipe, folder of annotations and group of each real set."""
WITHOUT = "without"
PASSING = (0, REFUSED)


@dataclass(frozen=True)
class Outcome:
    """F1 with its interval, event AP (mean over labels; None where recordings are judged), and what the noise gate
    said.

    AP reads all scores out of fold, F1 one cross-fitted threshold: where they disagree, the threshold made the
    difference.
    """

    f1: dict[str, float | None]
    average_precision: float | None
    gate: str


def new_project(folder: Path, name: str, args: argparse.Namespace) -> bool:
    """A project of a set with a variant that trains without noise; False if its recordings are missing."""
    if name in REAL:
        data = recordings(name, args)
        if data is None:
            return False
        recipe, annotations, group = REAL[name]
        audio = data / "audio" if annotations else data
    else:
        data, recipe, annotations, group = folder / "recordings", "tapes", "selections", "site"
        (short_tapes if args.smoke else SETS[name])(data, data_folder())
        audio = data / "audio"
    words: list[object] = ["new", recipe, folder, "--audio", audio]
    words += ["--annotations", data / annotations] if annotations else []
    words += ["--group", group] if group else []
    ossicle(*words, capture=True)
    with (folder / "ossicle.toml").open("a") as file:
        file.write(f"\n[variants.{WITHOUT}.augment]\nnoise_share = 0.0\n")
    return True


def run(folder: Path, variant: str, sets: Sequence[str]) -> Outcome:
    chosen = ["--variant", variant] if variant else []
    ossicle("run", "-p", folder, *chosen, *options(sets), "--progress", "plain", codes=PASSING, capture=True)
    place = folder / "variants" / variant if variant else folder
    metrics: dict[str, Any] = json.loads(PublishedResults(place).metrics.read_text())
    return Outcome(headline(metrics), mean_average_precision(metrics), verdict(metrics["gate"]))


def headline(metrics: dict[str, Any]) -> dict[str, float | None]:
    figure: dict[str, float | None] = (
        metrics["events"]["f1"] if "events" in metrics else metrics["recordings"]["accuracy"]
    )
    return figure


def mean_average_precision(metrics: dict[str, Any]) -> float | None:
    defined = [value for value in metrics.get("average_precision", {}).values() if value is not None]
    return sum(defined) / len(defined) if defined else None


def verdict(gate: dict[str, Any]) -> str:
    """Passed or refused, with the worst sound of each label that is refused or warned of."""
    worst: dict[tuple[str, str], dict[str, Any]] = {}
    for firing in gate["firings"]:
        over = (
            firing["refused"]
            or firing["one_minute"]
            or (firing["excused"] and firing["limit_per_hour"] is not None and firing["per_hour"] > 60)
        )
        key = (firing["label"], firing["probe"])
        if over and firing["per_hour"] >= worst.get(key, firing)["per_hour"]:
            worst[key] = firing
    said = "; ".join(
        f"{label} {one['per_hour']:.0f}/h, {100 * one['active_share']:.0f} % on {probe.replace('_', ' ')}, "
        f"{one['part']}{'' if one['refused'] else ' (warns)'}"
        for (label, probe), one in worst.items()
    )
    return f"{'passed' if gate['passed'] else 'refused'}{f': {said}' if said else ''}"


def difference(folder: Path, sets: Sequence[str]) -> dict[str, float | None] | None:
    """F1 with noise minus F1 without, paired; None if the leaderboard cannot pair them."""
    rows = {row["name"]: row for row in ossicle_json("leaderboard", "-p", folder, *options(sets))["rows"]}
    noisy, plain = rows["."]["to_best"], rows[WITHOUT]["to_best"]
    if noisy is not None:
        return dict(noisy)
    if plain is None or plain["value"] is None:
        return None
    return {"value": 0.0 - plain["value"], "low": 0.0 - plain["high"], "high": 0.0 - plain["low"]}


def shown(figure: dict[str, float | None] | None, sign: str = "") -> str:
    if figure is None or figure["value"] is None:
        return "-"
    interval = "" if figure["low"] is None else f" [{figure['low']:{sign}.3f}, {figure['high']:{sign}.3f}]"
    return f"{figure['value']:{sign}.3f}{interval}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", default=[*REAL, *SETS], choices=[*REAL, *SETS])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--mend", type=int, default=0, help="epochs of fine-tuning for what is refused without noise")
    parser.add_argument("--set", action="append", default=[], help="a setting for every training, TABLE.KEY=VALUE")
    parser.add_argument("--work", type=Path, help="folder for the projects; else a temporary one")
    parser.add_argument("--out", type=Path, help="folder of the table; default: results")
    args = parsed(parser, sets=["tapes", "dogs"], seeds=[0], mend=1, set=list(TINY_TAPES))
    lines = [
        "# Crops of noise and the noise gate",
        "",
        f"`benchmarks/bench_noise_gate.py {' '.join(f'--set {one}' for one in args.set)}`; {described(('torch',))}",
        "",
        "| set | seed | F1 with crops | without | difference | AP with | without | gate with | without | mended |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as temporary:
        work = args.work or Path(temporary)
        for name in args.sets:
            folder = work / name
            if not new_project(folder, name, args):
                continue
            for seed in args.seeds:
                sets = [*args.set, f"training.seed={seed}"]
                noisy, plain = run(folder, "", sets), run(folder, WITHOUT, sets)
                delta = difference(folder, sets)
                mended = "-"
                if args.mend and (args.smoke or plain.gate.startswith("refused")):
                    after = run(folder, WITHOUT, [*sets, f"training.noise_epochs={args.mend}"])
                    mended = f"{shown(after.f1)}, {after.gate}"
                row = [
                    name,
                    str(seed),
                    shown(noisy.f1),
                    shown(plain.f1),
                    shown(delta, "+"),
                    *("-" if ap is None else f"{ap:.3f}" for ap in (noisy.average_precision, plain.average_precision)),
                    noisy.gate,
                    plain.gate,
                    mended,
                ]
                lines.append(f"| {' | '.join(row)} |")
                print(lines[-1], flush=True)
    if args.smoke:
        require(len(lines) == 8, "every set of the smoke run has a row")
    write_result("noise-gate", "\n".join(lines), *([args.out] if args.out else []))


if __name__ == "__main__":
    main()
