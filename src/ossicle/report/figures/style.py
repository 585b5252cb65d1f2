"""Style of figures, and their embedding in the page: SVG as a data address, identical bytes for identical data.

Colours are those of Okabe and Ito (2008), which can be distinguished with any common colour blindness. Text stays text
in the SVG, measured with the font of matplotlib; labels are never read as formulas.
"""

import io
import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from urllib.parse import quote

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ossicle.core.text.controls import is_control

INK = "#1c2733"
SOFT = "#5a6672"
LINE = "#d5dbe1"
BLUE = "#0072b2"
ORANGE = "#d55e00"
GREEN = "#009e73"
PURPLE = "#aa4499"
SKY = "#56b4e9"
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, SKY, "#b8860b", "#000000")
DASHES = ("-", "--", "-.", ":")

_RC: dict[str, Any] = {
    "axes.edgecolor": SOFT,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "figure.facecolor": "white",
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans", "Verdana"],
    "font.size": 10,
    "grid.color": LINE,
    "grid.linewidth": 0.7,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "svg.fonttype": "none",
    "svg.hashsalt": "ossicle",
    "text.color": INK,
    "text.parse_math": False,
    "text.usetex": False,
    "xtick.color": SOFT,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 9,
    "ytick.color": SOFT,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 9,
}
_INVISIBLE = "\u200b"
_NO_METADATA = {"Creator": None, "Date": None, "Format": None, "Type": None}

P = ParamSpec("P")
T = TypeVar("T")


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """Run ``draw`` with the house style, whatever the user's matplotlibrc says, without changing matplotlib's
    settings.
    """

    @wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        with matplotlib.rc_context(), warnings.catch_warnings():
            # The browser has fonts for scripts that matplotlib's own font lacks; matplotlib only measures here.
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            warnings.filterwarnings("ignore", message="Matplotlib currently does not support .* natively")
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(_RC)  # type: ignore[arg-type]  # the stubs list every key
            return draw(*args, **kwargs)

    return wrapper


@styled
def svg(figure: Figure) -> str:
    """Return the figure as an ``<svg>`` element without prologue, metadata and names of generators."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata=_NO_METADATA)
    text = buffer.getvalue()
    return _without_controls(text[text.index("<svg") :])


def _without_controls(text: str) -> str:
    """Spell out control characters, which XML may not hold, and marks of writing direction in names."""
    if text.replace("\n", "").replace(_INVISIBLE, "").isprintable():
        return text
    allowed = f"\n\t{_INVISIBLE}"
    return "".join(
        ascii(character)[1:-1] if is_control(character) and character not in allowed else character
        for character in text
    )


def data_address(figure: Figure) -> str:
    """Return the figure as the ``src`` of an image: a ``data:`` address that contains all of it."""
    return "data:image/svg+xml," + quote(svg(figure), safe=" ()=,;+/'*@-_.")


def unit_axis(axes: Axes, name: str) -> None:
    """Set the y axis of ``axes`` for rates in [0, 1]."""
    axes.set_ylim(-0.02, 1.02)
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    axes.set_ylabel(name)


def legend_text(name: str) -> str:
    """Return ``name`` for a legend: matplotlib omits names that begin with "_", so they get a zero-width space."""
    return f"{_INVISIBLE}{name}" if name.startswith("_") else name
