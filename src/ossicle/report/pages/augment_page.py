"""The page of one crop through augmentation: each stage with its settings in words, its picture and its sound."""

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.files import write_text
from ossicle.audio.wav import wav_bytes
from ossicle.report import words
from ossicle.report.figures.augment import LEFT, RIGHT, log_mel_figure
from ossicle.report.figures.style import data_address
from ossicle.report.pages.augment_words import TITLES
from ossicle.report.pages.gallery import MOST_SOUND_BYTES, raised
from ossicle.report.pages.template import render_page

_MOST_LABELS = 12


@dataclass(frozen=True, slots=True, eq=False)
class StageView:
    """A crop after one stage.

    ``samples`` (n_samples,), or None if there is only a spectrogram; ``log_mel`` (n_rows, n_mels) in dB; ``targets``
    and ``mask`` (n_frames, n_labels).
    """

    stage: str
    texts: Sequence[str]
    samples: NDArray[np.float32] | None
    log_mel: NDArray[np.float32]
    targets: NDArray[np.float32]
    mask: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class AugmentPage:
    """Content of the page: ``facts`` in order, the views in order, labels and bands by name, rates and hops."""

    title: str
    facts: Mapping[str, str]
    views: Sequence[StageView]
    labels: Sequence[str]
    centres_hz: Sequence[float]
    rate: int
    hop_s: float


@dataclass(frozen=True, slots=True)
class _Card:
    """A stage ready to show; ``image`` is "" if the stage did not change the crop."""

    stage: str
    title: str
    texts: Sequence[str]
    state: str
    image: str
    sound: str
    level: str
    labels: Sequence[tuple[str, str]]


def write_augment_page(path: Path, page: AugmentPage) -> None:
    """Write the page atomically; equal values give equal bytes."""
    write_text(path, render(page))


def render(page: AugmentPage) -> str:
    """Return the page as text."""
    return render_page("augment.html", page.title, scripted=True, page=page, cards=_cards(page), cursor=(LEFT, RIGHT))


def _cards(page: AugmentPage) -> list[_Card]:
    cards: list[_Card] = []
    before: StageView | None = None
    left = MOST_SOUND_BYTES
    for view in page.views:
        changed = before is None or not _same(view, before)
        sound = ""
        if changed and view.samples is not None and 2 * len(view.samples) <= left:
            left -= 2 * len(view.samples)
            sound = base64.b64encode(wav_bytes(raised(view.samples), page.rate)).decode()
        cards.append(
            _Card(
                stage=view.stage,
                title=TITLES[view.stage],
                texts=view.texts,
                state=_state(view, before is not None, changed),
                image=data_address(log_mel_figure(view.log_mel, page.hop_s, page.centres_hz)) if changed else "",
                sound=f"data:audio/wav;base64,{sound}" if sound else "",
                level="" if view.samples is None else _level(view.samples),
                labels=_labels(view, page.labels),
            )
        )
        before = view
    return cards


def _same(view: StageView, before: StageView) -> bool:
    """Return whether a stage left the crop bit-identical."""
    pairs = [(view.log_mel, before.log_mel), (view.targets, before.targets), (view.mask, before.mask)]
    if view.samples is not None and before.samples is not None:
        pairs.append((view.samples, before.samples))
    return all(np.array_equal(amount, other) for amount, other in pairs)


def _state(view: StageView, later: bool, changed: bool) -> str:
    if not later:
        return ""
    if changed:
        return "changed"
    return "left alone this time" if view.texts else "off"


def _level(samples: NDArray[np.float32]) -> str:
    """Return peak and root mean square of the samples, before they are scaled for listening."""
    peak, power = float(np.max(np.abs(samples), initial=0.0)), float(np.mean(np.square(samples, dtype=np.float64)))
    if peak == 0:
        return "digital silence"
    return f"peak {words.number(20 * math.log10(peak), 1)} dBFS, level {words.number(10 * math.log10(power), 1)} dBFS"


def _labels(view: StageView, labels: Sequence[str]) -> list[tuple[str, str]]:
    """Return the labels present in the crop, the largest first, with their target unless it is 1; then the unknown
    ones.
    """
    known = view.mask > 0
    largest = np.where(known, view.targets, 0.0).max(axis=0)
    rows = []
    for column in sorted(np.flatnonzero(largest).tolist(), key=lambda column: (-largest[column], column))[
        :_MOST_LABELS
    ]:
        target = words.significant(float(largest[column]))
        parts = [] if target == "1" else [f"with target {target}"]
        if len(view.targets) > 1:
            n_frames = int(((view.targets[:, column] > 0) & known[:, column]).sum())
            parts.append(f"in {n_frames} of {len(view.targets)} frames")
        rows.append((labels[column], " ".join(parts)))
    more = int(np.count_nonzero(largest)) - len(rows)
    if more > 0:
        rows.append((f"{more} more", ""))
    if not known.all():
        rows.append(("not known", f"{words.significant(100 * float(1 - known.mean()))} %"))
    return rows or [("no label", "")]
