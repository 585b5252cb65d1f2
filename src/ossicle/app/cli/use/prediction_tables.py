"""What ``predict`` reads and leaves: recordings by name, and tables of events in the formats people work in."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ossicle.app.cli.use.runtimes import Engine
from ossicle.artefacts.files import write_json
from ossicle.audio.probe import SUFFIXES
from ossicle.bundle.manifest import Bundle
from ossicle.core.errors import UsageError
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.registry import FORMATS, WriteOptions
from ossicle.corpus.formats.rows import RawSelection
from ossicle.corpus.naming.file_listing import files_below
from ossicle.corpus.naming.table_names import table_places, writable
from ossicle.inference.batch import FilePrediction

SUMMARY = "predictions.json"


@dataclass(frozen=True, slots=True)
class Written:
    """One recording: its name below what was asked for, its path, and what was found."""

    name: str
    path: Path
    prediction: FilePrediction

    @property
    def rows(self) -> list[RawSelection]:
        """Its events as rows of tables."""
        return [
            RawSelection(event.start_s, event.end_s, event.label, confidence=event.score, begin_path=self.name)
            for event in self.prediction.events
        ]


def find_audio(asked: Sequence[Path]) -> list[tuple[str, Path]]:
    """Recordings by unique posix name, sorted: files by their own name, those of a folder by the path below it.

    Raises UsageError for what does not exist and where there is nothing to read.
    """
    found: list[tuple[str, Path]] = []
    for place in asked:
        if place.is_dir():
            below = [(name, place / name) for name in files_below(place, SUFFIXES)]
            if not below:
                raise UsageError(f"{place}: contains no audio files (searched for {', '.join(sorted(SUFFIXES))})")
            found += below
        elif place.exists() or place.is_symlink():
            found.append((place.name, place))
        else:
            raise UsageError(f"{place}: does not exist")
    found = [(writable(name), path) for name, path in found]
    names = Counter(name for name, _ in found)
    # Two files of one name from two places: the name of the folder tells them apart, then a number.
    out: dict[str, Path] = {}
    for name, path in found:
        unique = name if names[name] == 1 else f"{path.resolve().parent.name}/{name}"
        number = 2
        while unique in out and out[unique].resolve() != path.resolve():
            unique = f"{path.resolve().parent.name}-{number}/{name}"
            number += 1
        out[unique] = path
    return sorted(out.items())


class PredictionTables:
    """The tables of one output folder: those of each recording as it is done, and at the end those of all together.

    ``names`` are all recordings that are asked for, since equal stems are told apart by their suffixes. Raises
    UsageError for a format that events cannot be written in.
    """

    def __init__(self, out: Path, names: Sequence[str], formats: Sequence[str], bundle: Bundle) -> None:
        self._out, self._options = out, WriteOptions(high_hz=bundle.front.fmax_hz)
        self._places = table_places(names)
        targets = [FORMATS[name] for name in formats]
        for one in targets:
            if one.write is None:
                raise UsageError(f"events cannot be written as {one.name}")
        self._of_each = [one for one in targets if one.shape != "table"]
        self._of_all = [one for one in targets if one.shape == "table"]

    def write(self, one: Written, *, keep: bool = False) -> None:
        """The tables of one recording, each whole or absent; with ``keep`` those that are there stay as they are.

        A recording that was left out has none, nor keeps those of an earlier time.
        """
        for target in self._of_each:
            place = self._places[one.name]
            path = self._out / place.with_name(place.name + target.ending)
            if one.prediction.status == "left_out":
                path.unlink(missing_ok=True)
            elif not (keep and path.is_file()) and target.write is not None:
                target.write(path, EventTable(tuple(one.rows), (one.name,)), self._options)

    def write_all(self, done: Sequence[Written]) -> None:
        """The tables that hold the events of all recordings."""
        rows = tuple(row for one in done if one.prediction.status != "left_out" for row in one.rows)
        for target in self._of_all:
            if target.write is not None:
                target.write(self._out / f"events{target.ending}", EventTable(rows), self._options)


def write_summary(out: Path, done: Sequence[Written], bundle: Bundle, engine: Engine) -> dict[str, Any]:
    """Write ``predictions.json``; returns what it holds."""
    summary = {
        "ossicle": version("ossicle"),
        "bundle": bundle.name,
        "runtime": engine.runtime,
        "precision": engine.precision,
        "folds": engine.folds,
        "threads": engine.threads,
        "device": engine.device if engine.runtime == "torch" else "cpu",
        "labels": list(bundle.labels),
        "recordings": [
            {
                "recording": one.name,
                "status": one.prediction.status,
                "reason": one.prediction.reason,
                "read_to_s": round(one.prediction.end_s, 6),
                "events": len(one.prediction.events),
            }
            for one in done
        ],
    }
    write_json(out / SUMMARY, summary)
    return summary
