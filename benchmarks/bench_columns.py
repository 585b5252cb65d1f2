"""Millions of events from an index to the first batch of a training: processor time and memory, columns and objects.

An index of drum hits (`drum_manifest.py`) is written as artefacts of the step `corpus`; no audio is needed. Then, each
in a process of its own: the step `dataset` as it runs in a project; the same dataset from one Python object for each
annotation and clip (the oracle of the tests), at a size at which that is feasible; and a training process up to its
first batch, with a store that gives silence. Datasets from columns and from objects must have the same bytes.
"""

import argparse
import importlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
from drum_manifest import EVENTS, LABELS, SESSIONS, sessions
from machine import RESULTS, described
from numpy.typing import NDArray
from smoke import parsed, require

from ossicle.artefacts.records.record_tables import ANNOTATION_SCHEMA, CLIP_SCHEMA
from ossicle.artefacts.tables import read_table, write_table
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.columns.row_groups import constant, group_rows
from ossicle.core.digest import recording_id
from ossicle.core.records import Annotation, Clip, Recording
from ossicle.corpus.clips.holdout_split import place_recordings
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.indexing.index_storage import write_index

RATE, MIB = 16_000, 1024 * 1024
PROJECT = """\
base = "recipe:demo"

[project]
name = "columns"

[corpus]
audio = "audio"

[split]
group = "session"
folds = 5

[dataset]
before_s = {before}
after_s = {after}
noise_per_target = {noise}
"""
WINDOW = {"before": 0.08, "after": 0.2}


def make_index(folder: Path, events: int, n_sessions: int) -> None:
    """Write the index of a manifest's hits: one recording for each session, one annotation for each hit."""
    recordings, spans, lengths = [], [], []
    labels: list[NDArray[np.int64]] = []
    for session in sorted(
        sessions(events, n_sessions), key=lambda session: f"{session.source.name}/{session.audio_path}"
    ):
        path = f"{session.source.name}/{session.audio_path}"
        key = recording_id("drums", path)
        fields = {
            "session": session.name,
            "source": session.source.name,
            "drummer": session.drummer,
            "kit": session.kit,
        }
        n_samples = round(session.duration_s * RATE)
        recordings.append(Recording(key, "drums", path, RATE, 1, n_samples, key, reviewed=True, fields=fields))
        ends = session.onset_s + np.where(np.arange(len(session.onset_s)) % 5 == 0, 0.1, session.source.post_ms / 1000)
        spans.append(np.stack([session.onset_s, np.minimum(ends, session.duration_s)], axis=1))
        labels.append(session.label)
        lengths.append(len(session.onset_s))
    times = np.concatenate(spans)
    names = sorted(LABELS)
    ranks = np.array([names.index(name) for name in LABELS], dtype=np.int32)
    codes = np.repeat(np.arange(len(recordings), dtype=np.int32), lengths)
    groups, _ = group_rows([recording.id for recording in recordings], codes)
    stated = constant(0, len(times), np.int32)
    label = ranks[np.concatenate(labels)]
    notes = AnnotationColumns(
        groups, times[:, 0], times[:, 1], label, tuple(names), None, None, None, None, stated, ("annotated",)
    )
    write_index(CorpusIndex(tuple(recordings), notes), CorpusFolder(folder))


def run_step(project: Path, corpus: Path, out: Path) -> None:
    """Run the step `dataset`."""
    from ossicle.app.project.load import load_project
    from ossicle.app.steps.data import dataset
    from ossicle.app.steps.engine.step import Context

    nothing: Any = None
    dataset.run(Context(load_project(project), {"corpus": corpus}, out, nothing, nothing, nothing, {}))


