"""The figures of a vocoder on stdout, beside those of simpler syntheses of the same units."""

from collections.abc import Mapping
from typing import Any

from ossicle.app.cli.tables.cells import MISSING, figure_cell
from ossicle.core.text.counting import counted
from ossicle.evaluation.units.resynthesis.missed import missed_in_words
from ossicle.report.vocoder_figure_names import DIGITS, FIGURES

Row = tuple[str, ...]
_BESIDE = {"baseline": "mean spectrum of units", "start": "before training"}


def vocoder_rows(figures: Mapping[str, Any]) -> tuple[Row, list[Row]]:
    """Return the header and a row for each figure that there is.

    Parameters
    ----------
    figures
        ``vocoder`` of ``metrics.json``, or the figures of ``ossicle units resynth``.
    """
    beside = [key for key in _BESIDE if key in figures]
    header = (f"vocoder, {figures['basis']}", "resynthesis", *(_BESIDE[key] for key in beside))
    rows = [
        (FIGURES[key], _cell(figures, key), *(_cell(figures[other], key) for other in beside))
        for key in FIGURES
        if key in figures
    ]
    return header, rows


def vocoder_remarks(figures: Mapping[str, Any]) -> list[str]:
    """Return the lines below the table of a project: who was held out, and the bars that are missed."""
    judged_text = f"{counted(figures['segments'], 'segment')} of {counted(figures['recordings'], 'recording')}"
    judged_line = f"{judged_text} {'is' if figures['segments'] == 1 else 'are'} judged; {figures['in_words']}"
    missed = missed_in_words(figures["verdict"])
    return [judged_line, *(missed or ["the vocoder reaches its bars ([resynthesis])"])]


def _cell(figures: Mapping[str, Any], key: str) -> str:
    figure, digits = figures.get(key), DIGITS[key]
    if figure is None or figure["value"] is None:
        return MISSING
    low, high = (figure_cell(figure[bound], digits=digits) for bound in ("low", "high"))
    return figure_cell(figure["value"], digits=digits) + ("" if MISSING in (low, high) else f" [{low}, {high}]")
