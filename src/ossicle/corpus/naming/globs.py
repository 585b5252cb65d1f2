"""Select files of a folder with globs on the path below it.

``*`` and ``?`` stop at a slash, ``**`` does not; ``[ab]`` matches one of these characters, ``[!ab]`` any other. A glob
that matches a folder selects everything below it, so ``siteA``, ``siteA/*`` and ``siteA/**`` mean the same. Case
matters; composed and decomposed letters are the same.

All ways to match a glob are followed side by side, so the time grows with the length of glob and path only. A regular
expression tries them one after the other; with several ``**/`` that takes years on a deep folder.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ossicle.core.digest import normal_path

_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\[(!?)(\]?[^\]/]*)\]|.", re.DOTALL)
_LONGEST = 4096
_MOST = 1000

Accepts = Callable[[str], bool]


class Globs:
    """Globs to match paths with; raises ValueError for a glob that cannot match anything below a folder.

    >>> Globs(["site[AB]/**/*_tape.wav"]).match("siteA/june/one_tape.wav")
    'site[AB]/**/*_tape.wav'
    """

    def __init__(self, globs: Sequence[str]) -> None:
        if len(globs) > _MOST:
            raise ValueError(f"{len(globs)} globs are more than {_MOST}; write fewer that match more")
        self._patterns = [(glob, _pattern(glob)) for glob in globs]

    def match(self, path: str) -> str | None:
        """Return the first glob that matches a path below the folder, or a folder that contains it; None if none
        matches.
        """
        normal = normal_path(path)
        return next((glob for glob, pattern in self._patterns if pattern.matches(normal)), None)


@dataclass(slots=True)
class _Pattern:
    """A glob as an automaton: bit n of a set of states says that the first n states have been passed.

    ``takes`` are the states that a character passes, ``stays`` those that it does not leave, and ``free`` those that
    need no character. A state in ``folders`` stands before ``**/``: the state behind it is inside a folder's name, and
    a slash leads back.
    """

    takes: list[tuple[int, Accepts]] = field(default_factory=list)
    stays: list[tuple[int, Accepts]] = field(default_factory=list)
    free: int = 0
    folders: int = 0
    n_states: int = 0
    _of_character: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, accepts: Accepts) -> None:
        """Add a state that takes one character."""
        self.takes.append((1 << self.n_states, accepts))
        self.n_states += 1

    def add_any_number(self, accepts: Accepts) -> None:
        """Add a state that takes any number of characters."""
        self.stays.append((1 << self.n_states, accepts))
        self.free |= 1 << self.n_states
        self.n_states += 1

    def add_folders(self) -> None:
        """Add two states that take any number of folders, each with a slash."""
        before, inside = 1 << self.n_states, 1 << (self.n_states + 1)
        self.takes.append((before, _no_slash))
        self.stays.append((inside, _no_slash))
        self.folders |= before
        self.n_states += 2

    def matches(self, path: str) -> bool:
        """Return whether the glob matches a path or a folder that contains it."""
        end = 1 << self.n_states
        states = self._with_free_states(1)
        for character in path:
            if character == "/" and states & end:
                return True
            takes, stays = self._moves(character)
            moved = ((states & takes) << 1) | (states & stays)
            if character == "/":
                moved |= (states >> 1) & self.folders
            if not moved:
                return False
            states = self._with_free_states(moved)
        return bool(states & end)

    def _moves(self, character: str) -> tuple[int, int]:
        if character not in self._of_character:
            takes, stays = (
                sum(bit for bit, accepts in moves if accepts(character)) for moves in (self.takes, self.stays)
            )
            self._of_character[character] = takes, stays
        return self._of_character[character]

    def _with_free_states(self, states: int) -> int:
        """Add the states that need no further character."""
        while True:
            more = states | ((states & self.free) << 1) | ((states & self.folders) << 2)
            if more == states:
                return states
            states = more


def _pattern(glob: str) -> _Pattern:
    text = normal_path(glob).removesuffix("/")
    if not text or text.startswith("/") or ".." in text.split("/"):
        raise ValueError(f"the glob {glob!r} is not a path below the folder; write it as site*/** or *_tape.wav")
    if len(text) > _LONGEST:
        raise ValueError(f"the glob {glob[:40]!r}... is longer than {_LONGEST} characters, which no path is")
    pattern, last = _Pattern(), ""
    for match in _TOKEN.finditer(text):
        token = match[0]
        # Wildcards that add nothing to the one before would only be more states.
        if token in ("**/", "**", "*") and (token == last or last == "**"):
            continue
        last = token
        if token == "**/":
            pattern.add_folders()
        elif token == "**":
            pattern.add_any_number(_anything)
        elif token == "*":
            pattern.add_any_number(_no_slash)
        elif token == "?":
            pattern.add(_no_slash)
        elif match[2] is None or len(token) == 1:
            pattern.add(token.__eq__)
        else:
            pattern.add(_characters(glob, match))
    return pattern


def _characters(glob: str, match: re.Match[str]) -> Accepts:
    # A range is kept; other characters in the brackets have no special meaning.
    inside = re.sub(r"([\\^&~|\[\]])", r"\\\1", match[2])
    try:
        return _accepts(re.compile(f"(?!/)[{'^' if match[1] else ''}{inside}]", re.DOTALL))
    except re.error:
        raise ValueError(f"the glob {glob!r} has a reversed range of characters; write it as [a-f]") from None


def _accepts(pattern: re.Pattern[str]) -> Accepts:
    return lambda character: pattern.match(character) is not None


def _no_slash(character: str) -> bool:
    return character != "/"


def _anything(character: str) -> bool:
    return True
