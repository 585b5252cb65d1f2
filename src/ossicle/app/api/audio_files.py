"""Find the requested recordings by name, and read the samples of a recording as an array."""

import os
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path, PureWindowsPath

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.filesystem.reading import what_is_at
from ossicle.audio.decoding.array_stream import checked_rate
from ossicle.audio.decoding.channels import cancel_words
from ossicle.audio.decoding.decode import AudioSource
from ossicle.audio.decoding.mono import MonoStream
from ossicle.audio.probe import SUFFIXES
from ossicle.core.digest import normal_path
from ossicle.core.errors import UsageError
from ossicle.core.model_input.channel import MEAN, channel_name
from ossicle.core.value_checks import given_path
from ossicle.corpus.indexing.file_selection import skipped_audio, unread_audio
from ossicle.corpus.naming.audio_listing import audio_below
from ossicle.corpus.naming.table_names import writable
from ossicle.inference.batch import PathLike


def find_audio(sources: Sequence[Path]) -> list[tuple[str, Path]]:
    """List recordings by unique posix name, sorted.

    Parameters
    ----------
    sources
        Files, which are named by their file name, and folders, whose files are named by their path in the folder.

    Raises
    ------
    UsageError
        A path does not exist, or there is no recording.
    """
    recordings: list[tuple[str, Path]] = []
    for source in sources:
        if source.is_dir():
            listing = audio_below(source)
            # Whoever reads a folder that cannot be opened says so; the others go on.
            names_below = (*listing.files, *(path for path, _ in listing.unreadable))
            below = [(name, source / name) for name in names_below]
            if not below:
                raise UsageError(f"{source}: contains no audio files (searched for {', '.join(sorted(SUFFIXES))})")
            recordings += below
        elif source.exists() or source.is_symlink():
            recordings.append((source.name, source))
        else:
            raise UsageError(f"{source}: {what_is_at(source)}")
    recordings = [(_without_drive(writable(name)), path) for name, path in recordings]
    names = Counter(normal_path(name) for name, _ in recordings)
    # Files with equal names (in Unicode NFC) from different places get the name of their folder, then a number.
    by_name: dict[str, tuple[str, Path]] = {}
    for name, path in recordings:
        # The folder's name may hold what a file of results cannot, as the name of the file may.
        folder = writable(Path(os.path.realpath(path)).parent.name)
        unique = name if names[normal_path(name)] == 1 else f"{folder}/{name}"
        number = 2
        while (other := by_name.get(normal_path(unique))) and os.path.realpath(other[1]) != os.path.realpath(path):
            unique = f"{folder}-{number}/{name}"
            number += 1
        by_name[normal_path(unique)] = unique, path
    return sorted(by_name.values())


def unread_lines(sources: Sequence[Path]) -> list[str]:
    """Return a line for each folder with recordings whose format is not read.

    Parameters
    ----------
    sources
        Files and folders, as for :func:`find_audio`.

    Returns
    -------
    list of str
        The folder, the files, and what to do; empty if every recording is read.
    """
    return _lines(sources, "not read", unread_audio)


def skipped_lines(sources: Sequence[Path]) -> list[str]:
    """Return a line for each folder with files that are skipped beside a recording of the same name.

    Parameters
    ----------
    sources
        Files and folders, as for :func:`find_audio`.

    Returns
    -------
    list of str
        The folder, the files, and why; empty if nothing is skipped. Their recordings are read, so nothing is lost.
    """
    return _lines(sources, "skipped", skipped_audio)


def _lines(sources: Sequence[Path], label: str, described: Callable[[Path], str]) -> list[str]:
    return [f"{source}: {label}: {text}" for source in sources if source.is_dir() and (text := described(source))]


def _without_drive(name: str) -> str:
    """Return a name in which no first letter with a colon looks like a drive, which tables would leave out.

    >>> _without_drive("a:b.wav")
    'a%3Ab.wav'
    """
    return name.replace(":", "%3A", 1) if PureWindowsPath(name).drive.endswith(":") else name


def load_audio(
    path: PathLike, rate: int | None = None, *, channel: str | int = MEAN
) -> tuple[NDArray[np.float32], int]:
    """Read a recording as mono samples.

    Any format that Ossicle reads: WAV, FLAC, Ogg, MP3, M4A, AIFF. Channels are averaged unless one is chosen; the delay
    of lossy codecs is
    removed. The pair can be given to ``LoadedBundle.predict`` as it is.

    Parameters
    ----------
    path
        The file.
    rate
        Sample rate in Hz to resample to; None keeps the file's own.
    channel
        ``mean`` of the channels, ``first``, ``loudest``, or the number of a channel, counted from 1.

    Returns
    -------
    samples
        float32, shape (n,), in [-1, 1] for integer formats.
    rate
        Their sample rate in Hz.

    Raises
    ------
    AudioError
        The file cannot be read, or holds NaN, Inf or an absurd amplitude. A file that ends early is read up to there,
        with a warning.
    ValueError
        The rate is not a positive whole number, or ``path`` is not a path or empty.

    Examples
    --------
    >>> import tempfile, wave
    >>> path = Path(tempfile.mkdtemp()) / "tone.wav"
    >>> with wave.open(str(path), "wb") as file:
    ...     file.setparams((1, 2, 8000, 0, "NONE", ""))
    ...     file.writeframes(b"\\0\\x40" * 800)
    >>> samples, rate = load_audio(path)
    >>> samples.shape, str(samples.dtype), float(samples[0]), rate
    ((800,), 'float32', 0.5, 8000)
    """
    file = given_path("path", path)
    wanted_rate = AudioSource(file).info.rate if rate is None else checked_rate(rate)
    stream = MonoStream(file, wanted_rate, channel=channel_name(channel))
    samples = np.concatenate([np.zeros(0, dtype=np.float32), *stream])
    if stream.report.cancel_db is not None:
        warnings.warn(f"{path}: {cancel_words(stream.report.cancel_db)}", stacklevel=2)
    if stream.report.status == "partial":
        warnings.warn(f"{path}: partial: {stream.report.reason}", stacklevel=2)
    return samples, wanted_rate
