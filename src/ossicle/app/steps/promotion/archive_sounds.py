"""Sounds of an archive: the misclassified clips as WAV files, the most confident mistakes first."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ossicle.app.steps.promotion.finished_run import FinishedRun
from ossicle.artefacts.files import whole_file
from ossicle.artefacts.tables import write_csv
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.results.archived import SOUNDS_TABLE
from ossicle.artefacts.typed.scores import ClipScoresFolder
from ossicle.audio.decoding.mono import load_mono
from ossicle.audio.wav import wav_bytes
from ossicle.core.errors import OssicleError
from ossicle.corpus.indexing.index_storage import read_index

_KEY = ("recording_id", "onset_s", "label")


@dataclass(frozen=True, slots=True)
class WrittenSounds:
    """How many sounds were written, and the recordings that could not be read."""

    n_written: int
    unreadable: tuple[str, ...]


def write_sounds(run: FinishedRun, wrong: pl.DataFrame, folder: Path, most: int) -> WrittenSounds:
    """Write the first ``most`` misclassified clips as ``0001.wav``..., and ``sounds.csv`` that says which is which.

    A recording that is missing or damaged costs only its own sounds.

    Parameters
    ----------
    run
        The run.
    wrong
        The misclassified clips, in order: ``recording_id``, ``recording``, ``onset_s``, ``label``, ``answer`` and more.
    folder
        Where to write; it exists.
    most
        The largest number of sounds.
    """
    times = ClipScoresFolder.among(run.artefacts).clips.select([*_KEY, "start_s", "end_s"])
    rows = wrong.head(most).join(times, on=list(_KEY), how="left", maintain_order="left").to_dicts()
    recordings = {recording.id: recording for recording in read_index(CorpusFolder.among(run.artefacts)).recordings}
    plan, written, unreadable = run.project.settings.plan, [], []
    for number, row in enumerate(rows, start=1):
        name, recording = f"{number:04d}.wav", recordings[row["recording_id"]]
        length_s = row["end_s"] - row["start_s"]
        try:
            file = run.project.roots.file(recording)
            samples = load_mono(file, plan.rate, row["start_s"], length_s, channel=plan.channel)
        except (OssicleError, OSError):
            # An archive without this sound is better than none; the reader of the archive is told.
            unreadable.append(recording.path)
            continue
        _write(folder, name, wav_bytes(samples, plan.rate))
        written.append({"sound": name, **row})
    if written:
        write_csv(folder / SOUNDS_TABLE, pl.DataFrame(written, infer_schema_length=None))
    return WrittenSounds(len(written), tuple(dict.fromkeys(unreadable)))


def _write(folder: Path, name: str, data: bytes) -> None:
    with whole_file(folder / name) as part:
        part.write_bytes(data)
