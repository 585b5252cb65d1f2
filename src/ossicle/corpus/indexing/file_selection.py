"""Select the audio files of a folder that are recordings: all of them, or those given by ``include`` and ``exclude``.

Files in ``exclude`` are not used at all. Files outside ``include`` are not recordings but can still give information: a
labelled clip shows which stretch of its tape somebody checked.
"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ossicle.audio.probe import OTHER_SUFFIXES, SUFFIXES
from ossicle.core.digest import digest
from ossicle.core.errors import UsageError
from ossicle.core.text.counting import counted
from ossicle.corpus.naming.audio_listing import beside_recordings
from ossicle.corpus.naming.file_listing import listing_below, shown
from ossicle.corpus.naming.globs import Globs
from ossicle.corpus.naming.name_template import stem_of


@dataclass(frozen=True, slots=True)
class AudioFiles:
    """Audio files by their paths below the folder, sorted.

    ``listed``: all files. ``usable``: those not excluded. ``chosen``: usable files that are included, the recordings.
    ``idle``: ``(key, glob)`` of the globs that match nothing. ``unreadable``: folders that cannot be opened, with the
    reasons. ``skipped``: files beside a listed recording of the same name, which are not listed.
    """

    listed: tuple[str, ...]
    usable: tuple[str, ...]
    chosen: tuple[str, ...]
    idle: tuple[tuple[str, str], ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()
    skipped: tuple[str, ...] = ()


def audio_files(
    folder: Path,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    segments: Path | None = None,
    most: int = 0,
) -> AudioFiles:
    """Return the audio files below ``folder``, without those below ``segments``, a folder of cut-outs.

    Parameters
    ----------
    folder
        Folder of the audio files.
    include, exclude
        Globs on the paths.
    segments
        Folder of cut-outs.
    most
        Choose at most this many files, see :func:`sliver`; 0 chooses all.

    Raises
    ------
    UsageError
        If the folder is missing or holds no audio, the globs leave nothing, or cut-outs have no folder of their own.
    """
    if not folder.is_dir():
        raise UsageError(f"corpus.audio: the folder {folder} does not exist; correct the path, or connect the disk")
    listing = listing_below(folder, SUFFIXES)
    listed = list(listing.files)
    if segments is not None:
        segments_path = _below(segments, folder)
        if segments_path == ".":
            raise UsageError(
                f"corpus.annotations: {segments} is the folder of the recordings, or contains it; move the cut-out "
                "segments to a folder of their own"
            )
        listed = [path for path in listed if segments_path is None or not path.startswith(f"{segments_path}/")]
    skipped = beside_recordings(listed)
    listed = sorted({*listed} - {*skipped})
    if not listed:
        raise UsageError(
            f"corpus.audio: the folder {folder} contains no audio files (searched for {', '.join(sorted(SUFFIXES))})"
            + "".join(f"; {path} cannot be opened ({reason})" for path, reason in listing.unreadable[:5])
        )
    into, excluded_globs = Globs(include), Globs(exclude)
    excluded = {path: excluded_globs.match(path) for path in listed}
    included = {path: into.match(path) for path in listed}
    usable = [path for path in listed if excluded[path] is None]
    chosen = [path for path in usable if not include or included[path] is not None]
    if not chosen:
        raise UsageError(
            f"corpus.include = {list(include)} and corpus.exclude = {list(exclude)} leave none of the {len(listed)} "
            f"audio files below {folder}, such as {shown(listed[0])!r}; globs are matched against such paths"
        )
    idle = [("include", glob) for glob in include if glob not in included.values() and not _matches_any(glob, listed)]
    idle += [("exclude", glob) for glob in exclude if glob not in excluded.values() and not _matches_any(glob, listed)]
    unreadable = tuple(entry for entry in listing.unreadable if excluded_globs.match(entry[0]) is None)
    return AudioFiles(
        listed=tuple(listed),
        usable=tuple(usable),
        chosen=tuple(sliver(chosen, most) if most else chosen),
        idle=tuple(idle),
        unreadable=unreadable,
        skipped=tuple(path for path in skipped if excluded_globs.match(path) is None),
    )


def unread_audio(folder: Path, exclude: Sequence[str] = ()) -> str:
    """Return a sentence on recordings below a folder whose format is not read.

    A file beside one that is read, with the same name up to the suffix, is taken for its original and not counted.

    Parameters
    ----------
    folder
        Folder of the audio files.
    exclude
        Globs on the paths that are left out on purpose.

    Returns
    -------
    str
        The sentence; empty if all recordings are read.
    """
    listed = listing_below(folder, SUFFIXES | OTHER_SUFFIXES).files
    read = {stem_of(path, SUFFIXES) for path in listed if _suffix(path) in SUFFIXES}
    excluded_globs = Globs(exclude)
    unread = [
        path
        for path in listed
        if _suffix(path) in OTHER_SUFFIXES
        and os.path.splitext(path)[0] not in read
        and excluded_globs.match(path) is None
    ]
    if not unread:
        return ""
    kinds = ", ".join(sorted({_suffix(path) for path in unread}))
    return f"{counted(len(unread), 'file')} ({shown(unread[0])}) with the suffix {kinds}; convert to WAV or FLAC"


def skipped_audio(folder: Path, exclude: Sequence[str] = ()) -> str:
    """Return a sentence on files below a folder that are skipped beside a recording of the same name.

    Parameters
    ----------
    folder
        Folder of the audio files.
    exclude
        Globs on the paths that are left out on purpose.

    Returns
    -------
    str
        The sentence; empty if nothing is skipped.
    """
    excluded_globs = Globs(exclude)
    skipped = [
        path for path in beside_recordings(listing_below(folder, SUFFIXES).files) if excluded_globs.match(path) is None
    ]
    return f"{counted(len(skipped), 'file')} ({shown(skipped[0])}) {skipped_words(len(skipped))}" if skipped else ""


def skipped_words(n_files: int) -> str:
    """Return why files beside recordings of the same name are skipped, and what to do.

    Parameters
    ----------
    n_files
        Number of the files.

    Returns
    -------
    str
        The words, which follow the files.
    """
    if n_files == 1:
        return "beside a recording of the same name was skipped; rename it if it is another recording"
    return "beside recordings of the same name were skipped; rename those that are other recordings"


def sliver(paths: Sequence[str], most: int) -> list[str]:
    """Return at most ``most`` of the paths, sorted: evenly many from every folder, by a hash of the path within it.

    >>> sliver(["a/1.wav", "a/2.wav", "a/3.wav", "b/1.wav"], 2)
    ['a/2.wav', 'b/1.wav']
    """
    n_of_folder: Counter[str] = Counter()
    order = []
    for path in sorted(paths, key=digest):
        folder = path.rpartition("/")[0]
        order.append((n_of_folder[folder], folder, path))
        n_of_folder[folder] += 1
    return sorted(path for _, _, path in sorted(order)[:most])


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()


def _matches_any(glob: str, paths: Sequence[str]) -> bool:
    """Return whether a glob matches any path; of several matching globs, ``Globs.match`` returned only the first."""
    alone = Globs([glob])
    return any(alone.match(path) is not None for path in paths)


def _below(inner: Path, outer: Path) -> str | None:
    """Return the path of ``inner`` below ``outer``, ``.`` if it is or contains ``outer``, None if they are separate."""
    real_inner, real_outer = Path(os.path.realpath(inner)), Path(os.path.realpath(outer))
    if real_outer.is_relative_to(real_inner):
        return "."
    return real_inner.relative_to(real_outer).as_posix() if real_inner.is_relative_to(real_outer) else None
