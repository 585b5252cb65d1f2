"""Figure of one example: its spectrogram, and above it the annotated and the predicted events.

The time axis fills the image from :data:`LEFT` to :data:`RIGHT` (shares of its width), which the page's cursor uses.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from ossicle.evaluation.examples.example import Example
from ossicle.report.figures.groups import shortened
from ossicle.report.figures.spectrogram import grey_levels, spectrogram
from ossicle.report.figures.style import BLUE, INK, ORANGE, styled
from ossicle.report.words import number

LEFT, RIGHT = 0.15, 0.97
_BOTTOM, _TOP, _LANES_TOP = 0.165, 0.80, 0.985
# Letters of the lanes' size in the width of the image, all of them as wide as a wide one.
_LETTERS = 46
MOST_BOXES = 60
"""Events in a picture beside which boxes hide the sound: then only those of the example's own event are drawn."""
Span = tuple[float, float]
Lane = Sequence[tuple[float, float, str]]


@styled
def example_figure(example: Example) -> Figure:
    """Draw a spectrogram in kHz over seconds of the recording, with reference (blue) and predicted (orange) events as
    boxes; the box of the example's own event is thick. Of more than :data:`MOST_BOXES` events only those that overlap
    the example's own have boxes.
    """
    figure = Figure(figsize=(4.4, 2.9))
    axes = figure.add_axes((LEFT, _BOTTOM, RIGHT - LEFT, _TOP - _BOTTOM))
    lanes = figure.add_axes((LEFT, _TOP, RIGHT - LEFT, _LANES_TOP - _TOP))
    start_s = example.window_start_s
    end_s = start_s + max(len(example.samples), 1) / example.rate
    if len(example.samples):
        _paint(axes, example)
    references = [(a, b, name) for a, b, name in example.references]
    predictions = [(a, b, f"{name} {number(score)}") for a, b, name, score in example.predictions]
    example_span = (example.start_s, example.end_s)
    of_reference = example.kind == "missed"
    own_only = crowded(example)
    for events, is_reference, colour, dashes, inset, row in (
        (references, of_reference, BLUE, "-", 0.0, 1),
        (predictions, not of_reference, ORANGE, "--", 0.02, 0),
    ):
        shown = example_span if is_reference else None
        boxed = [event for event in events if not own_only or _meet(event[:2], example_span)]
        _boxes(axes, boxed, shown, colour, dashes, inset)
        _lane(lanes, events, shown, row, colour, (start_s, end_s))
    axes.set(xlim=(start_s, end_s), ylim=(0, example.rate / 2000), xlabel="time in the recording (s)", ylabel="kHz")
    axes.grid(visible=False)
    axes.ticklabel_format(axis="x", style="plain", useOffset=False)
    # Few ticks, and none at the edge, where their text would be cut off.
    ticks = MaxNLocator(4).tick_values(start_s, end_s) if len(example.samples) else []
    axes.set_xticks([tick for tick in ticks if _inside(tick, start_s, end_s)])
    lanes.set(xlim=(start_s, end_s), ylim=(0, 2), xticks=[], yticks=[])
    lanes.set_yticks([0.5, 1.5], ["predicted", "reference"])
    lanes.tick_params(axis="y", length=0, labelsize=8, pad=2)
    for tick, colour in zip(lanes.get_yticklabels(), (ORANGE, BLUE), strict=True):
        tick.set_color(colour)
    lanes.grid(visible=False)
    for side in lanes.spines.values():
        side.set_visible(False)
    return figure


def crowded(example: Example) -> bool:
    """Return whether the boxes of all events would hide the sound of an example."""
    return len(example.references) + len(example.predictions) > MOST_BOXES


def _meet(one: Span, other: Span) -> bool:
    return one == other or (one[0] < other[1] and other[0] < one[1])


def _inside(tick: float, start_s: float, end_s: float) -> bool:
    edge = 0.06 * (end_s - start_s)
    return start_s + edge <= tick <= end_s - edge


def _paint(axes: Axes, example: Example) -> None:
    sound_spectrogram = spectrogram(example.samples, example.rate)
    first_s, last_s, low_hz, high_hz = sound_spectrogram.extent
    start_s = example.window_start_s
    extent = (start_s + first_s, start_s + last_s, low_hz / 1000, high_hz / 1000)
    grey = np.repeat(grey_levels(sound_spectrogram.db)[..., None], 3, axis=-1)
    # "none" keeps the pixels unscaled in the SVG: the browser scales, the page stays small.
    axes.imshow(grey, extent=extent, origin="lower", aspect="auto", interpolation="none")


def _boxes(axes: Axes, events: Lane, example_span: Span | None, colour: str, dashes: str, inset: float) -> None:
    for start, end, _ in events:
        box = Rectangle(
            (start, inset),
            end - start,
            1 - 2 * inset,
            transform=axes.get_xaxis_transform(),
            fill=False,
            edgecolor=colour,
            linewidth=2.6 if (start, end) == example_span else 1.0,
            linestyle=dashes,
            zorder=4 if (start, end) == example_span else 3,
        )
        axes.add_patch(box)


def _lane(axes: Axes, events: Lane, example_span: Span | None, row: int, colour: str, window: Span) -> None:
    for start, end, _ in events:
        alpha = 0.65 if (start, end) == example_span else 0.28
        axes.add_patch(Rectangle((start, row + 0.08), end - start, 0.84, color=colour, alpha=alpha, linewidth=0))
    for time_s, text in names_with_room(events, example_span, window):
        axes.text(time_s, row + 0.5, "\N{NO-BREAK SPACE}" + text, va="center", fontsize=8, color=INK, clip_on=True)


def names_with_room(events: Lane, example_span: Span | None, window: Span) -> list[tuple[float, str]]:
    """Return the names that can be written side by side, with their places: the example's own event has precedence.

    A name that would be cut at the right edge begins so much earlier that it ends there.

    >>> names_with_room([(0.0, 0.1, "call 0.90"), (0.2, 0.3, "call 0.80")], (0.2, 0.3), (0.0, 2.0))
    [(0.2, 'call 0.80')]
    """
    per_letter = (window[1] - window[0]) / _LETTERS
    taken: list[tuple[float, float]] = []
    names = []
    for start, _, name in sorted(events, key=lambda event: ((event[0], event[1]) != example_span, event)):
        text = shortened(name, 22)
        length_s = (len(text) + 2) * per_letter
        text_s = max(min(start, window[1] - length_s), window[0])
        until = text_s + length_s
        if all(until <= first or last <= text_s for first, last in taken):
            taken.append((text_s, until))
            names.append((text_s, text))
    return sorted(names)
