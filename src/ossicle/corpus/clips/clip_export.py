"""A dataset as files for other programs: lists of clips, an index of all, selection tables of every recording.

Two layouts. ``plain``: tables with headings, sound in ``clips/``. ``animal-spot``: lists of file names without a
heading, sound beside them. In both, pictures are in ``spectrograms/`` under the names of the sound files, targets in
``selection_tables/`` and mined noise in ``noise_tables/``, in the times of the recording. A large dataset can have
sound and pictures in subfolders, because folders with very many files are slow or full.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ossicle.artefacts.files import write_text
from ossicle.artefacts.plain import plain
from ossicle.core.records import Annotation, Recording
from ossicle.corpus.formats.cells.delimited import escape_cell, figure, write_delimited
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import write_raven
from ossicle.corpus.naming.clip_file_names import NamedClip
from ossicle.corpus.naming.table_names import table_places, writable

SPLITS = ("train", "val", "test")
INDEX = "variant_index.json"
TARGET_TABLES, NOISE_TABLES, PICTURES = "selection_tables", "noise_tables", "spectrograms"
_ENDING = ".Table.1.selections.txt"
_HEADER = (
    "file",
    "class",
    "label",
    "quality",
    "recording",
    "start_s",
    "end_s",
    "group",
    "year",
    "uid",
)


@dataclass(frozen=True)
class DatasetFiles:
    """The content to write: clips with their splits (train, val or test), and their recordings.

    ``annotations`` are the targets with their frequencies; ``about`` is written at the top of the index; ``fanout`` is
    the number of digits of a clip's id that name its subfolder.
    """

    clips: Sequence[NamedClip]
    splits: Sequence[str]
    recordings: Mapping[str, Recording]
    annotations: Sequence[Annotation]
    about: Mapping[str, Any]
    layout: str = "plain"
    wav: bool = False
    png: bool = False
    fanout: int = 0

    def sound(self, named_clip: NamedClip) -> str:
        """Return the path of a clip's WAV file below the folder, whether or not it is written."""
        return (
            f"{named_clip.stem}.wav"
            if self.layout == "animal-spot"
            else f"clips/{self._subfolder(named_clip)}{named_clip.stem}.wav"
        )

    def picture(self, named_clip: NamedClip) -> str:
        """Return the path of a clip's picture below the folder."""
        return f"{PICTURES}/{self._subfolder(named_clip)}{named_clip.stem}.png"

    def _subfolder(self, named_clip: NamedClip) -> str:
        return f"{named_clip.uid[: self.fanout]}/" if self.fanout else ""

    def tables(self) -> dict[str, dict[str, str]]:
        """Return the paths of the selection tables below the folder, by folder and recording id."""
        used = {named_clip.clip.recording_id for named_clip in self.clips}
        targets = {key for key, recording in self.recordings.items() if recording.reviewed or key in used}
        noise = {named_clip.clip.recording_id for named_clip in self.clips if named_clip.clip.role == "noise"}
        places = table_places(writable(self.recordings[key].path) for key in targets)
        return {
            folder: {
                key: f"{folder}/{places[writable(self.recordings[key].path)]}{_ENDING}"
                for key in sorted(keys, key=lambda key: self.recordings[key].path)
            }
            for folder, keys in ((TARGET_TABLES, targets), (NOISE_TABLES, noise))
        }

    def paths(self) -> list[str]:
        """Return every file below the folder, sorted."""
        all_paths = [INDEX, *(f"{name}.csv" for name in SPLITS)]
        all_paths += [path for table_paths in self.tables().values() for path in table_paths.values()]
        all_paths += [self.sound(named_clip) for named_clip in self.clips] if self.wav else []
        all_paths += [self.picture(named_clip) for named_clip in self.clips] if self.png else []
        return sorted(all_paths)


def write_lists(folder: Path, files: DatasetFiles) -> None:
    """Write ``train.csv``, ``val.csv`` and ``test.csv``: one row per clip."""
    for name in SPLITS:
        split_clips = [named_clip for named_clip, split in zip(files.clips, files.splits, strict=True) if split == name]
        if files.layout == "animal-spot":
            write_text(folder / f"{name}.csv", "".join(f"{files.sound(named_clip)}\n" for named_clip in split_clips))
        else:
            write_delimited(folder / f"{name}.csv", _HEADER, [_row(files, named_clip) for named_clip in split_clips])


