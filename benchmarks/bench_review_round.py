"""One review round on the synthetic tapes: a model trained on a fifth of the labels, corrected tables, a second model.

Ten tapes from five sites, two of them annotated; the first model's tables of the other eight are corrected by a script
that knows the truth and does what docs/review.md tells a person to do; then the same project is run again. Both models
are judged on tapes of sites that neither has heard and no review touched. Everything goes through the command line.
"""

import argparse
import os
import platform
import shutil
import tempfile
from datetime import date
from pathlib import Path
from statistics import mean

from commands import REFUSED, ossicle, ossicle_json
from machine import RESULTS, cpu
from smoke import parsed

from ossicle.artefacts.typed.judged import NoiseGateFolder
from ossicle.artefacts.typed.results.released import BundleFolder
from ossicle.corpus.formats.raven import read_raven, write_raven
from ossicle.corpus.review.tables import LOOK
from ossicle.corpus.synthetic.tapes import SynthSettings, make_tapes

PROJECT = """\
base = "recipe:demo"

[project]
name = "review-round"

[corpus]
audio = "tapes/audio"
annotations = "annotated"

[frontend]
hop_samples = 320
n_mels = 40

# A small network: what is compared is labels.
[model.crnn]
channels = [12, 24]
pools = [5, 4]
hidden = 16

[training]
seed = {seed}
epochs = {epochs}
steps_per_epoch = {steps}
batch_size = 8
learning_rate = 0.01
ema_decay = 0.95
validation_crops = 8

[report]
examples = 0
"""


def tapes(seed: int, minutes: float) -> tuple[SynthSettings, SynthSettings]:
    """Those of the project, and those it is judged on: other seeds are other sites."""
    learnt = SynthSettings(tapes=10, minutes=minutes, sites=5, empty_tapes=0, seed=100 + seed)
    return learnt, SynthSettings(tapes=4, minutes=minutes, sites=4, empty_tapes=0, seed=200 + seed)


def person(tables: Path, truth: Path) -> None:
    """Look through every stretch of every table and leave exactly the calls in it, with their times."""
    for table in sorted(tables.glob("*.selections.txt")):
        calls, rows = read_raven(truth / table.name), []
        for look in read_raven(table):
            if not look.label.startswith(LOOK):
                continue
            heard = [call for call in calls if call.end_s > look.start_s and call.start_s < look.end_s]
            rows += [look, *(raw_selection for raw_selection in heard if raw_selection not in rows)]
        write_raven(table, rows)


def judged(folder: Path, name: str) -> dict:
    """Event figures of the project's present bundle, refused or not, on the tapes that it never heard."""
    # A model of few labels fires on much, and the noise gate may refuse it: a review helps.
    run = ossicle_json("run", "-p", folder, "--until", "bundle", "--progress", "none", codes=(0, REFUSED))
    out = folder / f"predictions-{name}"
    artefacts = {step: Path(path) for step, path in run["artefacts"].items()}
    bundle = BundleFolder.among(artefacts).bundle
    ossicle("predict", bundle, folder / "held-out" / "audio", "-o", out, "--format", "raven", capture=True)
    (out / "predictions.json").unlink()
    content = ossicle_json(
        "score", "--reference", folder / "held-out" / "selections", "--predictions", out, "--iou", 0.5
    )
    return {"found": content, "metrics": NoiseGateFolder.among(artefacts).metrics}


def one_round(folder: Path, seed: int, minutes: float, epochs: int, steps: int, most: int) -> dict:
    learnt, held_out = tapes(seed, minutes)
    make_tapes(folder / "tapes", learnt)
    make_tapes(folder / "held-out", held_out)
    truth = folder / "tapes" / "selections"
    tables = sorted(truth.iterdir())
    # Two tapes a site, in the order of the sites: the first ones of two sites.
    whole = tables[:4:2]
    (folder / "annotated").mkdir()
    for table in whole:
        shutil.copy(table, folder / "annotated")
    (folder / "ossicle.toml").write_text(PROJECT.format(seed=seed, epochs=epochs, steps=steps))
    first = judged(folder, "first")
    out = folder / "round1"
    sent = ossicle_json("review", "export", "-p", folder, "-o", out, "--most", most, "--format", "raven")
    person(out, truth)
    answers = ossicle_json("review", "import", out, "-p", folder, "--by", "the truth")
    second = judged(folder, "second")
    labels = sum(len(read_raven(table)) for table in tables)
    annotated = sum(len(read_raven(table)) for table in whole)
    return {
        "seed": seed,
        "labels": labels,
        "annotated": annotated,
        "sent": sent,
        "answers": answers,
        "first": first,
        "second": second,
    }


def table(rounds: list[dict], minutes: float, epochs: int, most: int) -> str:
    lines = [
        f"# One review round: {date.today().isoformat()}",
        "",
        f"`benchmarks/bench_review_round.py`; {os.cpu_count()} cores ({cpu()}), Python {platform.python_version()}. "
        f"Ten synthetic tapes of {minutes:g} min from five sites, two of them (of two sites) annotated; at most {most} "
        "events go out for review, corrected by the truth. Judged on four tapes from four other sites that neither "
        f"model heard and no review touched; IoU >= 0.5, the bundle's decision, 95 % intervals. {epochs} epochs.",
        "",
        "| seed | labels: annotated | of all | reviewed stretches, min | confirmed | corrected | removed | added "
        "| F1 before | F1 after |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for review_round in rounds:
        counts = review_round["answers"]["labels"].values()
        outcomes = [str(sum(of[name] for of in counts)) for name in ("confirmed", "corrected", "removed", "added")]
        figures = [_interval(review_round[when]["found"]["intervals"]["f1"]) for when in ("first", "second")]
        stretches = f"{review_round['sent']['stretches']}, {review_round['sent']['seconds'] / 60:.1f}"
        cells = [
            str(review_round["seed"]),
            str(review_round["annotated"]),
            str(review_round["labels"]),
            stretches,
            *outcomes,
            *figures,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    means = [
        mean(review_round[when]["found"]["events"]["f1"] for review_round in rounds) for when in ("first", "second")
    ]
    lines += ["", f"Mean event F1 over {len(rounds)} seeds: **{means[0]:.3f}** before, **{means[1]:.3f}** after."]
    return "\n".join(lines) + "\n"


def _interval(estimate: dict) -> str:
    if estimate["low"] is None:
        return f"{estimate['value']:.3f}"
    return f"{estimate['value']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--minutes", type=float, default=1.5, help="length of a tape")
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--steps", type=int, default=12, help="steps in an epoch")
    parser.add_argument("--most", type=int, default=100, help="events that go out for review")
    parser.add_argument("--work", type=Path, help="folder to keep the projects in; else a temporary one")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, seeds=[0], minutes=0.2, epochs=2, steps=3, most=10)
    with tempfile.TemporaryDirectory() as temporary:
        rounds = []
        for seed in args.seeds:
            folder = (args.work or Path(temporary)) / f"seed-{seed}"
            folder.mkdir(parents=True)
            rounds.append(one_round(folder, seed, args.minutes, args.epochs, args.steps, args.most))
            print(table(rounds, args.minutes, args.epochs, args.most), flush=True)
    args.out.mkdir(parents=True, exist_ok=True)
    text = table(rounds, args.minutes, args.epochs, args.most)
    (args.out / f"{date.today().isoformat()}-review_round.md").write_text(text)


if __name__ == "__main__":
    main()
