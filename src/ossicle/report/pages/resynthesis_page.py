"""The page to listen to a vocoder: recordings, resyntheses and the baseline, in one HTML file that needs no network."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.files import write_text
from ossicle.audio.pitch.track import PitchTrack
from ossicle.audio.wav import wav_bytes
from ossicle.evaluation.units.resynthesis.figures import PHASE_BLIND
from ossicle.evaluation.units.resynthesis.pairs import Defects, JudgedPair
from ossicle.evaluation.units.resynthesis.verdict import Bar, Verdict
from ossicle.report import words
from ossicle.report.figures.example import LEFT, RIGHT
from ossicle.report.figures.speech.pitch_pair import Sound, pair_figures
from ossicle.report.figures.style import data_address
from ossicle.report.pages.gallery import PEAK
from ossicle.report.pages.template import render_page
from ossicle.report.resynthesis_data import PairCard, ResynthesisReportData

MOST_SOUND_BYTES = 8_000_000
MOST_S = 6.0
"""Seconds of a segment that are drawn and heard."""
MOST_PAIRS = 40
"""Pairs with pictures; each takes some 60 kB, and a page of hundreds opens slowly."""

_HIGHEST = 0.99


@dataclass(frozen=True, slots=True)
class _Row:
    """A figure in the tables: its key, name, short name, unit, decimals, and what it means."""

    key: str
    name: str
    short: str
    unit: str
    digits: int
    meaning: str


_ROWS = (
    _Row("log_mel_db", "log-mel distance", "log-mel", "dB", 2, "mean difference of the spectrograms, levels included"),
    _Row(
        "mcd_db",
        "mel-cepstral distortion (MCD)",
        "MCD",
        "dB",
        2,
        "difference of the spectral envelopes (c1 to c12) of frames at the same times",
    ),
    _Row("mcd_aligned_db", "MCD, aligned", "MCD aligned", "dB", 2, "the same along the best alignment in time"),
    _Row("f0_rmse_cents", "F0 error", "F0 error", "cents", 0, "RMSE where both are voiced; a semitone is 100 cents"),
    _Row("voicing_error", "voicing error", "voicing error", "", 3, "share of frames that are voiced in one of the two"),
    _Row("length_ratio", "length ratio", "length", "", 3, "length of the resyntheses relative to the recordings"),
    _Row("si_sdr_db", "SI-SDR", "SI-SDR", "dB", 1, "of the waveforms, whatever their levels"),
    _Row("snr_db", "SNR", "SNR", "dB", 1, "of the waveforms"),
)
_HEADLINE = ("log_mel_db", "mcd_db", "f0_rmse_cents", "length_ratio")


@dataclass(frozen=True, slots=True)
class _Cell:
    """One sound of a pair: its name, and picture and sound as ``data:`` addresses; ``sound`` may be empty."""

    name: str
    image: str
    sound: str


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """A pair ready to show."""

    card: PairCard
    cells: Sequence[_Cell]
    rows: Sequence[Mapping[str, Any]]
    cut: bool
    defects: str
    number: int
    links: Sequence[tuple[str, str | None]]


@dataclass(slots=True)
class _SoundBudget:
    """How many bytes of sound the page may still hold."""

    left: int = field(default_factory=lambda: MOST_SOUND_BYTES)

    def addresses(self, sounds: Sequence[NDArray[np.float32]], rate: int) -> list[str]:
        """Return the addresses of sounds that are compared: all or none, at the gain that suits the first one."""
        size = 2 * sum(len(sound) for sound in sounds)
        if size > self.left:
            return ["" for _ in sounds]
        self.left -= size
        gain = common_gain(sounds)
        return [
            "data:audio/wav;base64," + base64.b64encode(wav_bytes(sound * gain, rate)).decode() if len(sound) else ""
            for sound in sounds
        ]


def common_gain(sounds: Sequence[NDArray[np.float32]]) -> np.float32:
    """Return one gain for sounds that are compared, so that their levels can be: the first one gets a common peak.

    None of them is clipped.

    Parameters
    ----------
    sounds
        Samples, floats of shapes (n,).

    Examples
    --------
    >>> round(float(common_gain([np.full(4, 0.1, np.float32), np.full(4, 0.05, np.float32)])), 3)
    7.0
    """
    peaks = [float(np.abs(sound).max(initial=0.0)) for sound in sounds]
    loudest = max(peaks, default=0.0)
    if not loudest:
        return np.float32(1.0)
    gain = PEAK / peaks[0] if peaks[0] else PEAK / loudest
    return np.float32(min(gain, _HIGHEST / loudest))


def write_resynthesis_report(path: Path, data: ResynthesisReportData) -> None:
    """Write the page atomically; equal data give equal bytes.

    Parameters
    ----------
    path
        The file.
    data
        What it shows.
    """
    write_text(path, render(data))


def render(data: ResynthesisReportData) -> str:
    """Return the page as text.

    Parameters
    ----------
    data
        What it shows.
    """
    budget = _SoundBudget()
    chosen = shown_pairs(data.pairs)
    rows = [_figure_row(row, data) for row in _ROWS if row.key in data.figures]
    return render_page(
        "resynthesis.html",
        data.title,
        scripted=True,
        data=data,
        missed=[_missed(bar) for bar in data.verdict.missed],
        headline=[row for row in rows if row["key"] in _HEADLINE],
        rows=rows,
        defects=_all_defects(data.pairs),
        pairs=[_shown(data, number, budget) for number in chosen],
        every=[_pair_row(data, number) for number in range(len(data.pairs))] if len(chosen) < len(data.pairs) else [],
        listed_rows=[row for row in _ROWS if row.key not in PHASE_BLIND],
        most_s=MOST_S,
        cursor=(LEFT, RIGHT),
        links=[(name, words.relative_link(path)) for name, path in data.files.items()],
    )


def shown_pairs(pairs: Sequence[PairCard]) -> list[int]:
    """Return the numbers of the pairs with pictures: all, or as many as a page holds, from the best to the worst.

    They are spread evenly over the ranks of the log-mel distance, with the lowest and the highest.

    Parameters
    ----------
    pairs
        All pairs.
    """
    if len(pairs) <= MOST_PAIRS:
        return list(range(len(pairs)))
    ranks = [np.nan_to_num(pair_card.judged.log_mel_db, nan=np.inf) for pair_card in pairs]
    ranked = sorted(range(len(pairs)), key=lambda number: (ranks[number], number))
    return sorted(ranked[round(position)] for position in np.linspace(0, len(pairs) - 1, MOST_PAIRS))


def _links(data: ResynthesisReportData, pair: PairCard) -> list[tuple[str, str | None]]:
    """Return names and addresses of the sound files of a pair; empty if it has none."""
    if not pair.place:
        return []
    kinds = [("recording", "original"), ("resynthesis", "resynthesis")]
    kinds += [("baseline", "baseline")] if len(pair.baseline) else []
    return [(name, words.relative_link(f"{data.sounds}{pair.place}.{kind}.wav")) for name, kind in kinds]


def _pair_row(data: ResynthesisReportData, number: int) -> dict[str, Any]:
    """Return a pair for the table of all."""
    pair = data.pairs[number]
    return {"number": number + 1, "card": pair, "rows": _pair_rows(pair), "links": _links(data, pair)}


def _figure_row(row: _Row, data: ResynthesisReportData) -> dict[str, Any]:
    return {
        "key": row.key,
        "name": row.name,
        "unit": row.unit,
        "digits": row.digits,
        "meaning": row.meaning,
        "phase_blind": row.key in PHASE_BLIND,
        "made": data.figures[row.key],
        "baseline": data.baseline.get(row.key),
        "start": data.start.get(row.key),
        "bar": _bar_of(row.key, data.verdict),
    }


def _bar_of(key: str, verdict: Verdict) -> dict[str, Any] | None:
    for bar in verdict.bars:
        if bar.figure == key:
            return {"limits": _limits(bar), "met": bar.met, "decides": bar.decides}
    return None


def _limits(bar: Bar) -> str:
    if bar.low is not None and bar.high is not None:
        return f"{bar.low:g} to {bar.high:g}"
    return f"at most {bar.high:g}" if bar.low is None else f"at least {bar.low:g}"


def _missed(bar: Bar) -> str:
    row = next(table_row for table_row in _ROWS if table_row.key == bar.figure)
    value = words.number(bar.value, row.digits) if bar.value == bar.value else "undefined"
    return f"{row.name} is {value}{' ' + row.unit if row.unit else ''}, and must be {_limits(bar)}"


def _shown(data: ResynthesisReportData, number: int, budget: _SoundBudget) -> _Shown:
    pair, rate = data.pairs[number], data.rate
    most = round(MOST_S * rate)
    named = [
        ("recording", pair.original, pair.judged.original_pitch),
        ("resynthesis", pair.made, pair.judged.made_pitch),
    ]
    if pair.baseline_judged is not None:
        named.append(("baseline", pair.baseline, pair.baseline_judged.made_pitch))
    sounds = [Sound(samples[:most], _track_until(track, MOST_S)) for _, samples, track in named]
    images = [data_address(figure) for figure in pair_figures(sounds, rate)]
    heard = budget.addresses([sound.samples for sound in sounds], rate)
    cells = [_Cell(name, image, sound) for (name, _, _), image, sound in zip(named, images, heard, strict=True)]
    cut = any(len(samples) > most for _, samples, _ in named)
    defects = _defects_in_words(pair.judged.defects, pair.judged.original_defects)
    return _Shown(pair, cells, _pair_rows(pair), cut, defects, number + 1, _links(data, pair))


def _track_until(track: PitchTrack, seconds: float) -> PitchTrack:
    is_within = track.times_s <= seconds
    return PitchTrack(track.f0_hz[is_within], track.voicing[is_within], track.times_s[is_within])


def _pair_rows(pair: PairCard) -> list[dict[str, Any]]:
    return [
        {
            "short": row.short,
            "unit": row.unit,
            "digits": row.digits,
            "made": _value(pair.judged, row.key),
            "baseline": None if pair.baseline_judged is None else _value(pair.baseline_judged, row.key),
        }
        for row in _ROWS
        if row.key not in PHASE_BLIND
    ]


def _value(judged: JudgedPair, key: str) -> float:
    if key == "f0_rmse_cents":
        return judged.pitch.rmse_cents
    return judged.pitch.voicing_error if key == "voicing_error" else float(getattr(judged, key))


def _defects_in_words(defects: Defects, beside: Defects) -> str:
    parts = []
    if defects.clicks:
        parts.append(f"{defects.clicks} of {defects.seams} joints click ({beside.clicks} in the recording)")
    if defects.has_offset:
        parts.append(f"an offset of {defects.offset:.3g} of full scale")
    if defects.clipped:
        parts.append(f"{words.count(defects.clipped)} samples are clipped")
    return "; ".join(parts)


def _all_defects(pairs: Sequence[PairCard]) -> list[dict[str, Any]]:
    """Return how many resyntheses and recordings have each defect, and of how many that were looked at."""
    resynthesised, heard = ([getattr(pair.judged, name) for pair in pairs] for name in ("defects", "original_defects"))

    def row(name: str, count: Callable[[Defects], int], whole: Callable[[Defects], int]) -> dict[str, Any]:
        sums = [(sum(map(count, side)), sum(map(whole, side))) for side in (resynthesised, heard)]
        return {"name": name, "made": sums[0], "heard": sums[1]}

    return [
        row("clicks where units or blocks meet", lambda defects: defects.clicks, lambda defects: defects.seams),
        row("sounds with an offset (DC)", lambda defects: int(defects.has_offset), lambda defects: 1),
        row("sounds that are clipped", lambda defects: int(defects.clipped > 0), lambda defects: 1),
    ]
