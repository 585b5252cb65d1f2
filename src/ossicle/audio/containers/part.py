"""What a reader of a container returns: one stream of a file, and what is known about its end."""

from dataclasses import dataclass

from ossicle.audio.containers.chunked.chunks import Extent
from ossicle.audio.containers.streams import Pcm, Stream


@dataclass(frozen=True, slots=True)
class Part:
    """One stream, a ``fault`` if bytes are missing or follow unexplained, and where the next recording begins."""

    stream: Stream
    fault: str = ""
    next_byte: int | None = None


def pcm_part(pcm: Pcm, start: int, samples_extent: Extent, counted: int | None = None) -> Part:
    """Return samples from byte ``start`` to the end that was found.

    ``counted`` is the number of samples per channel that another field of the header states.
    """
    n_samples = max(0, samples_extent.stop - start) // pcm.frame_bytes
    fault = samples_extent.fault
    if not fault and counted is not None and counted > n_samples:
        fault = f"the header states {counted} samples, but there are {n_samples}"
    span = (start, start + n_samples * pcm.frame_bytes)
    return Part(Stream(spans=(span,), pcm=pcm, n_samples=n_samples), fault, samples_extent.next_byte)
