"""Each public name of the Python interface has headed sections and an example that runs.

Doctests run with the tests, and so does the code of docs/python.md. A method without a doctest must be used in one of
them.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import ossicle

NAMES = [name for name in ossicle.__all__ if not name.startswith("__")]
_HEADING = re.compile(r"^(\w+)\n-{3,}$", re.MULTILINE)
_CODE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def sections(documented: object) -> dict[str, str]:
    """Return the text below each heading of a docstring, by heading."""
    parts = _HEADING.split(inspect.getdoc(documented) or "")
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def described(text: str) -> set[str]:
    """Return the names that a section describes: those of its lines without indent."""
    heads = [line for line in text.splitlines() if line and not line.startswith(" ")]
    return {name.strip() for head in heads for name in head.partition(" : ")[0].split(",")}


def missing(documented: Callable[..., Any], *, returns: bool) -> set[str]:
    """Return what the docstring of a callable lacks: sections, or descriptions of parameters."""
    result = sections(documented)
    signature = inspect.signature(documented)
    parameters = {name for name in signature.parameters if name not in ("self", "cls")}
    out = {f"parameter {name}" for name in parameters - described(result.get("Parameters", ""))}
    if returns and signature.return_annotation is not None and not {"Returns", "Yields"} & set(result):
        out.add("Returns")
    return out


def methods(of: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield the public methods of a class that Ossicle defines, inherited ones too."""
    for name, _ in inspect.getmembers(of):
        result = inspect.getattr_static(of, name)
        function = result.__func__ if isinstance(result, classmethod | staticmethod) else result
        if not name.startswith("_") and inspect.isfunction(function) and function.__module__.startswith("ossicle"):
            yield name, function


@pytest.mark.parametrize("name", NAMES)
def test_each_name_has_headed_sections_and_a_doctest(name: str) -> None:
    public = getattr(ossicle, name)
    result = sections(public)
    assert ">>> " in result.get("Examples", ""), f"{name}: no doctest below the heading Examples"
    if isinstance(public, type) and issubclass(public, Exception):
        assert described(result["Attributes"]) == {"exit_code"}
    else:
        assert missing(public, returns=not isinstance(public, type)) == set()
        assert isinstance(public, type) or "Raises" in result, f"{name}: no section Raises"


@pytest.mark.parametrize("name", [name for name in NAMES if isinstance(getattr(ossicle, name), type)])
def test_each_method_and_property_is_documented(name: str, repository: Path) -> None:
    public = getattr(ossicle, name)
    tutorial = "\n".join(_CODE.findall((repository / "docs" / "python.md").read_text(encoding="utf-8")))
    for method, function in methods(public):
        assert missing(function, returns=True) == set(), f"{name}.{method}"
        examples = sections(public).get("Examples", "") + sections(function).get("Examples", "") + tutorial
        assert f".{method}(" in examples, f"{name}.{method}: neither in a doctest nor in docs/python.md"
    for attribute, value in inspect.getmembers(public, lambda one: isinstance(one, property)):
        assert attribute.startswith("_") or inspect.getdoc(value), f"{name}.{attribute}"


def test_a_docstring_with_gaps_is_found() -> None:
    def poor(length_s: float, rate: int) -> float:
        """Return something.

        Parameters
        ----------
        length_s
            Seconds.
        """
        return length_s * rate

    assert missing(poor, returns=True) == {"parameter rate", "Returns"}
