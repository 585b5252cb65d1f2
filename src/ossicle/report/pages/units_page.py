"""The page of a project for acoustic units: one HTML file that needs no network and no other file."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.files import write_text
from ossicle.audio.wav import wav_bytes
from ossicle.metrics.reports.event_report import estimate_from
from ossicle.report import words
from ossicle.report.figures.example import LEFT, RIGHT
from ossicle.report.figures.speech.units import (
    lengths_figure,
    segment_figure,
    spectra_figure,
    sweep_figure,
    unit_colour,
    usage_figure,
)
from ossicle.report.figures.style import data_address
from ossicle.report.pages.gallery import MOST_SOUND_BYTES, raised
from ossicle.report.pages.template import render_page
from ossicle.report.unit_figure_names import DIGITS, FIGURES
from ossicle.report.units_data import SegmentCard, UnitsReportData

_MOST_PROBLEMS = 50
_MOST_UNITS_SHOWN = 200
_HEADLINE = ("ami", "abx_across", "boundary_f", "bitrate")


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """A segment with picture and sound as ``data:`` addresses; ``sound`` is empty to keep the page small."""

    segment: SegmentCard
    image: str
    sound: str


class _SoundBudget:
    """Sounds as ``data:`` addresses, until the page would be too large."""

    def __init__(self, rate: int) -> None:
        self.rate, self.left = rate, MOST_SOUND_BYTES

    def address(self, samples: NDArray[np.float32]) -> str:
        """Return the address of a sound; empty if there is none, or no room for it."""
        size = 2 * len(samples)
        if not 0 < size <= self.left:
            return ""
        self.left -= size
        return "data:audio/wav;base64," + base64.b64encode(wav_bytes(raised(samples), self.rate)).decode()


def write_units_report(path: Path, data: UnitsReportData) -> None:
    """Write the page of ``data`` atomically; equal data give equal bytes."""
    write_text(path, render(data))


def render(data: UnitsReportData) -> str:
    """Return the page as text."""
    metrics = data.metrics
    sounds = _SoundBudget(data.rate)
    cards = [
        _Shown(card, data_address(segment_figure(card, data.rate, data.hop_s)), sounds.address(card.samples))
        for card in data.cards
    ]
    motifs = [(motif, sounds.address(motif.samples)) for motif in data.motifs]
    units = [(unit, _css_colour(unit.unit), sounds.address(unit.samples)) for unit in data.units[:_MOST_UNITS_SHOWN]]
    return render_page(
        "units.html",
        data.title,
        scripted=True,
        data=data,
        protocol=metrics["protocol"],
        insufficient=metrics.get("insufficient_because", []),
        headline=_headline(metrics["units"]),
        figures=_rows(metrics["units"]),
        folds=_folds(metrics["units"]["folds"]),
        fold_columns=[(key, FIGURES[key]) for key in FIGURES if key in metrics["units"]],
        features=_rows(metrics["units"].get("features", {})),
        cards=cards,
        units=units,
        units_left=max(0, len(data.units) - _MOST_UNITS_SHOWN),
        spectra=data_address(spectra_figure(data.spectra, data.bands_hz, [unit.unit for unit in data.units])),
        usage=data_address(usage_figure([unit.share for unit in data.units], [unit.mean_s for unit in data.units])),
        motifs=motifs,
        lengths=data_address(lengths_figure(data.lengths_s)),
        sweep=data_address(sweep_figure(data.sweep)) if data.sweep else "",
        problems=data.problems[:_MOST_PROBLEMS],
        problems_left=max(0, len(data.problems) - _MOST_PROBLEMS),
        cursor=(LEFT / 2, RIGHT),
        links=[(name, words.relative_link(path)) for name, path in data.files.items()],
    )


def _headline(units: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [row for row in _rows(units) if row["key"] in _HEADLINE]


def _rows(units: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the figures of ``metrics.json`` that there are: name, estimate, fold, mean and level by chance."""
    return [
        {
            "key": key,
            "name": name,
            "estimate": estimate_from({bound: units[key][bound] for bound in ("value", "low", "high")}),
            "fold": units[key].get("fold"),
            "mean": units[key].get("mean"),
            "chance": units[key].get("chance", units[key].get("shuffled")),
            "shifted": units[key].get("shifted"),
            "digits": DIGITS.get(key, 3),
            "triples": units[key].get("triples"),
        }
        for key, name in FIGURES.items()
        if key in units
    ]


def _folds(folds: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the folds, the one with the lowest AMI first."""
    rows = [
        {
            "name": name,
            "recordings": fold["recordings"],
            "seconds": fold["seconds"],
            "figures": [
                (estimate_from({bound: fold[key][bound] for bound in ("value", "low", "high")}), DIGITS.get(key, 3))
                for key in FIGURES
                if key in fold
            ],
        }
        for name, fold in folds.items()
    ]
    return sorted(rows, key=_first_value)


def _first_value(row: Mapping[str, Any]) -> float:
    figures: Sequence[Any] = row["figures"]
    value = figures[0][0].value if figures else np.inf
    return float(value) if value == value else np.inf


def _css_colour(unit: int) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in unit_colour(unit))
