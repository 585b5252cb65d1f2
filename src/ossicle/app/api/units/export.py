"""The unit sequences of a finished project in other forms: JSON lines, text, and files for older scripts."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ossicle.app.api.units.encoding import EncodedSegment, timed_runs
from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import find_steps
from ossicle.app.steps.pipeline.pipelines import pipeline_of, steps_of
from ossicle.artefacts.filesystem.changes import open_new
from ossicle.artefacts.logs.noted_files import NotedFiles
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.units.segments import SegmentsFolder
from ossicle.artefacts.typed.units.sequences import SequenceRow, SequencesFolder
from ossicle.core.errors import UsageError
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.naming.table_names import table_places

JSON, TEXT, OLD = "json", "text", "old"
FORMATS = (JSON, TEXT, OLD)


@dataclass(frozen=True)
class FinishedSequences:
    """The sequences of a project, with the recordings that they come from.

    Attributes
    ----------
    name
        Name of the project.
    sequences
        Their artefact.
    paths
        Path of each recording below its root, by identifier.
    ends_s
        End of each segment in seconds from the start of its recording.
    """

    name: str
    sequences: SequencesFolder
    paths: Mapping[str, str]
    ends_s: Mapping[str, float]

    def rows(self) -> list[SequenceRow]:
        """Return the segments in the order of the paths of their recordings, then of their numbers."""
        return sorted(self.sequences.rows(), key=lambda row: (self.paths[row.recording_id], row.segment_id))

    @property
    def hop_s(self) -> float:
        """Seconds from one frame to the next."""
        return float(self.sequences.summary["hop_s"])

    @property
    def origin_s(self) -> float:
        """Centre of the first frame in seconds from the start of its segment."""
        return float(self.sequences.summary["origin_s"])


def finished_sequences(project: Project) -> FinishedSequences:
    """Return the sequences of a project under its current settings.

    Raises
    ------
    UsageError
        There are none.
    """
    pipeline = pipeline_of(project)
    artefacts = {name: path for name, path in find_steps(steps_of(project), project).items() if path is not None}
    if SequencesFolder.step not in artefacts:
        if SequencesFolder.step not in [step.name for step in pipeline.steps]:
            raise UsageError(
                f'{project.file}: pipeline = "{pipeline.name}" makes no units; begin with: ossicle new units'
            )
        raise UsageError(
            f"{project.file}: no unit sequences exist for these settings and recordings; run: ossicle run -p "
            f"{project.file} --until {SequencesFolder.step}"
        )
    segments = SegmentsFolder.among(artefacts).table()
    return FinishedSequences(
        project.settings.project.name,
        SequencesFolder.among(artefacts),
        {recording.id: recording.path for recording in read_index(CorpusFolder.among(artefacts)).recordings},
        dict(zip(segments["segment_id"], segments["end_s"], strict=True)),
    )


def export_sequences(finished: FinishedSequences, out: Path, form: str) -> list[Path]:
    """Write the sequences of a project to a folder, and return the files.

    Parameters
    ----------
    finished
        The sequences.
    out
        The folder; created if missing.
    form
        ``json``, ``text`` or ``old``.

    Raises
    ------
    UsageError
        The folder holds files of these names that were not written here, or were changed afterwards.
    """
    lines = {JSON: _json_files, TEXT: _text_files, OLD: _old_files}[form](finished)
    noted = NotedFiles(out)
    noted.refuse(lines)
    return [_write(out / name, make, noted) for name, make in lines.items()]


Lines = Callable[[], Iterator[str]]


def _json_files(finished: FinishedSequences) -> dict[str, Lines]:
    return {"units.jsonl": lambda: (json.dumps(_described(finished, row)) for row in finished.rows())}


def _described(finished: FinishedSequences, row: SequenceRow) -> dict[str, Any]:
    segment = EncodedSegment(row.start_s, finished.ends_s[row.segment_id], row.units)
    return {
        "segment_id": row.segment_id,
        "recording": finished.paths[row.recording_id],
        "group": row.group,
        "start_s": segment.start_s,
        "end_s": segment.end_s,
        "hop_s": finished.hop_s,
        "origin_s": finished.origin_s,
        "quantiser": finished.sequences.summary["quantiser"],
        "n_units": finished.sequences.summary["n_units"],
        "units": row.units.tolist(),
        "runs": timed_runs(segment, finished.hop_s, finished.origin_s),
    }


def _text_files(finished: FinishedSequences) -> dict[str, Lines]:
    return {
        "units.txt": lambda: (_joined_numbers(row.units.tolist()) for row in finished.rows()),
        "runs.txt": lambda: (_joined_numbers(row.runs.tolist()) for row in finished.rows()),
        "segments.txt": lambda: (
            f"{row.start_s:.6f} {finished.ends_s[row.segment_id]:.6f} {json.dumps(finished.paths[row.recording_id])}"
            for row in finished.rows()
        ),
    }


def _old_files(finished: FinishedSequences) -> dict[str, Lines]:
    return {
        f"{finished.name}_corpus_timestamped.json": lambda: _old_corpus(finished),
        "all_units_for_bpe.txt": lambda: (_joined_numbers(row.units.tolist()) for row in finished.rows()),
    }


def _old_corpus(finished: FinishedSequences) -> Iterator[str]:
    places = table_places([*finished.paths.values()])
    before = "{"
    for row in finished.rows():
        number = row.segment_id.rpartition("#")[2]
        name = f"{places[finished.paths[row.recording_id]].as_posix()}_seg_{number}"
        times = [round(finished.origin_s + k * finished.hop_s, 6) for k in range(len(row.units))]
        value = {
            "units": row.units.tolist(),
            "timestamps": times,
            "duration_sec": round(finished.ends_s[row.segment_id] - row.start_s, 6),
            "num_frames": len(row.units),
        }
        yield f"{before}{json.dumps(name)}: {json.dumps(value)}"
        before = ","
    yield "}" if before == "," else "{}"


def _joined_numbers(units: list[int]) -> str:
    return " ".join(map(str, units))


def _write(path: Path, lines: Lines, noted: NotedFiles) -> Path:
    with noted.writing(path) as part, open_new(part) as handle:
        for line in lines():
            handle.write(line.encode() + b"\n")
    return path
