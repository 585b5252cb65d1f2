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
        values_by_key: dict[str, Any] = {}
        for key, value in pairs:
            if key in values_by_key:
                raise BundleError(f"{source}: key {key!r} occurs twice")
            if (digits := _too_long(value)) is not None:
                raise BundleError(f"{source}: {key} is a number of {digits} digits, more than {_MOST_DIGITS}")
            values_by_key[key] = value
        return values_by_key

    def constant(name: str) -> NoReturn:
        raise BundleError(f"{source}: {name} is not a number that a bundle may contain")

    def whole(digits: str) -> int | _TooLong:
        return int(digits) if len(digits) <= _MOST_DIGITS else _TooLong(len(digits))

    def figure(text: str) -> float:
        if not math.isfinite(number := float(text)):
            raise BundleError(f"{source}: {text[:_MOST_DIGITS]} is not a number that a bundle may contain")
        return number

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
        waiting_value = waiting.pop()
        if isinstance(waiting_value, _TooLong):
            return waiting_value.digits
        if isinstance(waiting_value, list):
            waiting += waiting_value
    return None


@dataclasses.dataclass(frozen=True, slots=True)
class Reader:
    """A JSON object and its position in the file; each method reads one key strictly or raises BundleError."""

    value: Mapping[str, Any]
    source: Path
    prefix: str = ""

    def refuse(self, key: str, reason: str) -> BundleError:
        """Return the error for a key."""
        key_path = f"{self.prefix}{key}"
        return BundleError(f"{self.source}: {key_path if key_path.isprintable() else ascii(key_path)} {reason}")

    def only(self, keys: set[str]) -> None:
        """Reject missing and unknown keys."""
        for key in sorted(keys - self.value.keys()):
            raise self.refuse(key, "is missing")
        for key in sorted(self.value.keys() - keys):
            raise self.refuse(key, f"is unknown to this version (known: {', '.join(sorted(keys))})")

    def integer(self, key: str, low: int, high: int) -> int:
        """Return a whole number in [low, high]."""
        number = self.value[key]
        if isinstance(number, bool) or not isinstance(number, int):
            raise self.refuse(key, f"is not a whole number: {number!r}")
        if not low <= number <= high:
            raise self.refuse(key, f"= {number} is not from {low} to {high}")
        return number

    def figure(self, key: str) -> float:
        """Return a finite number."""
        return self._finite(key, self.value[key])

    def figures(self, key: str, most: int) -> tuple[float, ...]:
        """Return a list of at most ``most`` finite numbers."""
        figures = self.value[key]
        if not isinstance(figures, list) or len(figures) > most:
            raise self.refuse(key, f"is not a list of at most {most} numbers")
        return tuple(self._finite(f"{key}[{index}]", figure) for index, figure in enumerate(figures))

    def _finite(self, key: str, figure: object) -> float:
        if isinstance(figure, bool) or not isinstance(figure, int | float) or not abs(figure) < _MOST_FIGURE:
            raise self.refuse(key, f"is not a finite number: {figure!r}")
        return float(figure)

    def text(self, key: str, longest: int) -> str:
        """Return printable text of 1 to ``longest`` characters."""
        fault = text_fault(self.value[key], longest)
        if fault:
            raise self.refuse(key, fault)
        return str(self.value[key])

    def texts(self, key: str, most: int, longest: int) -> tuple[str, ...]:
        """Return a list of 1 to ``most`` distinct printable texts."""
        texts = self.value[key]
        if not isinstance(texts, list) or not 1 <= len(texts) <= most:
            raise self.refuse(key, f"is not a list of 1 to {most} texts")
        for index, text in enumerate(texts):
            fault = text_fault(text, longest)
            if fault:
                raise self.refuse(f"{key}[{index}]", fault)
        if len(set(texts)) < len(texts):
            raise self.refuse(key, "contains a text twice")
        return tuple(texts)

    def table(self, key: str) -> "Reader":
        """Return an object."""
        values = self.value[key]
        if not isinstance(values, dict):
            raise self.refuse(key, "is not an object")
        return Reader(values, self.source, f"{self.prefix}{key}.")

    def free(self, key: str) -> Mapping[str, Any]:
        """Return an object with any keys and values, whose texts a card, a page or a terminal may show.

        Control characters other than tabs and line ends are rejected in keys and texts at any depth, and surrogates,
        which nothing can write.
        """
        content = self.table(key).value
        waiting: list[tuple[str, object]] = [(key, content)]
        while waiting:
            key_path, value = waiting.pop()
            if isinstance(value, dict):
                waiting += [(f"{key_path}.{name}", name) for name in value]
                waiting += [(f"{key_path}.{name}", inner) for name, inner in value.items()]
            elif isinstance(value, list):
                waiting += [(f"{key_path}[{number}]", inner) for number, inner in enumerate(value)]
            elif isinstance(value, str) and (control := first_control(value.translate(_BLANKS))) is not None:
                raise self.refuse(key_path[:_LONGEST_PLACE], f"contains {control_name(control)}")
        return content

    def settings(self, key: str, cls: type[T], later: frozenset[str] = frozenset()) -> T:
        """Return an object as the settings class ``cls`` of plain fields: exactly its keys, their types and bounds.

        Keys in ``later`` were added after the first version; an object without them gets their defaults.
        """
        reader = self.table(key)
        types = typing.get_type_hints(cls)
        names = [spec.name for spec in dataclasses.fields(typing.cast(Any, cls))]
        names = [name for name in names if name in reader.value or name not in later]
        reader.only(set(names))
        arguments: dict[str, Any] = {}
        for name in names:
            value, expected_type = reader.value[name], types[name]
            if (
                expected_type is float
                and isinstance(value, int)
                and not isinstance(value, bool)
                and abs(value) < 1 << 53
            ):
                value = float(value)
            if type(value) is not expected_type or (expected_type is float and not math.isfinite(value)):
                raise reader.refuse(name, f"is not of type {expected_type.__name__}: {value!r}")
            arguments[name] = value
        try:
            return cls(**arguments)
        except ValueError as error:
            raise self.refuse(key, f"cannot be used: {error}") from error


def text_fault(value: object, longest: int) -> str:
    """Describe what is wrong with ``value`` as printable text of 1 to ``longest`` characters, or return "".

    Control, format (bidirectional overrides) and unassigned characters are rejected, because text from files is
    displayed.
    """
    if not isinstance(value, str) or not value:
        return "is not a text"
    if len(value) > longest:
        return f"is longer than {longest} characters"
    if value != value.strip() or any(unicodedata.category(character).startswith("C") for character in value):
        return f"contains control characters or outer spaces: {value!r}"
    return ""
