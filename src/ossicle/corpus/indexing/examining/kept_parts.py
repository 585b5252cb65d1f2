"""Examine recordings in parts that are kept on disk, so that an interrupted index repeats few of them.

A part is a file with what was found out about some recordings; it appears when all of them are examined. Parts do not
depend on each other or on the number of workers.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.processes.work_parts import items_per_part
from ossicle.audio.decoding.levels import Levels
from ossicle.core.errors import ArtefactError
from ossicle.core.records import Recording


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found out about a file: its recording, levels if it was decoded, fields by its recorder, and where its
    sound begins in seconds, if that was asked.
    """

    recording: Recording
    levels: Levels | None = None
    recorded: dict[str, str] = field(default_factory=dict)
    sound_s: float | None = None


Outcome = Examination | str
"""An examination, or the reason why the file cannot be used."""


@dataclass(frozen=True, slots=True)
class KeptParts:
    """Where the parts of one list of recordings are kept.

    Attributes
    ----------
    folder
        The folder. It belongs to these recordings and settings alone; whoever made it removes it in the end.
    name
        Beginning of the names of the files.
    """

    folder: Path
    name: str = "examined"

    def read(self, number: int, keys: Sequence[str]) -> list[Outcome] | None:
        """Return the outcomes of a part; None if it is missing, damaged, or about other recordings than ``keys``."""
        file = self._file(number)
        if not file.is_file():
            return None
        try:
            content = read_json(file)
            return [_outcome(outcome) for outcome in content["outcomes"]] if content["keys"] == list(keys) else None
        except (ArtefactError, KeyError, TypeError, ValueError):
            return None

    def write(self, number: int, keys: Sequence[str], outcomes: Sequence[Outcome]) -> None:
        """Write the outcomes of a part."""
        plain = [outcome if isinstance(outcome, str) else asdict(outcome) for outcome in outcomes]
        write_json(self._file(number), {"keys": list(keys), "outcomes": plain})

    def _file(self, number: int) -> Path:
        return self.folder / f"{self.name}-{number:04d}.json"


def examine_in_parts(
    keys: Sequence[str],
    examine: Callable[[int], Outcome],
    workers: int,
    parts: KeptParts | None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Outcome]:
    """Yield the outcome of each recording in order; parts that an interrupted run left are not examined again.

    Parameters
    ----------
    keys
        What names the recordings.
    examine
        Examines the recording at a place among the keys. Called by several threads.
    workers
        Number of threads.
    parts
        Where parts are kept; None keeps nothing.
    progress
        Gets the number of finished and of all recordings.
    """
    size = items_per_part(len(keys))
    begins = range(0, len(keys), size)

    def part(begin: int) -> list[Outcome]:
        number, part_keys = begin // size, keys[begin : begin + size]
        if parts is not None and (known := parts.read(number, part_keys)) is not None:
            return known
        outcomes = [examine(number_of_recording) for number_of_recording in range(begin, begin + len(part_keys))]
        if parts is not None:
            parts.write(number, part_keys, outcomes)
        return outcomes

    # Decoding and hashing release the global interpreter lock, so threads are enough.
    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        done = 0
        for outcomes in pool.map(part, begins):
            for outcome in outcomes:
                done += 1
                yield outcome
                if progress is not None:
                    progress(done, len(keys))


def _outcome(plain: Any) -> Outcome:
    if isinstance(plain, str):
        return plain
    levels = None if plain["levels"] is None else Levels(**plain["levels"])
    return Examination(Recording(**plain["recording"]), levels, {**plain["recorded"]}, plain["sound_s"])
