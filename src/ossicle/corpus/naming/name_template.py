"""Fields of a recording from its name: site, tape, animal, date.

A template such as ``site{site}_{date}_{time}_tape`` is matched against the stem. The stem is the file name without its
audio suffix only, so dots in names are safe. A placeholder matches as little as possible and never a ``/``; if a
literal follows, it does not match ``_`` either. ``{ac:on|off}`` matches one of these values only, ``{start:#}`` a
number, ``{tape:*}`` anything but ``/``, including underscores. ``*`` matches anything but ``/``. A template with
slashes is matched against as many folders above the file: ``{machine}/{kind}/*``. Composed and decomposed letters are
the same. Nothing is renamed on disk.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import PurePosixPath

from ossicle.core.errors import UsageError
from ossicle.corpus.naming.bounded_pattern import BoundedPattern, Literal, Mismatch, Number, OneOf, Piece, Run

_MOST_PIECES = 100
_PIECE = re.compile(r"\{([^{}]*)\}|(\*)|([^{}*]+)|([{}])")
_DATE = re.compile(r"(?<!\d)(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)")


class Template:
    """A file-name template as a compiled pattern; raises UsageError, naming ``key``, if the template is invalid.

    >>> Template("site{site}_{date}_*").parse("siteA_20250610_050000_tape")
    {'site': 'A', 'date': '20250610'}
    """

    def __init__(self, text: str, key: str = "name_template") -> None:
        self.text = text
        self._title = f"{key} {text!r}"
        self.names: tuple[str, ...] = ()
        self.choices: dict[str, tuple[str, ...]] = {}
        parts = [match.groups() for match in _PIECE.finditer(unicodedata.normalize("NFC", text))]
        if len(parts) > _MOST_PIECES:
            raise UsageError(f"{self._title}: has more than {_MOST_PIECES} placeholders, wildcards and literals")
        pieces: list[Piece] = []
        for number, (name, star, literal, brace) in enumerate(parts):
            following = parts[number + 1] if number + 1 < len(parts) else None
            if brace is not None:
                raise UsageError(f"{self._title}: a brace is not closed; write placeholders as {{site}}")
            if literal is not None:
                pieces.append(Literal(literal))
            elif star is not None:
                pieces.append(Run("", "/", 0))
            else:
                pieces.append(self._placeholder(name, following))
        self._pattern = BoundedPattern(pieces)
        self.folders = text.count("/")

    def _placeholder(self, text: str, following: tuple[str | None, ...] | None) -> Piece:
        name, chosen, values = text.partition(":")
        if not name.isidentifier():
            raise UsageError(f"{self._title}: {{{name}}} is not a field name; use letters, digits and _")
        if name in self.names:
            raise UsageError(f"{self._title}: {{{name}}} occurs twice; use each field once")
        if following is not None and following[0] is not None:
            raise UsageError(f"{self._title}: put a literal between {{{name}}} and {{{following[0]}}}")
        self.names += (name,)
        # Before a wildcard the placeholder must match as much as possible, or one letter would be enough.
        greedy = following is not None and following[1] is not None
        if values == "#":
            return Number(name)
        if values == "*":
            return Run(name, "/", 1, greedy)
        if chosen:
            if not all(values.split("|")) or "/" in values:
                raise UsageError(f"{self._title}: write the values of {{{name}}} as {{{name}:on|off}}")
            self.choices[name] = tuple(values.split("|"))
            return OneOf(name, self.choices[name])
        return Run(name, "/" if following is None else "/_", 1, greedy or following is None)

    def parse(self, stem: str) -> dict[str, str] | None:
        """Return the fields of a stem with as many folders in front as the template has slashes; None if it does not
        match.

        Further folders are ignored.
        """
        return self._pattern.match(self._compared(stem))

    def mismatch(self, stem: str) -> Mismatch | None:
        """Return where a stem stops to fit, counted in the part that is compared; None if it matches.

        >>> Template("ac-{ac:on|off}-{part:day|night}").mismatch("ac-maybe-day")
        Mismatch(position=3, expected='{ac} as on or off')
        """
        return self._pattern.mismatch(self._compared(stem))

    def _compared(self, stem: str) -> str:
        """Return the stem in Unicode NFC, with as many folders in front as the template has slashes."""
        return "/".join(unicodedata.normalize("NFC", stem).split("/")[-1 - self.folders :])


def stem_of(path: str, suffixes: Collection[str]) -> str:
    """Return a path below the root without its audio suffix (one of ``suffixes``, lower case with the dot), in any
    case.

    >>> stem_of("a/siteD_052100.23_tape.FLAC", {".flac"})
    'a/siteD_052100.23_tape'
    """
    suffix = PurePosixPath(path).suffix
    return path[: -len(suffix)] if suffix and suffix.lower() in suffixes else path


def top_folder(path: str) -> str:
    """Return the first folder below the root, or ``.`` for a file in the root itself."""
    parts = PurePosixPath(path).parts
    return parts[0] if len(parts) > 1 else "."


def infer_template(stems: Sequence[str], group: str) -> str | None:
    """Return a template that reads the field ``group`` from every one of ``stems`` (paths without suffix).

    It searches for the name of the field followed by its value (``siteA_...``, ``.../site-3/...``), and for dates if
    the field is ``date``. None if no template matches all stems; the user must then write one.
    """
    votes: Counter[str] = Counter()
    for stem in stems:
        votes.update(set(_candidates(stem, group)))
    for text, count in sorted(votes.items(), key=lambda item: (-item[1], len(item[0]), item[0])):
        if count == len(stems):
            template = Template(text)
            if all((template.parse(stem) or {}).get(group) for stem in stems):
                return text
    return None


def _candidates(stem: str, group: str) -> list[str]:
    parts = stem.split("/")
    candidates: list[str] = []
    if not group.isidentifier():
        return candidates
    named = re.compile(
        rf"(?:(?<=^)|(?<=[_\-. ]))({re.escape(group)}[-=]?|{re.escape(group)}_(?=[^_]))[^_]+?(?=[_\-. ]|$)"
    )
    for depth, part in enumerate(parts):
        tail = "/*" * (len(parts) - 1 - depth)
        for match in named.finditer(part):
            candidates += [_with_wildcards(part, match.start(), match.end(), f"{match.group(1)}{{{group}}}") + tail]
        if group == "date":
            candidates += [
                _with_wildcards(part, match.start(), match.end(), "{date}") + tail for match in _DATE.finditer(part)
            ]
    return candidates


def _with_wildcards(part: str, start: int, end: int, middle: str) -> str:
    """Return the template of one path part: wildcards for the text before and after, with the separators kept."""
    before = "" if start == 0 else f"*{part[start - 1]}"
    after = "" if end == len(part) else f"{part[end]}*"
    return before + middle + after
