"""The page of acoustic units, from invented values."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ossicle.report.figures.speech.units import runs, sweep_figure
from ossicle.report.pages import units_page
from ossicle.report.pages.units_page import render, write_units_report
from ossicle.report.units_data import MotifRow, SegmentCard, UnitRow, UnitsReportData

from .test_page import HOSTILE

RATE, HOP_S, K = 8000, 0.02, 30


def figure(value: float | None, **beside: Any) -> dict[str, Any]:
    low, high = (None, None) if value is None else (value * 0.9, value * 1.1)
    return {"value": value, "low": low, "high": high, **beside}


def fold(ami: float) -> dict[str, Any]:
    return {
        "recordings": 40,
        "segments": 60,
        "seconds": 900.0,
        "ami": figure(ami),
        "ami_shuffled": 0.001,
        "nmi": figure(0.4, chance=0.36),
        "abx_across": figure(0.3, shuffled=0.5, triples=5000),
        "r_value": figure(None, random=None),
        "bitrate": figure(310.0),
    }


def metrics(words: bool = True) -> dict[str, Any]:
    if not words:
        units: dict[str, Any] = {"bitrate": figure(310.0, fold="all speech", mean=310.0), "folds": {}}
    else:
        units = {
            "ami": figure(0.09, fold="bob", mean=0.11, chance=0.001, shifted=0.021),
            "nmi": figure(0.4, fold="bob", mean=0.42, chance=0.36),
            "abx_across": figure(0.3, fold="ada", mean=0.28, chance=0.5),
            "r_value": {**figure(None), "fold": None, "mean": None, "gap": None},
            "bitrate": figure(310.0, fold="ada", mean=300.0),
            "folds": {"ada": fold(0.13), "bob": fold(0.09)},
            "features": {"abx_across": figure(0.25, shuffled=0.5, triples=5000)},
        }
    return {
        "units": units,
        "insufficient": words,
        **({"insufficient_because": ["bob: 3 recordings are judged, and 5 are needed"]} if words else {}),
        "notes": [] if words else ["There are no words with times."],
        "protocol": {
            "basis": "held out by speaker" if words else "in-sample",
            "group": "speaker",
            "words": words,
            "in_words": "Each figure is that of the worst speaker.",
        },
    }


def report_data(**changed: Any) -> UnitsReportData:
    generator = np.random.default_rng(0)
    sound = (generator.normal(size=RATE * 4) * 0.1).astype(np.float32)
    times = 10.0 + 0.0125 + HOP_S * np.arange(199)
    result = np.repeat(generator.integers(K, size=67), 3)[:199]
    data = UnitsReportData(
        title="mboshi",
        summary={"units": "30, of the encoder mfcc"},
        metrics=metrics(),
        lengths_s=generator.gamma(4, 2, size=200),
        segments=["200 segments in 40 recordings"],
        units=[UnitRow(one, 1 / K, 120, 55, 0.06, sound[:1600]) for one in range(K)],
        spectra=generator.normal(-60, 10, size=(K, 40)),
        bands_hz=np.geomspace(60, 3900, 40),
        motifs=[MotifRow([3, 14, 15], 92, 65, 3, 0.035, 0.18, 0.05, "a/1.wav, 0:01.20", sound[:2400])],
        motif_notes=["312 of 500 tokens were reached: the next pair occurs 9 times, and 10 are needed."],
        cards=[SegmentCard("a/1.wav", 10.0, sound, times, result, [(10.5, 11.0, "kyema"), (11.0, 11.6, "ikoo")])],
        sweep=[
            {"k": 10, "inertia": 9.0, "held_out_inertia": 9.2},
            {"k": 30, "inertia": 7.0, "held_out_inertia": 7.4},
            {"k": 100, "inertia": 5.0, "held_out_inertia": None},
        ],
        rate=RATE,
        hop_s=HOP_S,
        problems=[("a/2.wav", "it is truncated", "record it again")],
        budget=[("quantiser", 12.0)],
        files={"metrics.json": "metrics.json", "elsewhere": "../x"},
    )
    return replace(data, **changed)


def test_the_page_shows_figures_beside_chance_inventory_motifs_and_segments(tmp_path) -> None:
    write_units_report(tmp_path / "report.html", report_data())
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page == render(report_data())
    for text in (
        "AMI with words, 0.081 to 0.099; by chance 0.001",
        "ABX error across speaker, of the features",
        "moved in time 0.021",
        "<b>insufficient:</b>",
        "3 14 15",
        "312 of 500 tokens",
        "200 segments in 40 recordings",
        "it is truncated",
    ):
        assert text in page
    assert page.index('<th scope="row">bob</th>') < page.index('<th scope="row">ada</th>')
    assert page.count("<audio") == 1 + 1 + K
    assert "../x" not in page


def test_without_words_sweep_motifs_and_sound_the_page_says_so() -> None:
    page = render(
        report_data(metrics=metrics(words=False), sweep=[], motifs=[], cards=[], units=[], spectra=np.zeros((0, 40)))
    )
    for text in ("There are no words with times", "No sequence of units is more frequent than by chance"):
        assert text in page
    assert "AMI with words" not in page
    assert 'id="sweep"' not in page


def test_sounds_stop_where_the_page_would_be_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units_page, "MOST_SOUND_BYTES", 2 * RATE * 4 + 2 * 2400)
    page = render(report_data())
    assert page.count("<audio") == 2
    monkeypatch.setattr(units_page, "MOST_SOUND_BYTES", 0)
    assert "without sound, to keep the page small" in render(report_data())


def test_text_of_files_stays_text() -> None:
    card = replace(report_data().cards[0], path=HOSTILE, words=[(10.5, 11.5, HOSTILE)])
    motif = replace(report_data().motifs[0], where=HOSTILE)
    page = render(report_data(title=HOSTILE, cards=[card], motifs=[motif], segments=[HOSTILE]))
    assert HOSTILE not in page
    assert "<script>alert" not in page


def test_runs_of_equal_units_fill_their_frames() -> None:
    assert runs(np.array([]), np.array([], dtype=int), HOP_S) == []
    assert runs(np.array([1.0]), np.array([4]), HOP_S) == [(0.99, 1.01, 4)]


def test_a_sweep_without_held_out_frames_is_drawn() -> None:
    axes = sweep_figure([{"k": 10, "inertia": 2.0, "held_out_inertia": None}]).axes[0]
    assert [line.get_label() for line in axes.lines] == ["trained on"]
