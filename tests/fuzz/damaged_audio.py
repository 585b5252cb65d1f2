"""The target for damaged recordings: every format with bytes that are lost, changed or repeated."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from ossicle.audio.decoding.decode import AudioSource
from ossicle.audio.probe import probe

from .reading import read_or_refuse
from .recordings import KINDS, Damaged, Kind, damaged, head_bytes, recording

MOST_EXTRA_S = 1.0
"""So much more than the undamaged sound and what was inserted may be read: silence before a frame with a late stamp.

Ogg states no length, so a repeated page of a later place may lead to the end of the recording.
"""

MOST_OF_HEADER = 16
"""So many times the samples may be read if the header is damaged: 24 bits taken for 4, two channels for one."""


def damaged_audio(content: bytes, folder: Path) -> None:
    """Probe and decode a damaged recording; the first byte picks its format, the others are orders of damage.

    A loss must be called partial, sound that was never there must not be read, and nothing may be printed.
    """
    kind = KINDS[content[0] % len(KINDS)] if content else KINDS[0]
    copy = damaged(recording(kind), content[1:])
    whole_samples(kind)
    path = folder / f"x{kind.suffix}"
    path.write_bytes(copy.content)
    with nothing_printed(folder):
        read_or_refuse(probe, path)
        read_or_refuse(lambda place: _decode(place, kind, copy), path)


@cache
def whole_samples(kind: Kind) -> int:
    """Return how many samples the undamaged recording has when it is decoded."""
    with TemporaryDirectory() as folder:
        path = Path(folder, f"x{kind.suffix}")
        path.write_bytes(recording(kind))
        source = AudioSource(path)
        n_samples = sum(map(len, source.blocks()))
    assert source.report.status == "ok", source.report
    assert abs(n_samples - kind.seconds * kind.rate) <= 0.15 * kind.rate, n_samples
    return n_samples


def _decode(path: Path, kind: Kind, copy: Damaged) -> None:
    whole_s, in_head = whole_samples(kind) / kind.rate, copy.first < head_bytes(kind)
    inserted_s = whole_s * copy.n_inserted / len(recording(kind))
    source = AudioSource(path)
    # A damaged header may state another rate; Opus has another one where FFmpeg decodes it.
    rate = kind.rate if in_head else source.info.rate
    most_s = MOST_OF_HEADER * whole_s if in_head else whole_s * (2 - kind.stated) + inserted_s + MOST_EXTRA_S
    n_samples = 0
    for block in source.blocks():
        n_samples += len(block)
        assert n_samples <= most_s * rate, f"{path.name}: more than {most_s:.3f} s, of {whole_s:.3f} s"
    report = source.report
    assert report.n_samples == n_samples, (path.name, report, n_samples)
    if report.status != "partial" and kind.counted and not in_head:
        assert abs(n_samples / rate - whole_s) <= kind.tolerance_s, f"{path.name}: {whole_s:.3f} s became {report}"


@contextmanager
def nothing_printed(folder: Path) -> Iterator[None]:
    """Fail if the block prints anything to the standard output, by Python or by a library of C.

    Parameters
    ----------
    folder
        Where to keep what is printed meanwhile.

    Raises
    ------
    AssertionError
        Something was printed.
    """
    library = ctypes.CDLL(None)
    printed = folder / "printed"
    sys.stdout.flush()
    library.fflush(None)
    before = os.dup(1)
    try:
        with printed.open("wb") as target:
            os.dup2(target.fileno(), 1)
        yield
    finally:
        sys.stdout.flush()
        library.fflush(None)
        os.dup2(before, 1)
        os.close(before)
    assert not printed.read_bytes(), printed.read_bytes()[:200]
