"""Words that people write for on and off, in names and tables of several languages and programs."""

import unicodedata
from collections.abc import Iterable

from ossicle.core.decisions.states import OFF, ON, UNKNOWN

_PAIRS = (
    "on off, 1 0, 1.0 0.0, yes no, true false, an aus, ein aus, ja nein, wahr falsch, marche arrêt, allumé éteint, "
    "oui non, vrai faux, encendido apagado, sí no, si no, acceso spento, sì no, ligado desligado, sim não, aan uit, "
    "ja nee, på av, ja nej, вкл выкл, да нет, 开 关, オン オフ"
)
STATE_WORDS = tuple((on, off) for on, off in (pair.split() for pair in _PAIRS.split(", ")))
"""Pairs of words that mean on and off, in lower case and NFC."""
_STATES = {
    **{on: ON for on, _ in STATE_WORDS},
    **{off: OFF for _, off in STATE_WORDS},
    "": UNKNOWN, "unknown": UNKNOWN, "?": UNKNOWN,
}  # fmt: skip


def state_of_word(text: str) -> str | None:
    """Return the state that a word means; None if it means none.

    Parameters
    ----------
    text
        A value of a name or a cell; case and outer blanks do not count.

    Returns
    -------
    str or None
        ``on``, ``off`` or ``unknown``, the last for empty text too.

    Examples
    --------
    >>> [state_of_word(text) for text in ("ON", "1.0", "Aus", " ", "idle")]
    ['on', 'on', 'off', 'unknown', None]
    """
    return _STATES.get(_plain(text))


def word_for_on(values: Iterable[str]) -> str:
    """Return which of the values means on, if they are one of the pairs of words; else empty text.

    Parameters
    ----------
    values
        What a field or a column holds, without what is unknown; one word of a pair is enough.

    Returns
    -------
    str
        The word as it is written among the values, or as in the pair if they hold only the word for off.

    Examples
    --------
    >>> word_for_on(["aus", "an"]), word_for_on(["Yes"]), word_for_on(["0"]), word_for_on(["day", "night"])
    ('an', 'Yes', '1', '')
    """
    written = {_plain(value): value for value in values}
    pair = next((pair for pair in STATE_WORDS if written and written.keys() <= set(pair)), None)
    return "" if pair is None else written.get(pair[0], pair[0])


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip()).casefold()
