"""Figures and findings in words: formats shared by the page's tables and sentences. NaN and None are "–"."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from ossicle.metrics.reports.event_report import Estimate, EventReport

MISSING = "–"
_GAP = "\N{NO-BREAK SPACE}"
# Of fewer recordings, more than 2.5 % of all resamples hold one of them alone.
_FEW_RECORDINGS = 4


def number(value: float | None, digits: int = 2) -> str:
    """Return a figure with a fixed number of decimals.

    It is first rounded to the 6 decimals of ``metrics.json``, so that page, console and card round the same number.

    >>> number(0.876), number(float("nan")), number(None), number(0.72749999999, 3)
    ('0.88', '–', '–', '0.728')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    # A small negative figure must not become "-0.00".
    return f"{round(round(float(value), max(6, digits)), digits) + 0.0:.{digits}f}"


def signed(value: float | None, digits: int = 0) -> str:
    """Return a figure with its sign, using a true minus.

    >>> signed(-12.4), signed(3.0), signed(0.2), signed(float("nan"))
    ('−12', '+3', '0', '–')
    """
    text = number(value, digits)
    if text == MISSING or float(text) == 0:
        return text
    return f"−{text[1:]}" if text.startswith("-") else f"+{text}"


def significant(value: float | None, digits: int = 3) -> str:
    r"""Return a figure of any size with a few significant digits, without an exponent above 0.001.

    >>> significant(1234.5), significant(0.012345), significant(2.0), significant(0.00003)
    ('1\xa0230', '0.0123', '2', '3e-05')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    if abs(value) < 1e-3:
        return f"{value:.{digits}g}"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    rounded = round(float(value), decimals)
    return (
        f"{rounded:,.{max(decimals, 0)}f}".replace(",", _GAP).rstrip("0").rstrip(".")
        if decimals > 0
        else count(rounded)
    )


def per_hour(value: float | None) -> str:
    r"""Return a number of events an hour, one way wherever it stands: whole from 100 on, else three significant digits.

    >>> per_hour(6795.2), per_hour(22.5), per_hour(0.0421), per_hour(0.0), per_hour(None)
    ('6\xa0795', '22.5', '0.0421', '0', '–')
    """
    return significant(value) if value is None or not abs(value) >= 100 else count(value)


def count(value: float | None) -> str:
    r"""A whole number with gaps between thousands, at which no line is broken.

    >>> count(1234567)
    '1\xa0234\xa0567'
    """
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{value:,.0f}".replace(",", _GAP)


def counted(number: int, noun: str) -> str:
    r"""Return a number of things in words, in the plural unless it is 1, with gaps between thousands.

    >>> counted(1, "reading"), counted(0, "reading"), counted(1234, "reading")
    ('1 reading', '0 readings', '1\xa0234 readings')
    """
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def share(value: float | None) -> str:
    """Return a share in [0, 1] as a percentage.

    >>> share(0.123), share(0.0004)
    ('12 %', '0.04 %')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    percent = 100 * value
    return f"{percent:.0f} %" if percent >= 1 or percent == 0 else f"{percent:.2g} %"


def duration(seconds: float | None) -> str:
    """Return a length of time in a suitable unit.

    >>> duration(0.0421), duration(2.5), duration(75), duration(5400)
    ('42 ms', '2.5 s', '1 min 15 s', '1 h 30 min')
    """
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    if 0 < seconds < 0.9995:
        return f"{1000 * seconds:.0f} ms" if seconds >= 0.0095 else f"{1000 * seconds:.1f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f}".rstrip("0").rstrip(".") + " s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def clock(seconds: float | None) -> str:
    """Return a position in a recording, to a hundredth of a second.

    >>> clock(3725.5), clock(61.239)
    ('1:02:05.50', '1:01.24')
    """
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    hundredths = round(seconds * 100)
    minutes, rest = divmod(hundredths, 6000)
    tail = f"{rest // 100:02d}.{rest % 100:02d}"
    return f"{minutes // 60}:{minutes % 60:02d}:{tail}" if minutes >= 60 else f"{minutes}:{tail}"


