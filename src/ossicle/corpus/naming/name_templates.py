"""Several file-name templates for one corpus: the first that fits a name gives its fields."""

from collections.abc import Collection, Sequence

from ossicle.audio.probe import SUFFIXES
from ossicle.corpus.naming.name_template import Template, stem_of

TemplateTexts = str | tuple[str, ...]
"""One template as text, or several; empty: none."""


class Templates:
    """Templates in the order in which they are tried.

    Parameters
    ----------
    texts
        One template or several; empty ones are ignored. A template may end in an audio suffix (``{tape}.wav``): names
        of any audio format match it.
    key
        The setting they come from, for messages.

    Raises
    ------
    UsageError
        A template is invalid.

    Examples
    --------
    >>> both = Templates(("site{site}_*", "{bird}-f*"))
    >>> both.parse("siteA_20250610"), both.parse("R3406-f2"), both.parse("notes")
    ({'site': 'A'}, {'bird': 'R3406'}, None)
    """

    def __init__(self, texts: str | Sequence[str], key: str = "name_template") -> None:
        self.texts = tuple(text for text in ((texts,) if isinstance(texts, str) else texts) if text)
        self._templates = tuple(Template(spelling, key) for text in self.texts for spelling in _spellings(text))

    @property
    def names(self) -> tuple[str, ...]:
        """The fields of all templates, in order."""
        return tuple(dict.fromkeys(name for template in self._templates for name in template.names))

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        """The fields with listed values, and these values in order, of all templates."""
        values_by_field: dict[str, tuple[str, ...]] = {}
        for template in self._templates:
            for name, values in template.choices.items():
                values_by_field[name] = tuple(dict.fromkeys((*values_by_field.get(name, ()), *values)))
        return values_by_field

    @property
    def in_words(self) -> str:
        """The templates for messages: ``'a'``, or ``any of 'a', 'b'``."""
        listed = ", ".join(repr(text) for text in self.texts)
        return f"any of {listed}" if len(self.texts) > 1 else listed

    def parse(self, stem: str) -> dict[str, str] | None:
        """Return the fields of a stem by the first template that fits; None if none does."""
        return next((fields for template in self._templates if (fields := template.parse(stem)) is not None), None)

    def mismatch_in_words(self, stem: str) -> str:
        """Return where a stem stops to fit, and what should be there; empty if it fits a template.

        Of several templates the one that fits farthest is named by its position. Characters count from 1.

        >>> Templates("ac-{ac:on|off}_*").mismatch_in_words("ac-maybe_1")
        'at character 4 there should be {ac} as on or off'
        """
        mismatches = [template.mismatch(stem) for template in self._templates]
        places = [mismatch for mismatch in mismatches if mismatch is not None]
        if len(places) < len(mismatches) or not places:
            return ""
        # Of equals the last, which is a template without its audio suffix: stems have none.
        mismatch = max(reversed(places), key=lambda mismatch: mismatch.position)
        return f"at character {mismatch.position + 1} there should be {mismatch.expected}"

    def fit(self, fields: Collection[str]) -> bool:
        """Return whether these are the fields of a name that fits a template."""
        return any(set(template.names) <= set(fields) for template in self._templates)


def _spellings(text: str) -> tuple[str, ...]:
    """Return a template, and without its audio suffix if it ends in one: stems have none."""
    without = stem_of(text, SUFFIXES)
    return (text,) if without in (text, "") else (text, without)
