"""How long a BirdCLEF-sized corpus takes from its table to its clips: 36,000 recordings, 206 classes, 3,500 authors.

The recordings are headers with a little silence after them, each of its own length, so that what is measured is ours
and not the decoder's: `[corpus] decode = false`. Run it with nothing else on the machine:

    python benchmarks/bench_many_recordings.py --recordings 36000
"""

import argparse
import resource
import tempfile
import time
import wave
from pathlib import Path

import numpy as np
from machine import RESULTS, described, table, write_result
from smoke import parsed

from ossicle.app.project.load import load_project
from ossicle.app.project.scaffolding.scaffold import Wishes, scaffold
from ossicle.app.steps.data import corpus, dataset
from ossicle.app.steps.engine.step import Silent, run_steps
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.corpus.formats.cells.delimited import write_delimited

HEADER = ("primary_label", "secondary_labels", "filename", "rating", "author", "latitude", "longitude", "url")
CLASSES, AUTHORS, RATE = 206, 3_500, 8000


def make(folder: Path, n: int, shortest_samples: int) -> None:
    """Recordings below ``audio``, each a sample longer than the one before, and their table ``train.csv``."""
    rng = np.random.default_rng(0)
    shares = 1 / np.arange(1, CLASSES + 1) ** 1.1
    label = rng.choice(CLASSES, n, p=shares / shares.sum())
    sizes = 1 / np.arange(1, AUTHORS + 1)
    author = rng.choice(AUTHORS, n, p=sizes / sizes.sum())
    rows = []
    for i in range(n):
        more = [
            f"c{label_number}"
            for label_number in rng.choice(CLASSES, int(rng.random() < 0.2))
            if label_number != label[i]
        ]
        path = f"c{label[i]}/XC{i}.wav"
        (folder / "audio" / path).parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(folder / "audio" / path), "wb") as sound_file:
            sound_file.setnchannels(1)
            sound_file.setsampwidth(2)
            sound_file.setframerate(RATE)
            sound_file.writeframes(bytes(2 * (shortest_samples + i)))
        rows.append(
            (f"c{label[i]}", repr(more), path, f"{rng.integers(0, 11) / 2}", f"author {author[i]}", "1.5", "-70.2",
             f"https://example.org/{i}")
        )  # fmt: skip
    write_delimited(folder / "train.csv", HEADER, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=36_000)
    parser.add_argument("--shortest", type=int, default=80, help="samples of the shortest recording")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, recordings=60, shortest=RATE)
    rows: list[tuple[str, str]] = []

    def timed(stage: str, began: float) -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rows.append((stage, f"{time.monotonic() - began:.1f}", f"{peak:.0f}"))

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, args.recordings, args.shortest)
        began = time.monotonic()
        file = scaffold("birds", folder / "work", Wishes(folder / "audio", labels=str(folder / "train.csv")))
        timed("new (table, headers, folds)", began)
        project = load_project(file, ("corpus.decode=false",))
        for step in (corpus.STEP, dataset.STEP):
            began = time.monotonic()
            done = run_steps((corpus.STEP, dataset.STEP)[: 1 + (step is dataset.STEP)], project, Silent())
            timed(f"{step.name}: computed", began)
        began = time.monotonic()
        done = run_steps((corpus.STEP, dataset.STEP), project, Silent())
        timed("both: reused", began)
        split = DatasetFolder.among(done.artefacts).split
    sizes = ", ".join(str(fold["recordings"]) for fold in split["folds"])
    text = (
        f"# A corpus of {args.recordings} recordings\n\n{described(('numpy', 'polars'))}\n\n"
        + table(("step", "s", "peak MiB so far"), rows)
        + f"\n\nRecordings held out in each fold: {sizes}.\n"
    )
    write_result("many_recordings", text, args.out)


if __name__ == "__main__":
    main()
