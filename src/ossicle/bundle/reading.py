"""Strict reading of JSON from untrusted sources: every error names the file and the key."""

import dataclasses
import json
import math
import typing
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from ossicle.core.errors import BundleError
from ossicle.core.text.controls import control_name, first_control

T = TypeVar("T")

# Beyond any figure in a bundle; a whole number in JSON may have more digits than a float.
_MOST_FIGURE = 1e300
_MOST_DIGITS = 40
_LONGEST_PLACE = 200
_BLANKS = str.maketrans("\t\n\r", "   ")


def parse_object(data: bytes, source: Path) -> "Reader":
    """Parse a JSON object; raises BundleError for other values, duplicate keys, NaN, numbers of many digits, and
    nesting beyond Python's stack.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise BundleError(f"{source}: key {key!r} occurs twice")
            if (digits := _too_long(value)) is not None:
                raise BundleError(f"{source}: {key} is a number of {digits} digits, more than {_MOST_DIGITS}")
            found[key] = value
        return found

    def constant(name: str) -> NoReturn:
        raise BundleError(f"{source}: {name} is not a number that a bundle may contain")

    def whole(digits: str) -> int | _TooLong:
        return int(digits) if len(digits) <= _MOST_DIGITS else _TooLong(len(digits))

    def figure(text: str) -> float:
        if not math.isfinite(found := float(text)):
            raise BundleError(f"{source}: {text[:_MOST_DIGITS]} is not a number that a bundle may contain")
        return found

    try:
        value = json.loads(
            data.decode(), object_pairs_hook=once, parse_constant=constant, parse_int=whole, parse_float=figure
        )
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError, ValueError) as error:
        raise BundleError(f"{source} is not readable JSON ({error}): copy the bundle again") from error
    if not isinstance(value, dict):
        raise BundleError(f"{source} does not contain a JSON object, so it is not a bundle")
    return Reader(value, source)


@dataclasses.dataclass(frozen=True, slots=True)
class _TooLong:
    """Stands for a whole number that was not read, until its key is known."""

    digits: int


def _too_long(value: object) -> int | None:
    """Return the digits of a number that was not read, also in lists of lists; objects were looked at before."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, _TooLong):
            return one.digits
        if isinstance(one, list):
            waiting += one
    return None


@dataclasses.dataclass(frozen=True, slots=True)
class Reader:
    """A JSON object and its position in the file; each method reads one key strictly or raises BundleError."""

    value: Mapping[str, Any]
    source: Path
    prefix: str = ""

    def refuse(self, key: str, why: str) -> BundleError:
        """Return the error for a key."""
        place = f"{self.prefix}{key}"
        return BundleError(f"{self.source}: {place if place.isprintable() else ascii(place)} {why}")

    def only(self, keys: set[str]) -> None:
        """Reject missing and unknown keys."""
        for key in sorted(keys - self.value.keys()):
            raise self.refuse(key, "is missing")
        for key in sorted(self.value.keys() - keys):
            raise self.refuse(key, f"is unknown to this version (known: {', '.join(sorted(keys))})")

    def integer(self, key: str, low: int, high: int) -> int:
        """Return a whole number in [low, high]."""
        found = self.value[key]
        if isinstance(found, bool) or not isinstance(found, int):
            raise self.refuse(key, f"is not a whole number: {found!r}")
        if not low <= found <= high:
            raise self.refuse(key, f"= {found} is not from {low} to {high}")
        return found

    def figure(self, key: str) -> float:
        """Return a finite number."""
        return self._finite(key, self.value[key])

    def figures(self, key: str, most: int) -> tuple[float, ...]:
        """Return a list of at most ``most`` finite numbers."""
        found = self.value[key]
        if not isinstance(found, list) or len(found) > most:
            raise self.refuse(key, f"is not a list of at most {most} numbers")
        return tuple(self._finite(f"{key}[{place}]", one) for place, one in enumerate(found))

    def _finite(self, key: str, found: object) -> float:
        if isinstance(found, bool) or not isinstance(found, int | float) or not abs(found) < _MOST_FIGURE:
            raise self.refuse(key, f"is not a finite number: {found!r}")
        return float(found)

    def text(self, key: str, longest: int) -> str:
        """Return printable text of 1 to ``longest`` characters."""
        why = text_fault(self.value[key], longest)
        if why:
            raise self.refuse(key, why)
        return str(self.value[key])

    def texts(self, key: str, most: int, longest: int) -> tuple[str, ...]:
        """Return a list of 1 to ``most`` distinct printable texts."""
        found = self.value[key]
        if not isinstance(found, list) or not 1 <= len(found) <= most:
            raise self.refuse(key, f"is not a list of 1 to {most} texts")
        for place, one in enumerate(found):
            why = text_fault(one, longest)
            if why:
                raise self.refuse(f"{key}[{place}]", why)
        if len(set(found)) < len(found):
            raise self.refuse(key, "contains a text twice")
        return tuple(found)

    def table(self, key: str) -> "Reader":
        """Return an object."""
        found = self.value[key]
        if not isinstance(found, dict):
            raise self.refuse(key, "is not an object")
        return Reader(found, self.source, f"{self.prefix}{key}.")

    def free(self, key: str) -> Mapping[str, Any]:
        """Return an object with any keys and values, whose texts a card, a page or a terminal may show.

        Control characters other than tabs and line ends are rejected in keys and texts at any depth, and surrogates,
        which nothing can write.
        """
        found = self.table(key).value
        waiting: list[tuple[str, object]] = [(key, found)]
        while waiting:
            place, value = waiting.pop()
            if isinstance(value, dict):
                waiting += [(f"{place}.{name}", name) for name in value]
                waiting += [(f"{place}.{name}", inner) for name, inner in value.items()]
            elif isinstance(value, list):
                waiting += [(f"{place}[{number}]", inner) for number, inner in enumerate(value)]
            elif isinstance(value, str) and (control := first_control(value.translate(_BLANKS))) is not None:
                raise self.refuse(place[:_LONGEST_PLACE], f"contains {control_name(control)}")
        return found

    def settings(self, key: str, cls: type[T], later: frozenset[str] = frozenset()) -> T:
        """Return an object as the settings class ``cls`` of plain fields: exactly its keys, their types and bounds.

        Keys in ``later`` were added after the first version; an object without them gets their defaults.
        """
        own = self.table(key)
        types = typing.get_type_hints(cls)
        names = [spec.name for spec in dataclasses.fields(typing.cast(Any, cls))]
        names = [name for name in names if name in own.value or name not in later]
        own.only(set(names))
        arguments: dict[str, Any] = {}
        for name in names:
            found, wanted = own.value[name], types[name]
            if wanted is float and isinstance(found, int) and not isinstance(found, bool) and abs(found) < 1 << 53:
                found = float(found)
            if type(found) is not wanted or (wanted is float and not math.isfinite(found)):
                raise own.refuse(name, f"is not of type {wanted.__name__}: {found!r}")
            arguments[name] = found
        try:
            return cls(**arguments)
        except ValueError as error:
            raise self.refuse(key, f"cannot be used: {error}") from error


def text_fault(found: object, longest: int) -> str:
    """Describe what is wrong with ``found`` as printable text of 1 to ``longest`` characters, or return "".

    Control, format (bidirectional overrides) and unassigned characters are rejected, because text from files is
    displayed.
    """
    if not isinstance(found, str) or not found:
        return "is not a text"
    if len(found) > longest:
        return f"is longer than {longest} characters"
    if found != found.strip() or any(unicodedata.category(one).startswith("C") for one in found):
        return f"contains control characters or outer spaces: {found!r}"
    return ""
