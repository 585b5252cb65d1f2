"""Artefacts with score tracks: out of fold, of an ensemble, of unlabelled recordings, of a benchmark."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ossicle.artefacts.array_files.blocks import TrackWriter, read_track, require_finite, track_digest
from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.tables import read_table, write_table
from ossicle.artefacts.typed.artefact import ArtefactFolder
from ossicle.core.tracks import ScoreTrack


@dataclass(frozen=True)
class TracksFolder(ArtefactFolder):
    """A folder with one score track for each recording."""

    TRACKS: ClassVar[str] = "tracks"

    @property
    def tracks(self) -> Path:
        """The folder of the tracks."""
        return self.path / self.TRACKS

    def track_path(self, recording_id: str) -> Path:
        """Return the path of a recording's track, without a suffix (:mod:`ossicle.artefacts.array_files.blocks`)."""
        return self.tracks / recording_id

    def track(self, recording_id: str) -> ScoreTrack:
        """Return the track of a recording, its scores memory-mapped; raises ArtefactError if there is none."""
        return read_track(self.track_path(recording_id))

    def require_finite(self, recording_ids: Iterable[str]) -> None:
        """Check that the tracks of recordings hold numbers only; raises ArtefactError, naming the file."""
        for recording_id in recording_ids:
            require_finite(self.track_path(recording_id))

    def track_digest(self, recording_id: str) -> str:
        """Return the digest of a track's files, empty if one is missing."""
        return track_digest(self.track_path(recording_id))


@dataclass(frozen=True)
class ClipTracksFolder(TracksFolder):
    """A folder in which the rows of a recording's track are its clips, not frames."""

    def write_rows(self, recording_id: str, columns: Sequence[str], rows: NDArray[np.float32]) -> None:
        """Write one row for each clip of a recording, float32 (n, n_columns)."""
        # A track has a hop and a length in seconds; clips have neither, so each counts one.
        with TrackWriter(self.track_path(recording_id), columns, 1.0) as writer:
            writer.append(rows)
            writer.finish(float(len(rows)))


@dataclass(frozen=True)
class LossesFolder(ArtefactFolder):
    """A folder that lists the recordings that could not be scored."""

    @property
    def left_out_file(self) -> Path:
        """Recordings that could not be scored, with the reason."""
        return self.path / "left_out.json"

    @cached_property
    def left_out(self) -> dict[str, str]:
        """The reason by recording (its path or its id, depending on the step)."""
        return dict(read_json(self.left_out_file))

    def write_left_out(self, left_out: Mapping[str, str]) -> None:
        """Write the reason by recording."""
        write_json(self.left_out_file, left_out)


@dataclass(frozen=True)
class HeldOutTracks(TracksFolder):
    """A folder with a track for each held-out recording, by the model that held out its group."""

    def done_file(self, model: str) -> Path:
        """Return the file that marks all recordings of a model as scored."""
        # Only its one writer may open a journal, but everybody may check whether a unit is done.
        return self.path / "logs" / f"{model}.done.json"

    def is_done(self, model: str) -> bool:
        """Return whether all recordings of a model are scored."""
        return self.done_file(model).exists()

    def write_done(self, model: str, recordings: int) -> None:
        """Mark all recordings of a model as scored."""
        write_json(self.done_file(model), {"recordings": recordings})


@dataclass(frozen=True)
class ScoresFolder(HeldOutTracks):
    """The artefact of the step ``scores``: every annotated recording, by the model that held out its group."""

    step: ClassVar[str] = "scores"


@dataclass(frozen=True)
class ClipScoresFolder(HeldOutTracks, ClipTracksFolder):
    """The artefact of the step ``clip_scores``: held-out clips in a table, and their scores in its order."""

    step: ClassVar[str] = "clip_scores"

    @property
    def clips_file(self) -> Path:
        """The clips: recording, onset, start, end and label."""
        return self.path / "clips.parquet"

    @cached_property
    def clips(self) -> pl.DataFrame:
        """The clips, by recording, onset and label."""
        return read_table(self.clips_file)

    def write_clips(self, clips: pl.DataFrame) -> None:
        """Write the clips, which are sorted."""
        write_table(self.clips_file, clips, None)


@dataclass(frozen=True)
class ClipBaselinesFolder(ClipTracksFolder):
    """The artefact of the step ``clip_baselines``: features of clips, and what simple models say of held-out ones."""

    step: ClassVar[str] = "clip_baselines"

    @property
    def scores_file(self) -> Path:
        """Scores of the held-out clips: recording, onset, label, and a list of scores for each simple model."""
        return self.path / "baselines.parquet"

    @cached_property
    def scores(self) -> pl.DataFrame:
        """The content of :attr:`scores_file`, by recording, onset and label."""
        return read_table(self.scores_file)

    def write_scores(self, scores: pl.DataFrame) -> None:
        """Write the scores, which are sorted."""
        write_table(self.scores_file, scores, None)


@dataclass(frozen=True)
class EnsembleScoresFolder(ScoresFolder):
    """The scores of an ensemble, in the place of the step ``scores``."""

    @property
    def fits_file(self) -> Path:
        """The fitted parameters of the rule for each fold, as arrays (``app.steps.compare.ensemble_scores``)."""
        return self.path / "fits.safetensors"

    @property
    def summary_file(self) -> Path:
        """Members, rule and weights."""
        return self.path / "ensemble.json"

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Members, rule, weights and protocol."""
        return dict(read_json(self.summary_file))

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Write members, rule, weights and protocol."""
        write_json(self.summary_file, summary)


@dataclass(frozen=True)
class PseudoScoresFolder(LossesFolder):
    """The artefact of the step ``pseudo_scores``: every unlabelled recording, by each model that holds out a fold."""

    step: ClassVar[str] = "pseudo_scores"

    def track_path(self, model: str, recording_id: str) -> Path:
        """Return the path of a model's track for a recording, without a suffix."""
        return self.path / TracksFolder.TRACKS / model / recording_id

    def track(self, model: str, recording_id: str) -> ScoreTrack:
        """Return a model's track for a recording; raises ArtefactError if there is none."""
        return read_track(self.track_path(model, recording_id))


@dataclass(frozen=True)
class BenchmarkScoresFolder(TracksFolder, LossesFolder):
    """The artefact of the step ``benchmark-scores``; recordings left out are named by id."""

    step: ClassVar[str] = "benchmark-scores"
