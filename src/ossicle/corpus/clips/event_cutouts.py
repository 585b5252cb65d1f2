"""Events as audio: one WAV file per event, cut from its recording at the recording's own rate, with all channels.

Files are named ``<stem>_<start ms>_<end ms>.wav`` and keep the recording's folder below the input, so equal stems do
not collide; a recording that shares its stem with another in its folder keeps its suffix. Names of recordings are never
trusted as paths (``corpus.table_names``). The times in the name are those of the event; the sound is longer by the
padding.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath

import polars as pl

from ossicle.artefacts.logs.noted_files import NotedFiles
from ossicle.artefacts.tables import write_csv
from ossicle.audio.decoding.decode import AudioSource
from ossicle.audio.wav import write_wav_blocks
from ossicle.core.time import to_samples
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.naming.table_names import table_places

INDEX = "cutouts.csv"
# Holds 16 and 24 bits exactly, and decoded lossy files almost exactly.
_SUBTYPE = "PCM_24"
_SCHEMA = {
    "file": pl.String,
    "recording": pl.String,
    "start_s": pl.Float64,
    "end_s": pl.Float64,
    "label": pl.String,
    "score": pl.Float64,
    "sound_start_s": pl.Float64,
    "sound_end_s": pl.Float64,
}


@dataclass(frozen=True, slots=True)
class CutOut:
    """One event with its file below the output folder, and the stretch of the recording (s) in the file."""

    file: str
    recording: str
    event: RawSelection
    sound_start_s: float
    sound_end_s: float


class CutOuts:
    """The cut-outs of one output folder; ``names`` are all recordings, ``pad_s`` is the padding in seconds on each
    side, and ``option`` the one that names the folder. ``empty`` says of which events there is no sound. Nothing is
    made before the first cut-out.

    Raises UsageError if the folder holds an index that was not written here, or was changed afterwards.
    """

    def __init__(self, folder: Path, names: Iterable[str], pad_s: float = 0.0, option: str = "-o") -> None:
        if pad_s < 0:
            raise ValueError(f"pad_s = {pad_s:g} s must be at least 0 s")
        self._folder, self._pad_s, self._option = folder, pad_s, option
        self._places = table_places(names)
        self._noted = NotedFiles(folder)
        self._noted.refuse([INDEX], option)
        self.written: list[CutOut] = []
        self.empty: list[str] = []

    def refuse(self, events: Mapping[str, Sequence[RawSelection]]) -> None:
        """Check that the cut-outs of events of recordings would overwrite no file of the user.

        Raises UsageError if a file of such a name was not written here, or was changed afterwards. Call this before
        anything is written about these events: :meth:`write` would rename such a file to a copy.
        """
        names = [str(cutout_place(self._places[name], event)) for name, found in events.items() for event in found]
        self._noted.refuse(names, self._option)

    def write(self, name: str, path: Path, events: Sequence[RawSelection]) -> None:
        """Write the events of one recording; raises AudioError if it cannot be read.

        Events that begin and end in the same milliseconds, as those of two labels may, share a file. Of an event beyond
        the end of its recording, or without a length, none is written.
        """
        if not events:
            return
        source = AudioSource(path)
        done: dict[str, tuple[float, float] | None] = {}
        for event in sorted(
            events, key=lambda raw_selection: (raw_selection.start_s, raw_selection.end_s, raw_selection.label)
        ):
            file = str(cutout_place(self._places[name], event))
            if file not in done:
                done[file] = self._write_cutout(source, self._folder / file, event)
            if (stretch := done[file]) is not None:
                self.written.append(CutOut(file, name, event, *stretch))
                continue
            reason = "has no length; keep some sound around it with --pad"
            if event.end_s > event.start_s or self._pad_s:
                reason = "lies beyond the end of the recording"
            description = f"{event.label!r} at {event.start_s:g} to {event.end_s:g} s"
            self.empty.append(f"{name}: {description} {reason}; no file was written")

    def write_index(self) -> None:
        """Write ``cutouts.csv``: each event with its file."""
        rows = [
            {
                "file": cut_out.file,
                "recording": cut_out.recording,
                "start_s": cut_out.event.start_s,
                "end_s": cut_out.event.end_s,
                "label": cut_out.event.label,
                "score": cut_out.event.confidence,
                "sound_start_s": cut_out.sound_start_s,
                "sound_end_s": cut_out.sound_end_s,
            }
            for cut_out in self.written
        ]
        table = pl.DataFrame(rows, schema=_SCHEMA)
        with self._noted.writing(self._folder / INDEX) as part:
            write_csv(part, table.sort(["recording", "start_s", "end_s", "label"]))

    def _write_cutout(self, source: AudioSource, file: Path, event: RawSelection) -> tuple[float, float] | None:
        """Write the sound of an event; return its stretch in seconds, None if there is no sound."""
        rate = source.info.rate
        first = max(0, to_samples(event.start_s - self._pad_s, rate))
        n_wanted = max(0, to_samples(event.end_s + self._pad_s, rate) - first)
        # An event of a model for whole recordings is as long as the recording: it is never in memory as a whole.
        blocks = iter(source.blocks(start_sample=first, n_samples=n_wanted))
        sound = next((block for block in blocks if len(block)), None) if n_wanted else None
        if sound is None:
            return None
        blocks = chain((sound,), blocks)
        channels = source.info.channels
        with self._noted.writing(file) as part:
            n_samples = write_wav_blocks(part, blocks, rate, channels, most_samples=n_wanted, subtype=_SUBTYPE)
        return first / rate, (first + n_samples) / rate


def cutout_place(table_place: PurePosixPath, event: RawSelection) -> PurePosixPath:
    """Return the path of the cut-out of an event, given the path of its recording's table.

    >>> str(cutout_place(PurePosixPath("herd/alma_05.23"), RawSelection(1.0, 1.3, "hum")))
    'herd/alma_05.23_1000_1300.wav'
    """
    return table_place.with_name(
        f"{table_place.name}_{to_samples(event.start_s, 1000)}_{to_samples(event.end_s, 1000)}.wav"
    )
