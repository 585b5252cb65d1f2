"""Read the files that ``ossicle units encode`` and ``ossicle units export`` write, for a vocoder that speaks them."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.filesystem.reading import open_regular, what_is_at
from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.naming.table_names import table_places

OF_FILE, LINES, TEXT = ".units.json", ".jsonl", ".txt"
_ENDINGS = (OF_FILE, LINES, TEXT, ".json")
_TINY = 1e-6
_MOST_DIGITS = 6
_MOST_SHOWN = 40
# Of a file of `units encode`, or of a line: the units of two days in one segment. What is larger is something else.
_MOST_BYTES = 64 << 20
_TOO_LONG = f"longer than {_MOST_BYTES >> 20} MiB, which no segment of speech is; give units of segments"


@dataclass(frozen=True, slots=True)
class UnitFileSpec:
    """What unit files must be, to be spoken by a vocoder.

    Attributes
    ----------
    k
        Number of units.
    quantiser
        SHA-256 of the centres of their quantiser.
    hop_s
        Seconds of a unit.
    """

    k: int
    quantiser: str
    hop_s: float


@dataclass(frozen=True, slots=True)
class UnitLine:
    """The units of one segment.

    Attributes
    ----------
    where
        The file, and the line or segment in it, for messages.
    values
        Units by frame, or units without repeats (``runs``); int64, shape (n,).
    runs
        Whether these are units without repeats.
    """

    where: str
    values: NDArray[np.int64]
    runs: bool


def read_units(path: Path, spec: UnitFileSpec, *, runs: bool = False) -> Iterator[UnitLine]:
    """Yield the segments of a file, in order; of long files, only a line is in memory.

    Parameters
    ----------
    path
        ``NAME.units.json`` of ``ossicle units encode``; ``units.jsonl``, ``units.txt`` or ``runs.txt`` of ``ossicle
        units export``; or another file of these forms: ``.json``, ``.jsonl``, or text with numbers between spaces, a
        line for each segment.
    spec
        What the units must be.
    runs
        Whether the numbers of a text are units without repeats. JSON says so itself.

    Raises
    ------
    FormatError
        The file is damaged, or its units are of another quantiser, number of units or hop; with the line.
    UsageError
        There is no such file.
    """
    if not path.is_file():
        raise UsageError(f"{path}: {'is a folder; name the files in it' if path.is_dir() else what_is_at(path)}")
    if path.suffix == ".json":
        yield from _of_json(path, spec)
    elif path.suffix == LINES:
        for number, text in _lines(path):
            yield _segment(_parsed(text, f"{path}, line {number}"), f"{path}, line {number}", spec)
    else:
        for number, text in _lines(path):
            where = f"{path}, line {number}"
            yield UnitLine(where, _checked_units(_numbers(text, where), where, spec), runs)


def output_names(paths: Sequence[Path]) -> dict[Path, Path]:
    """Return a path below the output folder for each unit file, without an ending; no two are equal.

    Parameters
    ----------
    paths
        The files. Folders that all share are left out.

    Examples
    --------
    >>> names = output_names([Path("/w/a/x.units.json"), Path("/w/b/x.units.json"), Path("/w/b/y.txt")])
    >>> [names[one].as_posix() for one in names]
    ['a/x', 'b/x', 'b/y']
    """
    unique = list(dict.fromkeys(paths))
    stems = {path: path.absolute().with_name(_stem(path.name)) for path in unique}
    often = Counter(stems.values())
    # Two files of one folder that differ only in their ending keep it.
    names = {path: stem if often[stem] == 1 else path.absolute() for path, stem in stems.items()}
    places = table_places([f"{name}.wav" for name in names.values()])
    return {path: Path(places[f"{name}.wav"]) for path, name in names.items()}


def sound_places(names: Mapping[Path, Path], counts: Mapping[Path, int]) -> dict[Path, list[Path]]:
    """Return the WAV file of each segment below the output folder; no two are equal.

    Parameters
    ----------
    names
        From :func:`output_names`.
    counts
        Number of segments of each file; with several, their numbers follow the name.

    Raises
    ------
    UsageError
        Two segments would have one name.

    Examples
    --------
    >>> found = sound_places({Path("w/x.txt"): Path("x"), Path("w/y.txt"): Path("y")}, {Path("w/x.txt"): 2})
    >>> [one.as_posix() for places in found.values() for one in places]
    ['x_0001.wav', 'x_0002.wav']
    """
    places: dict[Path, list[Path]] = {}
    whose: dict[Path, Path] = {}
    for path, name in names.items():
        count = counts.get(path, 0)
        stems = [f"{name.name}_{number:04d}" for number in range(1, count + 1)] if count > 1 else [name.name] * count
        places[path] = [name.with_name(f"{stem}.wav") for stem in stems]
        for sound_file in places[path]:
            if sound_file in whose:
                raise UsageError(
                    f"{path} and {whose[sound_file]}: a segment of each would be written to {sound_file}; rename one "
                    "of the files, or give each a call and a folder of its own"
                )
            whose[sound_file] = path
    return places


def _stem(name: str) -> str:
    for ending in _ENDINGS:
        if name.endswith(ending) and name != ending:
            return name.removesuffix(ending)
    return name


def _of_json(path: Path, spec: UnitFileSpec) -> Iterator[UnitLine]:
    with open_regular(path) as handle:
        text = handle.read(_MOST_BYTES + 1)
    if len(text) > _MOST_BYTES:
        raise FormatError(f"{path}: {_TOO_LONG}, a file for each")
    value = _parsed(text, str(path))
    if not isinstance(value, dict):
        raise FormatError(f"{path}: not a file of `ossicle units encode -o`; encode the recording again")
    _refuse_other_quantiser(value, str(path), spec)
    segments = value.get("segments")
    if segments is None:
        yield _segment(value, str(path), spec)
        return
    if not isinstance(segments, list):
        raise FormatError(f"{path}: segments is not a list; encode the recording again")
    for number, segment in enumerate(segments, start=1):
        yield _segment(segment, f"{path}, segment {number}", spec)


def _segment(value: Any, where: str, spec: UnitFileSpec) -> UnitLine:
    """Return the units of an object with ``units``, or only ``runs``: numbers, or objects with ``unit``."""
    if not isinstance(value, dict):
        raise FormatError(f"{where}: not an object with units; encode the recording again")
    _refuse_other_quantiser(value, where, spec)
    if "units" in value:
        return UnitLine(where, _checked_units(value["units"], f"{where}, units", spec), runs=False)
    runs = value.get("runs")
    if not isinstance(runs, list):
        raise FormatError(f"{where}: it has neither units nor runs; encode the recording again")
    numbers = [run.get("unit") if isinstance(run, dict) else run for run in runs]
    return UnitLine(where, _checked_units(numbers, f"{where}, runs", spec), runs=True)


def _refuse_other_quantiser(value: Mapping[str, Any], where: str, spec: UnitFileSpec) -> None:
    again = "encode the recordings again with the quantiser in the vocoder's folder"
    stated_quantiser = value.get("quantiser")
    if stated_quantiser is not None and stated_quantiser != spec.quantiser:
        raise FormatError(
            f"{where}: its units are of the quantiser {str(stated_quantiser)[:12]}, and the vocoder was trained on "
            f"those of {spec.quantiser[:12]} (SHA-256); {again}"
        )
    k = value.get("n_units")
    if k is not None and k != spec.k:
        raise FormatError(f"{where}: n_units = {_short(k)}, and the vocoder has {spec.k}; {again}")
    hop_s = value.get("hop_s")
    # Whole numbers of JSON have any size: comparing does not turn them into floats.
    if hop_s is not None and not (_is_number(hop_s) and spec.hop_s - _TINY <= hop_s <= spec.hop_s + _TINY):
        raise FormatError(
            f"{where}: hop_s = {_short(hop_s)}, and a unit of the vocoder lasts {spec.hop_s:g} s; {again}"
        )


def _checked_units(values: Any, where: str, spec: UnitFileSpec) -> NDArray[np.int64]:
    if not isinstance(values, list):
        raise FormatError(f"{where}: not a list of numbers; encode the recording again")
    for index, value in enumerate(values):
        if isinstance(value, bool) or not isinstance(value, int):
            raise FormatError(f"{where}: value {index + 1} is {_short(value)}, not a whole number")
        if not 0 <= value < spec.k:
            raise FormatError(
                f"{where}: value {index + 1} is the unit {_short(value)}, and the vocoder has {spec.k}: 0 to "
                f"{spec.k - 1}; use the vocoder that was trained on these units"
            )
    return np.array(values, np.int64)


def _numbers(text: bytes, where: str) -> list[int]:
    numbers = []
    for index, word in enumerate(text.split(), start=1):
        if not word.isdigit() or len(word) > _MOST_DIGITS:
            shown = word[:20].decode(errors="replace")
            raise FormatError(f"{where}: number {index} is {shown!r}, not a unit; give whole numbers between spaces")
        numbers.append(int(word))
    return numbers


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with open_regular(path) as handle:
        number = 0
        while line := handle.readline(_MOST_BYTES + 1):
            number += 1
            if len(line) > _MOST_BYTES:
                raise FormatError(f"{path}, line {number}: {_TOO_LONG}, a line for each")
            if line.strip():
                yield number, line


def _parsed(text: bytes, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{where}: not JSON ({error}); encode the recording again") from error


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _short(value: Any) -> str:
    """Return a value of JSON for a message, whatever its length."""
    return json.dumps(value)[:_MOST_SHOWN]
