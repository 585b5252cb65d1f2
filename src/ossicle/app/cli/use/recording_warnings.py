"""What is printed about a recording that a bundle hears, but not as it sounded: its channels, its time, its band."""

import sys
from pathlib import Path

from ossicle.app.api.bundles.loaded_bundle import LoadedBundle
from ossicle.app.cli.printable import printable
from ossicle.audio.decoding.channels import cancel_words
from ossicle.audio.probe import probe
from ossicle.audio.recorder.metadata import expansion_words, time_expansion_of
from ossicle.core.errors import AudioError
from ossicle.core.model_input.missing_band import missing_words


def warn_of_recording(bundle: LoadedBundle, name: str, path: Path, cancel_db: float | None) -> None:
    """Print on stderr that channels cancel, that a file is not in the time of its sound, and that its band is narrow.

    Parameters
    ----------
    bundle
        What read the recording.
    name, path
        The name to print, and the file.
    cancel_db
        How many dB the mean of the channels lies below the loudest one, if they cancel each other in all or a part of
        the recording.
    """
    consequence = "states may be wrong" if bundle.gives_states else "events are missing"
    if cancel_db is not None:
        say(f"{name}: {cancel_words(cancel_db)}, so {consequence}; choose one with --channel first or loudest")
    if (times := time_expansion_of(path)) is not None:
        kind = "states" if bundle.gives_states else "events"
        say(f"{name}: {expansion_words(times)}; {kind} are in the time of the file")
    if (rate := rate_of(path)) is not None and (message := missing_words(rate, bundle.top_hz)):
        say(f"{name}: {message}; {consequence} that need it")


def rate_of(path: Path) -> int | None:
    """Return the sample rate of a recording, None if it cannot be read."""
    try:
        return probe(path).rate
    except (AudioError, OSError):
        return None


def say(line: str) -> None:
    """Print a line on stderr."""
    print(printable(line), file=sys.stderr)
