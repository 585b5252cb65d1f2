"""Select files of a folder with globs on the path below it.

``*`` and ``?`` stop at a slash, ``**`` does not; ``[ab]`` matches one of these characters, ``[!ab]`` any other. A glob
that matches a folder selects everything below it, so ``siteA``, ``siteA/*`` and ``siteA/**`` mean the same. Case
matters; composed and decomposed letters are the same.
"""

import re
from collections.abc import Sequence

from ossicle.core.digest import normal_path

_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\[(!?)(\]?[^\]/]*)\]|.", re.DOTALL)


class Globs:
    """Compiled globs; raises ValueError for a glob that cannot match anything below a folder.

    >>> Globs(["site[AB]/**/*_tape.wav"]).match("siteA/june/one_tape.wav")
    'site[AB]/**/*_tape.wav'
    """

    def __init__(self, globs: Sequence[str]) -> None:
        self._patterns = [(glob, _pattern(glob)) for glob in globs]

    def match(self, path: str) -> str | None:
        """Return the first glob that matches a path below the folder, or a folder that contains it; None if none
        matches.
        """
        parts = normal_path(path).split("/")
        starts = ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
        for glob, pattern in self._patterns:
            if any(pattern.fullmatch(start) for start in starts):
                return glob
        return None


def _pattern(glob: str) -> re.Pattern[str]:
    text = normal_path(glob).removesuffix("/")
    if not text or text.startswith("/") or ".." in text.split("/"):
        raise ValueError(f"the glob {glob!r} is not a path below the folder; write it as site*/** or *_tape.wav")
    try:
        return re.compile("".join(_piece(found) for found in _TOKEN.finditer(text)), re.DOTALL)
    except re.error:
        raise ValueError(f"the glob {glob!r} has a reversed range of characters; write it as [a-f]") from None


def _piece(found: re.Match[str]) -> str:
    token = found[0]
    if token == "**/":
        return "(?:[^/]+/)*"
    if token in ("**", "*", "?"):
        return {"**": ".*", "*": "[^/]*", "?": "[^/]"}[token]
    if found[2] is None or len(token) == 1:
        return re.escape(token)
    # A range is kept; other characters in the brackets have no special meaning.
    inside = re.sub(r"([\\^&~|\[\]])", r"\\\1", found[2])
    return f"(?!/)[{'^' if found[1] else ''}{inside}]"
