"""A synthetic corpus of long tapes with rare calls: audio and Raven tables, as in a field project.

    audio/siteA_20250610_050000_tape.wav
    selections/siteA_20250610_050000_tape.Table.1.selections.txt

Annotated times are exact to half a sample (``synthetic.calls`` defines start and end), qualities follow from the SNR
(``synthetic.scenes.SNR_OF_QUALITY``), and confusers of other animals are not annotated. The last tapes are reviewed as
empty: a table with a header only. Each tape is drawn from a generator of (seed, "tape", index) alone and each site from
(seed, "site", index), so tapes do not depend on one another, on their number or on workers: the same seed gives the
same bytes.
"""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np

from ossicle.artefacts.filesystem.changes import make_folder
from ossicle.artefacts.processes.workers import end_with_parent
from ossicle.audio.wav import write_wav
from ossicle.core.digest import seed_of
from ossicle.core.settings import setting, settings
from ossicle.core.value_checks import MOST_THREADS
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import raven_name, write_raven
from ossicle.corpus.synthetic.calls import CALLS
from ossicle.corpus.synthetic.scenes import Scene, render_scene, span_s
from ossicle.corpus.synthetic.sites import draw_site

_LONGEST_SAMPLES = 20_000_000
"""A tape is made in memory, at about 75 bytes a sample."""

_FIRST_MORNING = datetime(2025, 6, 10, 5, 0, 0)


@settings
class SynthSettings:
    """Properties of the synthetic tapes."""

    tapes: int = setting(default=8, help="number of tapes", ge=1, le=9999)
    minutes: float = setting(default=1.0, help="length of a tape", unit="min", ge=0.05, le=20)
    sites: int = setting(default=4, help="number of sites; tapes go round them", ge=1, le=26)
    empty_tapes: int = setting(
        default=1, help="how many of the tapes, the last ones, hold no call (reviewed empty)", ge=0
    )
    rate: int = setting(default=16000, help="sample rate", unit="Hz", ge=12000, le=96000)
    classes: tuple[str, ...] = setting(default=("hum", "trill"), help="calls to annotate", choices=tuple(CALLS))
    calls_per_minute: float = setting(default=14.0, help="calls in a tape, at most", unit="1/min", ge=0, le=60)
    confusers_per_minute: float = setting(
        default=12.0, help="sounds of other animals, on average", unit="1/min", ge=0, le=120
    )
    seed: int = setting(default=0, help="every sample follows from it", ge=0)
    workers: int = setting(default=1, help="processes", ge=1, le=MOST_THREADS, digest=False)

    def __post_init__(self) -> None:
        """Reject a corpus without calls, and tapes that would not fit in memory."""
        if self.minutes * 60 * self.rate > _LONGEST_SAMPLES:
            longest = _LONGEST_SAMPLES / 60 / self.rate
            raise ValueError(
                f"minutes = {self.minutes:g} is too long at {self.rate} Hz: at most {longest:.1f} min a tape"
            )
        if not self.classes:
            raise ValueError("classes must name at least one call")
        if self.empty_tapes >= self.tapes:
            raise ValueError(f"empty_tapes = {self.empty_tapes} leaves none of {self.tapes} tapes with calls")


Progress = Callable[[int, int], None]


def make_tapes(folder: Path, settings: SynthSettings, progress: Progress | None = None) -> None:
    """Write the corpus below ``folder``; ``progress`` is called with (tapes done, tapes).

    Each file is written atomically; a table is written after its tape.
    """
    make_folder(folder / "audio")
    make_folder(folder / "selections")
    write = partial(write_tape, folder, settings)
    report = progress or (lambda done, total: None)
    if settings.workers == 1:
        for tape in range(settings.tapes):
            write(tape)
            report(tape + 1, settings.tapes)
        return
    spawn = multiprocessing.get_context("spawn")
    workers = min(settings.workers, settings.tapes)
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=end_with_parent) as pool:
        for done, future in enumerate(as_completed([pool.submit(write, tape) for tape in range(settings.tapes)])):
            future.result()
            report(done + 1, settings.tapes)


def write_tape(folder: Path, settings: SynthSettings, tape: int) -> None:
    """Write one tape and its table."""
    scene = make_scene(settings, tape)
    name = f"{tape_stem(settings, tape)}.wav"
    write_wav(folder / "audio" / name, scene.samples, settings.rate, "PCM_16")
    rows = []
    for call in scene.calls:
        start_s, end_s = span_s(call, settings.rate)
        rows.append(RawSelection(start_s, end_s, call.label, call.low_hz, call.high_hz, call.quality))
    write_raven(folder / "selections" / raven_name(name), rows)


def make_scene(settings: SynthSettings, tape: int) -> Scene:
    """Return the layers and calls of tape number ``tape`` (from 0), without writing anything."""
    site = tape % settings.sites
    empty = tape >= settings.tapes - settings.empty_tapes
    return render_scene(
        draw_site(np.random.default_rng(seed_of(settings.seed, "site", site)), site),
        np.random.default_rng(seed_of(settings.seed, "tape", tape)),
        rate=settings.rate,
        seconds=settings.minutes * 60,
        labels=settings.classes,
        calls=0 if empty else max(1, round(settings.calls_per_minute * settings.minutes)),
        confusers=settings.confusers_per_minute * settings.minutes,
    )


def tape_stem(settings: SynthSettings, tape: int) -> str:
    """Return the name of a tape without its ending: site, date and time of its start.

    >>> tape_stem(SynthSettings(), 5)
    'siteB_20250615_053500_tape'
    """
    start = _FIRST_MORNING + timedelta(days=tape, minutes=7 * (tape % 60))
    return f"site{chr(ord('A') + tape % settings.sites)}_{start:%Y%m%d_%H%M%S}_tape"