def run_objects(project: Path, corpus: Path, out: Path) -> None:
    """Make the same clips and targets from objects, and write them from one dictionary a row."""
    from ossicle.app.project.load import load_project
    from ossicle.artefacts.records.record_tables import RECORDING_SCHEMA, recordings_of

    objects = oracle()
    settings = load_project(project).settings
    folder = CorpusFolder(corpus)
    recordings = recordings_of(read_table(folder.recordings_file, dict(RECORDING_SCHEMA)))
    rows = read_table(folder.annotations_file, dict(ANNOTATION_SCHEMA)).iter_rows(named=True)
    notes = [Annotation(**row) for row in rows]
    possible = [note for note in notes if objects.has_quality(note, settings.dataset)]
    folds = place_recordings(recordings, notes, possible, (), settings.split).folds
    built = objects.build_dataset(recordings, notes, folds, settings.dataset, settings.split.seed, 1.0)
    clips = sorted(built.clips, key=objects.clip_order)
    own = DatasetFolder(out)
    write_table(own.clips_file, _rows(clips, CLIP_SCHEMA), ["recording_id", "start_s", "label", "role"])
    write_table(own.annotations_file, _rows(notes, ANNOTATION_SCHEMA), ["recording_id", "start_s", "label"])
    own.write_stats([asdict(row) for row in objects.dataset_stats(clips, notes)])