def write_index(folder: Path, files: DatasetFiles) -> None:
    """Write ``variant_index.json``: counts, and every clip with its known properties; all paths are relative.

    Each clip is one line, since a large dataset has very many.
    """
    counted = sorted(_counted(files).items())
    counts = {
        name: {
            "clips": sum(clips for (split, _, _), clips in counted if split == name),
            "targets": sum(clips for (split, _, noise), clips in counted if split == name and not noise),
            "by_class": {kind: clips for (split, kind, _), clips in counted if split == name},
        }
        for name in SPLITS
    }
    tapes = {key: writable(recording.path) for key, recording in files.recordings.items()}
    entries = (
        json.dumps(_entry(files, named_clip, split, tapes), sort_keys=True, ensure_ascii=False, allow_nan=False)
        for named_clip, split in zip(files.clips, files.splits, strict=True)
    )
    meta = json.dumps(plain({**files.about, "counts": counts}), sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_text(folder / INDEX, '{\n"entries": [\n' + ",\n".join(entries) + f'\n],\n"meta": {meta}\n}}\n')


def _counted(files: DatasetFiles) -> Counter[tuple[str, str, bool]]:
    """Return the number of clips by split, class and whether they are noise."""
    return Counter(
        (split, named_clip.class_name, named_clip.clip.role == "noise")
        for named_clip, split in zip(files.clips, files.splits, strict=True)
    )


def _entry(files: DatasetFiles, named_clip: NamedClip, split: str, tapes: Mapping[str, str]) -> dict[str, Any]:
    clip = named_clip.clip
    return {
        "uid": named_clip.uid,
        "fn": files.sound(named_clip),
        "class": named_clip.class_name,
        "label": clip.label,
        "role": clip.role,
        "quality": named_clip.quality,
        "tape_key": tapes[clip.recording_id],
        "group": writable(clip.group),
        "year": named_clip.year,
        "start_s": round(clip.start_s, 6),
        "end_s": round(clip.end_s, 6),
        "start_ms": round(1000 * clip.start_s),
        "end_ms": round(1000 * clip.end_s),
        "split": split,
        "has_audio": files.wav,
        **({"spectrogram_path": files.picture(named_clip)} if files.png else {}),
    }


def write_tables(folder: Path, files: DatasetFiles, high_hz: float) -> None:
    """Write the selection tables; rows without frequencies reach up to ``high_hz``.

    Noise is labelled ``noise``. A reviewed recording without targets has a table without rows.
    """
    known: dict[tuple[str, float, str], Annotation] = {
        (annotation.recording_id, annotation.start_s, annotation.label): annotation for annotation in files.annotations
    }
    targets: dict[str, list[RawSelection]] = defaultdict(list)
    noise: dict[str, list[RawSelection]] = defaultdict(list)
    for named_clip in files.clips:
        clip = named_clip.clip
        if clip.role == "noise":
            noise[clip.recording_id].append(RawSelection(clip.start_s, clip.end_s, "noise"))
            continue
        note = known.get((clip.recording_id, clip.start_s, clip.label))
        low, high = (None, None) if note is None else (note.low_hz, note.high_hz)
        targets[clip.recording_id].append(
            RawSelection(clip.start_s, clip.end_s, clip.label, low, high, quality=named_clip.quality)
        )
    for name, rows in ((TARGET_TABLES, targets), (NOISE_TABLES, noise)):
        for key, path in files.tables()[name].items():
            audio = PurePosixPath(writable(files.recordings[key].path)).name
            write_raven(folder / path, rows[key], audio_name=audio, default_high_hz=high_hz)


def _row(files: DatasetFiles, named_clip: NamedClip) -> list[str]:
    clip = named_clip.clip
    return [
        escape_cell(files.sound(named_clip)),
        escape_cell(named_clip.class_name),
        escape_cell(clip.label),
        "" if named_clip.quality is None else str(named_clip.quality),
        escape_cell(writable(files.recordings[clip.recording_id].path)),
        figure(clip.start_s),
        figure(clip.end_s),
        escape_cell(writable(clip.group)),
        named_clip.year,
        named_clip.uid,
    ]
