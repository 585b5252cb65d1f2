"""Match names against a sequence of pieces in a time that grows with the length of the name, not with its square.

A regular expression with several wildcards tries every division of a name among them: for ``*a*a*a*a*a`` and a name of
a hundred letters these are billions. Here a piece that failed at a place is not tried there, or behind it, again. The
result is that of the regular expression: pieces take as little or as much as they can, in order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_DIGITS = frozenset("0123456789")


@dataclass(frozen=True, slots=True)
class Literal:
    """This text."""

    text: str


@dataclass(frozen=True, slots=True)
class Run:
    """At least ``least`` characters that are not in ``excluded``: as few as possible, or as many with ``greedy``."""

    name: str
    excluded: str
    least: int
    greedy: bool = False


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of these texts; the first that leads to a match counts."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written by Python and by people: 110, 0.25, 1e-05."""

    name: str


Piece = Literal | Run | OneOf | Number


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The farthest character that an attempt to match reached.

    Attributes
    ----------
    position
        Index of the first character that fits nothing, from 0; the length of the text if the text ends too early.
    expected
        What should be there, in words.
    """

    position: int
    expected: str


class BoundedPattern:
    """A sequence of pieces.

    >>> BoundedPattern([Literal("site"), Run("site", "/_", 1), Literal("_"), Run("", "/", 0)]).match("siteA_x")
    {'site': 'A'}
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = tuple(pieces)

    def match(self, text: str) -> dict[str, str] | None:
        """Return the texts of the named pieces if all pieces together are ``text``, else None."""
        attempt = _Attempt(self._pieces, text)
        if not attempt.go(0, 0):
            return None
        named = [piece.name for piece in self._pieces if not isinstance(piece, Literal) and piece.name]
        return {name: text[slice(*attempt.spans[name])] for name in named}

    def mismatch(self, text: str) -> Mismatch | None:
        """Return where a text stops to fit, and what should be there; None if it fits.

        Of several ways to divide the text among the pieces, the one that fits farthest counts.
        """
        attempt = _Attempt(self._pieces, text)
        return None if attempt.go(0, 0) else attempt.farthest


class _Attempt:
    """The search for one text."""

    def __init__(self, pieces: tuple[Piece, ...], text: str) -> None:
        self._pieces, self._text = pieces, text
        self.spans: dict[str, tuple[int, int]] = {}
        self._failed: dict[tuple[int, int], int] = {}
        self.farthest = Mismatch(-1, "")

    def go(self, index: int, position: int) -> bool:
        """Return whether the pieces from ``index`` on match the text from ``position`` on."""
        pieces, text = self._pieces, self._text
        while index < len(pieces) and isinstance(piece := pieces[index], Literal):
            if not text.startswith(piece.text, position):
                self._note_literal(piece.text, position)
                return False
            position += len(piece.text)
            index += 1
        if index == len(pieces):
            if position < len(text):
                self._note(position, "the end of the name")
            return position == len(text)
        piece = pieces[index]
        assert not isinstance(piece, Literal)
        # A run that failed also fails behind, up to the character where it would have to end.
        key = (index, _extent(text, position, piece.excluded)) if isinstance(piece, Run) else (index, -1 - position)
        if position >= self._failed.get(key, len(text) + 1):
            return False
        possible = False
        for end in self._ends(piece, index, position, key[1]):
            possible = True
            if self.go(index + 1, end):
                self.spans[piece.name] = (position, end)
                return True
        if not possible:
            self._note_piece(piece, index, position)
        self._failed[key] = position
        return False

    def _note(self, position: int, expected: str) -> None:
        if position > self.farthest.position:
            self.farthest = Mismatch(position, expected)

    def _note_literal(self, literal: str, position: int) -> None:
        """Note the first character that differs from a literal which should begin at ``position``."""
        same = next(
            (n for n, character in enumerate(literal) if self._text[position + n : position + n + 1] != character),
            len(literal),
        )
        self._note(position + same, repr(literal[same:]))

    def _note_piece(self, piece: Run | OneOf | Number, index: int, position: int) -> None:
        """Note that a piece could not begin at ``position``, or that the literal after a run was not found."""
        if isinstance(piece, OneOf):
            self._note(position, f"{{{piece.name}}} as {' or '.join(piece.values)}")
        elif isinstance(piece, Number):
            self._note(position, f"{{{piece.name}}} as a number")
        elif (extent := _extent(self._text, position, piece.excluded)) - position < piece.least:
            self._note(position, f"{{{piece.name}}}")
        else:
            following = self._pieces[index + 1] if index + 1 < len(self._pieces) else None
            if following is None:
                self._note(extent, "the end of the name")
            elif isinstance(following, Literal):
                self._note_literal(following.text, extent)

    def _ends(self, piece: Run | OneOf | Number, index: int, position: int, extent: int) -> Iterator[int]:
        """Yield where a piece that begins at ``position`` may end, in the order in which this is tried."""
        if isinstance(piece, OneOf):
            yield from (position + len(value) for value in piece.values if self._text.startswith(value, position))
        elif isinstance(piece, Number):
            yield from _number_ends(self._text, position)
        else:
            following = self._pieces[index + 1] if index + 1 < len(self._pieces) else None
            # What follows shows where the run can end.
            word = following.text if isinstance(following, Literal) else ""
            least = position + piece.least
            if following is None:
                yield from [extent] if least <= extent == len(self._text) else []
            elif piece.greedy:
                end = self._text.rfind(word, least, extent + len(word))
                while end >= least:
                    yield end
                    end = self._text.rfind(word, least, end + len(word) - 1) if end > least else -1
            else:
                end = self._text.find(word, least, extent + len(word))
                while end >= 0 and least <= extent:
                    yield end
                    end = self._text.find(word, end + 1, extent + len(word)) if end < extent else -1


def _extent(text: str, position: int, excluded: str) -> int:
    """Return where a run that begins at ``position`` has to end."""
    return min((end for character in excluded if (end := text.find(character, position)) >= 0), default=len(text))


def _number_ends(text: str, position: int) -> Iterator[int]:
    """Yield where a number may end: with as much of it as possible first, as a regular expression tries it."""
    whole = _digits_end(text, position)
    for end in range(whole, position, -1):
        fraction = _digits_end(text, end + 1) if end == whole and text[end : end + 1] == "." else end
        for inner in range(fraction, end + 1, -1):
            yield from _exponent_ends(text, inner) if inner == fraction else ()
            yield inner
        yield from _exponent_ends(text, end) if end == whole else ()
        yield end


def _exponent_ends(text: str, position: int) -> Iterator[int]:
    if text[position : position + 1] in ("e", "E"):
        start = position + 2 if text[position + 1 : position + 2] in ("-", "+") else position + 1
        yield from range(_digits_end(text, start), start, -1)


def _digits_end(text: str, position: int) -> int:
    while text[position : position + 1] in _DIGITS:
        position += 1
    return position
