"""Whether the channels of recordings cancel each other, from a few seconds of a few of them, before anything is run."""

from collections.abc import Sequence
from dataclasses import dataclass

from ossicle.artefacts.roots import Roots
from ossicle.audio.decoding.channels import ChannelBalance
from ossicle.audio.decoding.decode import AudioSource
from ossicle.core.errors import AudioError
from ossicle.core.records import Recording
from ossicle.core.time import to_samples

MOST_RECORDINGS = 12
_STRETCH_S = 10.0
# Where the stretches begin, as shares of a recording.
_PLACES = (0.0, 0.5, 0.9)


@dataclass(frozen=True, slots=True)
class ChannelSample:
    """``looked_at`` recordings with several channels of ``n_several``; those whose channels cancel, with how many dB
    their mean lies below the loudest channel.
    """

    n_several: int
    looked_at: int
    cancelling: tuple[tuple[str, float], ...]


def sample_channels(roots: Roots, recordings: Sequence[Recording]) -> ChannelSample:
    """Listen into at most 12 recordings with several channels, spread over all of them.

    Parameters
    ----------
    roots
        Where the recordings are.
    recordings
        All recordings of a corpus. One that cannot be read is passed over: it is reported elsewhere.
    """
    several = [recording for recording in recordings if recording.channels > 1]
    step = max(1, -(-len(several) // MOST_RECORDINGS))
    chosen = several[::step]
    cancelling = []
    for recording in chosen:
        try:
            cancel_db = _cancel_db(AudioSource(roots.file(recording)))
        except (AudioError, OSError):
            continue
        if cancel_db is not None:
            cancelling.append((recording.path, cancel_db))
    return ChannelSample(len(several), len(chosen), tuple(cancelling))


def _cancel_db(source: AudioSource) -> float | None:
    info = source.info
    balance = ChannelBalance(info.rate, info.channels)
    n_samples = to_samples(_STRETCH_S, info.rate)
    starts = {min(int(share * info.n_samples), max(0, info.n_samples - n_samples)) for share in _PLACES}
    for start in sorted(starts):
        for block in source.blocks(start_sample=start, n_samples=n_samples):
            balance.add(block)
    return balance.cancel_db