def interval(estimate: Estimate, digits: int = 2) -> str:
    """Return the interval of a figure, or "" if there is none.

    >>> interval(Estimate(0.8, 0.7, 0.9)), interval(Estimate(0.8, float("nan"), float("nan")))
    ('0.70 to 0.90', '')
    """
    if not (math.isfinite(estimate.low) and math.isfinite(estimate.high)):
        return ""
    return f"{number(estimate.low, digits)} to {number(estimate.high, digits)}"


def relative_link(path: str) -> str | None:
    """Return an address below the page's folder, or None if ``path`` leads elsewhere.

    >>> relative_link("bundle/"), relative_link("a b#c.json"), relative_link("../x"), relative_link("javascript:x")
    ('./bundle/', './a%20b%23c.json', None, './javascript%3Ax')
    """
    if path.startswith(("/", "\\")) or ".." in path.replace("\\", "/").split("/"):
        return None
    return f"./{quote(path)}"


class _Wording(NamedTuple):
    """The words for rates, depending on what was evaluated."""

    where: str
    recall_text: str
    real: str
    silent: str
    nothing: str


_EVENTS = _Wording(
    "On recordings it was not trained on",
    "finds {} annotated events",
    "{} detections are correct",
    "detects nothing",
    "No figures: there are neither annotations nor detections.",
)
_RECORDINGS = _Wording(
    "On recordings it was not trained on",
    "finds {} labels of the recordings",
    "{} labels that it reports are correct",
    "finds nothing",
    "No figures: no recording has a label, and none was found.",
)


def in_words(report: EventReport) -> str:
    """Return the meaning of the headline's rates, in one or two sentences."""
    pooled, wording = report.pooled, _EVENTS if report.timed else _RECORDINGS
    recall, real = pooled.rates.recall.value, pooled.rates.precision.value
    parts = []
    if math.isfinite(recall):
        parts.append(wording.recall_text.format(_of_a_hundred(recall)))
    if math.isfinite(real) and pooled.n_predicted:
        parts.append(wording.real.format(_of_a_hundred(real)))
    elif pooled.n_predicted == 0:
        parts.append(wording.silent)
    if not parts:
        return wording.nothing
    sentence = f"{wording.where}, the detector {'; '.join(parts)}."
    if report.timed and math.isfinite(pooled.false_alarms_per_hour):
        sentence += f" That is {per_hour(pooled.false_alarms_per_hour)} false alarms per hour."
    return sentence


def reach(report: EventReport) -> str:
    """Return for which groups the intervals hold, as a sentence."""
    level = f"{100 * report.level:.0f} % intervals"
    if report.n_bootstrap == 0 or not math.isfinite(report.pooled.rates.f1.low):
        return "No intervals: there are too few recordings to resample."
    draws = f"{level}, {count(report.n_bootstrap)} resamples of"
    if report.method == "two-stage":
        return f"{draws} {report.n_groups} groups and of the recordings in them, so they are valid for a new group."
    if report.method == "within-groups":
        if report.n_groups == 1:
            return f"{draws} the recordings of 1 group."
        return f"{draws} the recordings within each of {report.n_groups} groups."
    if report.n_recordings < _FEW_RECORDINGS:
        few = counted(report.n_recordings, "recording")
        return f"{draws} only {few}, so they are no wider than the best and the worst of these."
    return f"{draws} {report.n_recordings} recordings."


def few_groups(report: EventReport) -> str:
    """Return the warning about too few groups, or ""."""
    if not report.few_groups:
        return ""
    groups = counted(report.n_groups, "group")
    these = "this group" if report.n_groups == 1 else "these groups"
    return (
        f"Few groups: with {groups} the intervals are valid only for recordings from {these}. "
        "Figures for a new group are less certain than they look."
    )


def listed(value: Any) -> str:
    """Return a plain JSON value as text for a table cell."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == [] or value == {} or value == ():
        return "none"
    if isinstance(value, float):
        return significant(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {listed(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(listed(item) for item in value)
    return str(value)


def _of_a_hundred(value: float) -> str:
    return f"{100 * value:.0f} of 100"
