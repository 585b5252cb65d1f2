"""Values as plain JSON: dicts with text keys, lists, text, finite numbers, booleans and None.

Python's ``json`` writes ``NaN``, which is not JSON, turns the key 1 into "1", and rejects NumPy scalars with a message
that does not name their position. :func:`plain` solves all three and names the key.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any


def plain(value: Any, where: str = "") -> Any:
    """Return ``value`` as plain JSON values; ``where`` is its key.

    Raises ValueError for a NaN or infinity and TypeError for values that JSON cannot hold, both naming the key.

    >>> plain({"hop": (1, 2.5)})
    {'hop': [1, 2.5]}
    >>> plain({"scores": [0.5, float("nan")]})
    Traceback (most recent call last):
    ValueError: scores[1] is nan, which JSON cannot hold; leave the key out or write null
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(
                f"{where or 'the value'} is {value}, which JSON cannot hold; leave the key out or write null"
            )
        return float(value)
    if isinstance(value, Mapping):
        return {
            _text_key(key, where): plain(item, f"{where}.{key}" if where else str(key)) for key, item in value.items()
        }
    if isinstance(value, set | frozenset):
        return [plain(item, f"{where}{{}}") for item in sorted(value)]
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return [plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if hasattr(value, "tolist"):
        return plain(value.tolist(), where)
    raise TypeError(f"{where or 'the value'} is a {type(value).__name__}, which JSON cannot hold")


def _text_key(key: Any, where: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{where or 'the value'} has the key {key!r}; JSON keys are text")
    return str(key)
