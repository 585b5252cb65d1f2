"""From audio files to recordings: probe, hash and optionally decode each once. An unreadable file is skipped and
listed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ossicle.artefacts.files import file_digest
from ossicle.audio import probe as audio_probe
from ossicle.audio.decoding.channels import channel_index
from ossicle.audio.decoding.first_sound import first_sound_s
from ossicle.audio.decoding.levels import Levels, measure
from ossicle.core.digest import recording_id
from ossicle.core.errors import AudioError
from ossicle.core.model_input.channel import LOUDEST, MEAN
from ossicle.core.records import Recording
from ossicle.corpus.indexing.examining.kept_parts import Examination, KeptParts, Outcome, examine_in_parts
from ossicle.corpus.indexing.examining.recorder_fields import recorder_fields
from ossicle.corpus.naming.recording_fields import RecordingNames

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Examined:
    """Recordings in the order of their paths, levels of the decoded ones and fields by their recorder by id, where the
    sound begins by path, and (path, reason) of unreadable files.
    """

    recordings: list[Recording] = field(default_factory=list)
    levels: dict[str, Levels] = field(default_factory=dict)
    recorded: dict[str, dict[str, str]] = field(default_factory=dict)
    sound_s: dict[str, float | None] = field(default_factory=dict)
    bad: list[tuple[str, str]] = field(default_factory=list)

    def joined(self, other: "Examined") -> "Examined":
        """Return what was found out about the files of both.

        Parameters
        ----------
        other
            About other files: each file is in one of the two.

        Returns
        -------
        Examined
            With the recordings in the order of their paths.
        """
        return Examined(
            sorted([*self.recordings, *other.recordings], key=lambda recording: recording.path),
            self.levels | other.levels,
            self.recorded | other.recorded,
            self.sound_s | other.sound_s,
            [*self.bad, *other.bad],
        )


@dataclass(frozen=True, slots=True)
class Examiner:
    """How the files of a folder are examined: the root in their ids, and whether they are decoded and hashed.

    Without ``hashed`` recordings have no digest, and only headers are read of files that are not decoded. ``channel``
    is the one that will be read, as in :mod:`ossicle.core.model_input.channel`. With ``from_sound``, decoded files also
    say where their sound begins.
    """

    folder: Path
    root: str
    decode: bool
    names: RecordingNames
    hashed: bool = True
    channel: str = MEAN
    from_sound: bool = False

    def all(
        self, paths: Sequence[str], workers: int, progress: Progress | None, parts: KeptParts | None = None
    ) -> Examined:
        """Examine files with ``workers`` threads; ``progress`` gets the number of finished and of all files.

        ``parts``: where an interrupted run is continued; None examines everything.
        """
        examined = Examined()
        outcomes = examine_in_parts(
            paths, lambda number_of_path: self.one(paths[number_of_path]), workers, parts, progress
        )
        for path, outcome in zip(paths, outcomes, strict=True):
            if isinstance(outcome, str):
                examined.bad.append((path, outcome))
            else:
                examined.recordings.append(outcome.recording)
                examined.recorded[outcome.recording.id] = outcome.recorded
                if self.from_sound and outcome.levels is not None:
                    examined.sound_s[path] = outcome.sound_s
                if outcome.levels is not None:
                    examined.levels[outcome.recording.id] = outcome.levels
        return examined

    def one(self, path: str) -> Outcome:
        """Return what was found out about a file, or the reason why it cannot be used."""
        file = self.folder / path
        outcome = self.examine(file, self.root, path)
        return outcome if isinstance(outcome, str) else replace(outcome, recorded=recorder_fields(file))

    def examine(self, file: Path, root: str, path: str, fields: Mapping[str, str] | None = None) -> Outcome:
        """Return what was found out about a file as :meth:`one` does, without the fields of its recorder.

        Parameters
        ----------
        file
            The file.
        root, path
            The name of its root, and its path below it.
        fields
            Fields that are known from elsewhere; they override those of the name.
        """
        try:
            info = audio_probe.probe(file, thorough=self.hashed and not self.decode)
            if self.channel != LOUDEST:
                channel_index(self.channel, info.channels)
            recording = Recording(
                id=recording_id(root, path),
                root=root,
                path=path,
                rate=info.rate,
                channels=info.channels,
                n_samples=info.n_samples,
                digest=file_digest(file) if self.hashed else "",
                fields={**self.names.fields(path), **(fields or {})},
            )
            # Some headers do not hold the length of the recording.
            if not self.decode and info.n_samples:
                return Examination(replace(recording, status="partial" if info.fault else "ok", reason=info.fault))
            info, report, levels = measure(file)
            sound_s = first_sound_s(file, self.channel) if self.from_sound else None
        except AudioError as problem:
            return str(problem).removeprefix(f"{file}: ")
        except OSError as problem:
            return f"cannot be read ({problem.strerror})"
        reason = report.reason or ("every sample is zero" if report.status == "silent" else "")
        if self.channel != MEAN:
            # What cancels in the mean does not matter where one channel is read.
            levels = replace(levels, cancel_db=None)
        checked = replace(recording, n_samples=report.n_samples, status=report.status, reason=reason)
        return Examination(checked, levels, sound_s=sound_s)
