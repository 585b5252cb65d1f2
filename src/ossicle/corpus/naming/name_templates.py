"""Several file-name templates for one corpus: the first that fits a name gives its fields."""

from collections.abc import Collection, Sequence

from ossicle.corpus.naming.name_template import Template

TemplateTexts = str | tuple[str, ...]
"""One template as text, or several; empty: none."""


class Templates:
    """Templates in the order in which they are tried.

    Parameters
    ----------
    texts
        One template or several; empty ones are ignored.
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
        self._templates = tuple(Template(text, key) for text in self.texts)

    @property
    def names(self) -> tuple[str, ...]:
        """The fields of all templates, in order."""
        return tuple(dict.fromkeys(name for one in self._templates for name in one.names))

    @property
    def in_words(self) -> str:
        """The templates for messages: ``'a'``, or ``any of 'a', 'b'``."""
        listed = ", ".join(repr(text) for text in self.texts)
        return f"any of {listed}" if len(self.texts) > 1 else listed

    def parse(self, stem: str) -> dict[str, str] | None:
        """Return the fields of a stem by the first template that fits; None if none does."""
        return next((found for one in self._templates if (found := one.parse(stem)) is not None), None)

    def fit(self, fields: Collection[str]) -> bool:
        """Return whether these are the fields of a name that fits a template."""
        return any(set(one.names) <= set(fields) for one in self._templates)
