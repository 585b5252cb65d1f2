"""From audio files to recordings: probe, hash and optionally decode each once. An unreadable file is skipped and
listed.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from ossicle.artefacts.files import file_digest
from ossicle.audio import probe as audio_probe
from ossicle.audio.decoding.channels import channel_index
from ossicle.audio.decoding.levels import Levels, measure
from ossicle.core.digest import recording_id
from ossicle.core.errors import AudioError
from ossicle.core.model_input.channel import LOUDEST, MEAN
from ossicle.core.records import Recording
from ossicle.corpus.indexing.recorder_fields import recorder_fields
from ossicle.corpus.naming.recording_fields import RecordingNames

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Examined:
    """Recordings in the order of their paths, levels of the decoded ones and fields by their recorder by id, and (path,
    reason) of unreadable files.
    """

    recordings: list[Recording] = field(default_factory=list)
    levels: dict[str, Levels] = field(default_factory=dict)
    recorded: dict[str, dict[str, str]] = field(default_factory=dict)
    bad: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Examiner:
    """How the files of a folder are examined: the root in their ids, and whether they are decoded and hashed.

    Without ``hashed`` recordings have no digest, and only headers are read of files that are not decoded. ``channel``
    is the one that will be read, as in :mod:`ossicle.core.model_input.channel`.
    """

    folder: Path
    root: str
    decode: bool
    names: RecordingNames
    hashed: bool = True
    channel: str = MEAN

    def all(self, paths: Sequence[str], workers: int, progress: Progress | None) -> Examined:
        """Examine files with ``workers`` threads; ``progress`` gets the number of finished and of all files."""
        out = Examined()
        # Decoding and hashing release the global interpreter lock, so threads are enough.
        with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
            for done, one in enumerate(pool.map(self.one, paths), start=1):
                if isinstance(one, str):
                    out.bad.append((paths[done - 1], one))
                else:
                    out.recordings.append(one[0])
                    out.recorded[one[0].id] = recorder_fields(self.folder / paths[done - 1])
                    if one[1] is not None:
                        out.levels[one[0].id] = one[1]
                if progress is not None:
                    progress(done, len(paths))
        return out

    def one(self, path: str) -> tuple[Recording, Levels | None] | str:
        """Return the recording of a file, with its levels if decoded, or the reason why it cannot be used."""
        return self.examine(self.folder / path, self.root, path)

    def examine(
        self, file: Path, root: str, path: str, fields: Mapping[str, str] | None = None
    ) -> tuple[Recording, Levels | None] | str:
        """Return the recording of a file as :meth:`one` does.

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
                return replace(recording, status="partial" if info.fault else "ok", reason=info.fault), None
            info, report, levels = measure(file)
        except AudioError as problem:
            return str(problem).removeprefix(f"{file}: ")
        except OSError as problem:
            return f"cannot be read ({problem.strerror})"
        reason = report.reason or ("every sample is zero" if report.status == "silent" else "")
        if self.channel != MEAN:
            # What cancels in the mean does not matter where one channel is read.
            levels = replace(levels, cancel_db=None)
        return replace(recording, n_samples=report.n_samples, status=report.status, reason=reason), levels
