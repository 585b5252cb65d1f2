"""Render a page from its template: self-contained, escaped, and allowed to run only its own script."""

import base64
import hashlib
import importlib.resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from ossicle.core.text.printable import printable
from ossicle.report import words
from ossicle.report.figures.groups import shortened
from ossicle.report.figures.style import data_address

# Nothing may be fetched and only the page's own script may run, even if a name got past the escaping.
_POLICY = (
    "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; script-src {script}; "
    "base-uri 'none'; form-action 'none'"
)

_GAP = "\N{NO-BREAK SPACE}"


def render_page(template: str, title: str, *, scripted: bool = False, **values: Any) -> str:
    """Return the page that ``template`` (of this package, extending ``base.html``) makes of ``values``, as text.

    ``scripted``: the page may run ``page.js``. Raises jinja2.UndefinedError if the template needs a value that is
    missing.
    """
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(_asset),
        finalize=_shown_value,
    )
    environment.filters.update(number=words.number, count=words.count, duration=words.duration, listed=words.listed)
    environment.filters.update(
        share=words.share, clock=words.clock, signed=words.signed, counted=words.counted, per_hour=words.per_hour
    )
    environment.filters.update(shortened=shortened)
    environment.globals.update(interval=words.interval, address=data_address)
    script = _asset("page.js") if scripted else ""
    return environment.get_template(template).render(
        title=title,
        css=Markup(_asset("page.css")),
        script=Markup(script),
        policy=_POLICY.format(script=f"'{_digest(script)}'" if scripted else "'none'"),
        **values,
    )


def _shown_value(value: Any) -> Any:
    """Return a value of a page: in texts from files, control characters and marks of writing direction are spelt
    out. The no-break spaces of large numbers stay.
    """
    return _GAP.join(map(printable, value.split(_GAP))) if type(value) is str else value


def _asset(name: str) -> str:
    return (importlib.resources.files("ossicle.report.pages") / "templates" / name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    """Return the digest by which a browser recognises the script that may run (Content Security Policy, level 2)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
