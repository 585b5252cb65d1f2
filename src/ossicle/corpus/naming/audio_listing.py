"""List the recordings below a folder. Of a recording and a file beside it in a format that was not always searched for,
such as the video from which the sound was taken, the recording counts.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from ossicle.audio.probe import LATER_SUFFIXES, SUFFIXES
from ossicle.corpus.naming.file_listing import Listing, listing_below
from ossicle.corpus.naming.name_template import stem_of


def audio_below(folder: Path) -> Listing:
    """List the recordings below a folder, without those of :func:`beside_recordings`.

    Parameters
    ----------
    folder
        The folder.

    Returns
    -------
    Listing
        The recordings, and the folders that cannot be opened.

    Raises
    ------
    OSError
        The folder itself cannot be opened.
    """
    listing = listing_below(folder, SUFFIXES)
    skipped = set(beside_recordings(listing.files))
    return replace(listing, files=tuple(path for path in listing.files if path not in skipped))


def beside_recordings(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the files that are skipped, because a recording in the same folder has their name up to the suffix.

    Parameters
    ----------
    paths
        Paths of audio files below a folder.

    Returns
    -------
    tuple of str
        Those with a suffix of ``LATER_SUFFIXES`` beside one with another suffix, in the same order.

    Examples
    --------
    >>> beside_recordings(["a/1.MOV", "a/1.wav", "a/2.mov", "b/2.wav"])
    ('a/1.MOV',)
    """
    every = tuple(paths)
    later = [path for path in every if PurePosixPath(path).suffix.lower() in LATER_SUFFIXES]
    stems = {stem_of(path, SUFFIXES) for path in {*every} - {*later}} if later else set()
    return tuple(path for path in later if stem_of(path, SUFFIXES) in stems)
