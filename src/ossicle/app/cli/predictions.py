"""What ``predict`` reads and leaves: recordings by name, and tables of events in the formats people work in."""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from ossicle.artefacts.files import write_json
from ossicle.audio.probe import SUFFIXES
from ossicle.bundle.manifest import Bundle
from ossicle.core.digest import digest
from ossicle.core.errors import UsageError
from ossicle.corpus.audacity import write_audacity
from ossicle.corpus.discovery import files_below
from ossicle.corpus.event_csv import write_events
from ossicle.corpus.fields import stem_of
from ossicle.corpus.raven import raven_name, write_raven
from ossicle.corpus.selection import RawSelection
from ossicle.inference.batch import FilePrediction

_LONGEST_NAME = 220
SUMMARY = "predictions.json"
EVENTS = "events.csv"


@dataclass(frozen=True, slots=True)
class Written:
    """One recording: its name below what was asked for, its path, and what was found."""

    name: str
    path: Path
    prediction: FilePrediction


def find_audio(asked: Sequence[Path]) -> list[tuple[str, Path]]:
    """Recordings by unique posix name, sorted: files by their own name, those of a folder by the path below it.

    Raises UsageError for what does not exist and where there is nothing to read.
    """
    found: list[tuple[str, Path]] = []
    for place in asked:
        if place.is_dir():
            below = [(name, place / name) for name in files_below(place, SUFFIXES)]
            if not below:
                raise UsageError(f"{place}: holds no audio files (looked for {', '.join(sorted(SUFFIXES))})")
            found += below
        elif place.exists() or place.is_symlink():
            found.append((place.name, place))
        else:
            raise UsageError(f"{place}: does not exist")
    found = [(_writable(name), path) for name, path in found]
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


def _writable(name: str) -> str:
    """A name that tables and JSON can hold: control characters and bytes that are not UTF-8 as in URLs.

    >>> _writable("two\\nlines.wav")
    'two%0Alines.wav'
    """
    bad = (ord(one) < 32 or ord(one) == 127 or 0xD800 <= ord(one) < 0xE000 for one in name)
    return "".join(
        "".join(f"%{byte:02X}" for byte in os.fsencode(one)) if wrong else one
        for one, wrong in zip(name, bad, strict=True)
    )


def write_predictions(
    out: Path, done: Sequence[Written], formats: Sequence[str], bundle: Bundle, runtime: str, threads: int
) -> dict[str, Any]:
    """Write the tables and ``predictions.json``; returns what the latter holds."""
    high_hz = bundle.front.fmax_hz
    for name in formats:
        FORMATS[name](out, done, high_hz)
    summary = {
        "ossicle": version("ossicle"),
        "bundle": bundle.name,
        "runtime": runtime,
        "threads": threads,
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


def _rows(one: Written) -> list[RawSelection]:
    return [
        RawSelection(event.start_s, event.end_s, event.label, confidence=event.score, begin_path=one.name)
        for event in one.prediction.events
    ]


def _raven(out: Path, done: Sequence[Written], high_hz: float) -> None:
    for one, place in _places(out, done):
        path = place.with_name(raven_name(place.name))
        write_raven(path, _rows(one), audio_name=PurePosixPath(one.name).name, default_high_hz=high_hz)


def _audacity(out: Path, done: Sequence[Written], high_hz: float) -> None:
    for one, place in _places(out, done):
        write_audacity(place.with_name(f"{stem_of(place.name, SUFFIXES)}.txt"), _rows(one))


def _csv(out: Path, done: Sequence[Written], high_hz: float) -> None:
    write_events(out / EVENTS, [row for one in done for row in _rows(one)])


def _places(out: Path, done: Sequence[Written]) -> list[tuple[Written, Path]]:
    """Where each recording that could be read has its table: its name, kept whole where two differ by suffix only."""
    used = [one for one in done if one.prediction.status != "left_out"]
    stems = Counter(stem_of(one.name, SUFFIXES) for one in used)
    places = []
    for one in used:
        name = one.name if stems[stem_of(one.name, SUFFIXES)] == 1 else f"{one.name}.wav"
        path = out.joinpath(*PurePosixPath(name).parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        places.append((one, path.with_name(_short(path.name))))
    return places


def _short(name: str) -> str:
    """A name that leaves room for what tables append; file systems hold 255 bytes."""
    raw = name.encode()
    if len(raw) <= _LONGEST_NAME:
        return name
    return f"{raw[: _LONGEST_NAME - 20].decode(errors='ignore')}~{digest(name)[:8]}{PurePosixPath(name).suffix[:8]}"


FORMATS: dict[str, Callable[[Path, Sequence[Written], float], None]] = {
    "raven": _raven,
    "csv": _csv,
    "audacity": _audacity,
}