def _rows(values: list[Annotation] | list[Clip], schema: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    return pl.DataFrame(
        [{name: getattr(value, name) for name in schema} for value in values], schema=schema, orient="row"
    )


def oracle() -> ModuleType:
    """Return the dataset from objects, which the tests compare with the columns."""
    tests = str(Path(__file__).parent.parent / "tests")
    if tests not in sys.path:
        sys.path.append(tests)
    return importlib.import_module("corpus.clips.object_dataset")


class SilentStore:
    """A store of silence with the length of each recording."""

    def __init__(self, lengths: Mapping[str, int]) -> None:
        self._lengths = lengths

    def n_samples(self, recording_id: str) -> int:
        """Return the length of a recording."""
        return self._lengths[recording_id]

    def read(self, recording_id: str, start_sample: int, n_samples: int) -> NDArray[np.float32]:
        """Return silence."""
        return np.zeros(n_samples, dtype=np.float32)


def first_batch(corpus: Path, dataset: Path) -> dict[str, float]:
    """Return time and memory of a training's data up to its first batch, beyond those of the process before it."""
    from ossicle.artefacts.records.record_tables import RECORDING_SCHEMA, recordings_of
    from ossicle.core.columns.clip_columns import ClipColumns
    from ossicle.core.model_input.chunks import ChunkPlan
    from ossicle.training.batches import material
    from ossicle.training.batches.target_rules import TargetRules
    from ossicle.training.detector import fit
    from ossicle.training.settings import TrainingSettings

    known = recordings_of(read_table(CorpusFolder(corpus).recordings_file, dict(RECORDING_SCHEMA)))
    lengths = {recording.id: recording.n_samples for recording in known}
    del known
    material.MixedStore = lambda *_: SilentStore(lengths)  # type: ignore[assignment, misc]
    plan = ChunkPlan(rate=RATE, hop_samples=160, window_samples=512, core_frames=100, context_frames=20)
    with measured_memory() as figures:
        folder = DatasetFolder(dataset)
        made = material.load_material(folder, Path(), folder.labels, plan, TargetRules(apart_frames=1.0))
        clips = ClipColumns.from_clips(made.clips)
        held = clips.held_out_in((0,))
        train, held_out = clips.where(~held), clips.where(held)
        made = fit.replace(material.apart(made, held_out), clips=train)
        del clips, held
        made.positive_share(train)
        training = TrainingSettings(batch_size=32)
        crops = fit.Crops(made, train, held_out, training)
        batch = next(iter(crops.batches(lambda: 0)))
    require(tuple(batch[1].shape) == (32, plan.chunk_frames, len(folder.labels)), "the first batch has 32 crops")
    return figures


@contextmanager
def measured_memory() -> Iterator[dict[str, float]]:
    """Measure seconds, processor time and memory of the block; memory is what the process holds more than before."""
    figures: dict[str, float] = {}
    Path("/proc/self/clear_refs").write_text("5")
    before, began, cpu_s = _status("VmRSS"), time.monotonic(), time.process_time()
    yield figures
    figures |= {"wall_s": time.monotonic() - began, "cpu_s": time.process_time() - cpu_s}
    figures |= {"held_mib": _status("VmRSS") - before, "peak_mib": _status("VmHWM") - before}


def _status(name: str) -> float:
    """Return an entry of this process's status, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024


def part(name: str, root: Path) -> dict[str, float]:
    """Do one part of the measurement in this process, and return its figures."""
    if name == "training":
        return first_batch(root / "corpus", root / "columns")
    out = root / name
    out.mkdir()
    began, cpu_s = time.monotonic(), time.process_time()
    (run_step if name == "columns" else run_objects)(root / "ossicle.toml", root / "corpus", out)
    figures = {"wall_s": time.monotonic() - began, "cpu_s": time.process_time() - cpu_s}
    return figures | {"peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def part_apart(name: str, root: Path) -> dict[str, float]:
    """Do one part of the measurement in a process of its own."""
    command = [sys.executable, __file__, "--part", name, "--folder", str(root)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    content: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return content


def measure(
    root: Path, events: int, n_sessions: int, noise: float, parts: tuple[str, ...], run: Callable[..., dict[str, float]]
) -> dict[str, Any]:
    """Return the figures of each part for a corpus; ``run`` does one part."""
    for name in ("audio", "corpus"):
        (root / name).mkdir(parents=True)
    make_index(root / "corpus", events, n_sessions)
    (root / "ossicle.toml").write_text(PROJECT.format(noise=noise, **WINDOW))
    figures = {}
    for name in parts:
        figures[name] = run(name, root)
        print(f"{events} events, {noise:g} noise clips a target, {name}: {figures[name]}", flush=True)
    if {"columns", "objects"} <= figures.keys():
        from_columns, from_objects = (_tables(root / name) for name in ("columns", "objects"))
        require(
            from_columns == from_objects, "clips, targets and counts have the same bytes from columns and from objects"
        )
    return figures


def _tables(dataset: Path) -> list[bytes]:
    folder = DatasetFolder(dataset)
    return [file.read_bytes() for file in (folder.clips_file, folder.annotations_file, folder.stats_file)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--objects", type=int, default=EVENTS // 10, help="events of the comparison with objects")
    parser.add_argument("--noise", type=float, nargs="+", default=[0.1, 1.0], help="noise clips a target")
    parser.add_argument("--work", type=Path, help="folder for the artefacts (1 GB); else a temporary one")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--part", choices=("columns", "objects", "training"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parsed(parser, events=4000, sessions=8, objects=2000, noise=[0.1])
    if args.part:
        print(json.dumps(part(args.part, args.folder)))
        return
    lines = [
        f"# Events as columns: {date.today().isoformat()}",
        "",
        described(["numpy", "polars", "torch"]),
        "",
        f"{args.sessions} recordings; windows of {WINDOW['before']:g} s before to {WINDOW['after']:g} s after onsets; "
        "5 folds by session. Training: memory beyond that of the process with its libraries, up to the first batch.",
        "",
        "| events | noise a target | part | events/s of CPU | CPU s | wall s | held MiB | peak MiB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    runs = [(args.objects, args.noise[0], ("columns", "objects", "training"))]
    if not args.smoke:
        runs += [(args.events, noise, ("columns", "training")) for noise in args.noise]
    for events, noise, parts in runs:
        n_sessions = max(8, round(args.sessions * events / args.events))
        with tempfile.TemporaryDirectory(dir=args.work) as folder:
            by_name = measure(Path(folder), events, n_sessions, noise, parts, part if args.smoke else part_apart)
        for name, part_use in by_name.items():
            held = f"{part_use['held_mib']:.0f}" if "held_mib" in part_use else ""
            figures = f"{events / part_use['cpu_s']:.0f} | {part_use['cpu_s']:.1f} | {part_use['wall_s']:.1f} | {held}"
            lines.append(f"| {events} | {noise:g} | {name} | {figures} | {part_use['peak_mib']:.0f} |")
    text = "\n".join(lines) + "\n"
    print(text)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / f"{date.today().isoformat()}-columns.md").write_text(text)


if __name__ == "__main__":
    main()
