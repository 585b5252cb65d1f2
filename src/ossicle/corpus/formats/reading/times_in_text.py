"""Whether a text of JSON, YAML or XML holds annotations: keys for a start and an end with numbers as values.

Settings, logs and descriptions of recordings have such keys too. The text holds annotations if one object has both keys
and stands in a list, has lists of numbers or a label beside, or if there are two such objects. A name such as ``call``
of an element of XML is a label too.
"""

import re
from collections import defaultdict
from collections.abc import Iterator

_NUMBER = r"[-+]?(?:\d++(?:[.,]\d++)?|[.,]\d++)(?:e[-+]?\d++)?"
# A number or the first of a list, with or without quotes; no time of the day and no date.
_VALUE = rf"""["']?\s*[:=]\s*(?:(?P<list>\[)\s*)?(?:"{_NUMBER}"|'{_NUMBER}'|{_NUMBER}(?=\s*[,\]}}\#]|\s*\n|\s*\Z))"""
_UNIT = r"(?:[ _(]{0,2}(?:times?|s|secs?|seconds?|ms)\)?){0,3}"
_START = re.compile(
    rf"(?<![\w.-])(?:time_|t_|call_|event_|segment_)?(?:start|begin|onset|from|t_?min|t0)s?{_UNIT}{_VALUE}", re.I | re.A
)
_END = re.compile(
    rf"(?<![\w.-])(?:time_|t_|call_|event_|segment_)?(?:end|stop|offset|duration|to|t_?max|t1)s?{_UNIT}{_VALUE}",
    re.I | re.A,
)
_LABEL = re.compile(
    r"(?<![\w.-])(?:[a-z]{1,20}_)?(?:label|class|species|annotation|category|tag|call|event|text|word|transcript|sound"
    r"|(?:common|scientific)_?name)s?(?:_?(?:name|id|type))?[\"']?\s*[:=]",
    re.I | re.A,
)
# What ffprobe says of a file and its streams: their start and duration are no annotation.
_OF_MEDIA = re.compile(r"codec_|format_name|bit_rate")
# pandas writes a column as an object with the numbers of the rows as keys.
_COLUMN = re.compile(r"\{\s*\"\d+\"\s*:([^{}]*)\}")
_JSON_NUMBER = r"[-+]?\d++(?:\.\d++)?(?:e[-+]?\d++)?"
_PAIR = re.compile(rf"\[\s*({_JSON_NUMBER})\s*,\s*({_JSON_NUMBER})\s*\]", re.I | re.A)
# AviaNZ writes each call as a list: start, end, low and high frequency, and what was heard.
_BOX = re.compile(
    rf"\[\s*({_JSON_NUMBER})\s*,\s*({_JSON_NUMBER})\s*(?:,\s*{_JSON_NUMBER}\s*){{2}},\s*[\[\"]", re.I | re.A
)
# Whombat and GeoJSON give an event as coordinates, and others name lists of pairs.
_SHAPE = re.compile(
    r"\"type\"\s*:\s*\"(?:BoundingBox|TimeInterval|TimeStamp)\"\s*,\s*\"coordinates\"\s*:\s*\[?\s*\d", re.A
)
_PAIRS = re.compile(
    rf"\"(?:\w*_)?(?:segment|interval|region|event|call|span|timestamp)s?\"\s*:\s*\[\s*\[\s*({_JSON_NUMBER})\s*,"
    rf"\s*({_JSON_NUMBER})\s*\]",
    re.I | re.A,
)
_LIST_OF_LINES = re.compile(rf":[ \t]*\r?\n[ \t]*-[ \t]+({_NUMBER})[ \t]*(?=\r?\n|\Z)", re.I | re.A)
_LEAF = re.compile(r"<([\w.:-]+)(?:\s[^<>\d]*)?>([^<>]*)</\1>")
_EXPORT = re.compile(r"\s*\{(?=[^{}]*\"format\"\s*:).*\"sheets\"\s*:\s*\[", re.S)


def is_review_export(text: str) -> bool:
    """Return whether a text is the beginning of the record that ``ossicle review export`` writes.

    >>> is_review_export('{"format": 1, "id": "a", "sheets": []}'), is_review_export('{"sheets": []}')
    (True, False)
    """
    return _EXPORT.match(text) is not None


def holds_times(text: str, suffix: str) -> bool:
    """Return whether a text names starts and ends of annotations.

    Parameters
    ----------
    text
        The beginning of a file.
    suffix
        The suffix of the file in lower case: ``.json``, ``.data``, ``.jsonl``, ``.xml``, ``.yaml`` or ``.yml``.

    Returns
    -------
    bool
        Whether it holds annotations, as far as its keys say.

    Examples
    --------
    >>> holds_times('[{"start": 1, "end": 2}]', ".json"), holds_times("lr: {start: 0.1, end: 0.001}", ".yaml")
    (True, False)
    """
    if suffix in (".json", ".jsonl", ".data") and (
        _SHAPE.search(text) or any(_ascends(pair) for form in (_BOX, _PAIRS) for pair in form.finditer(text))
    ):
        return True
    n_objects = 0
    for content, is_one in _elements(text) if suffix == ".xml" else _objects(text, suffix):
        start, end = _START.search(content), _END.search(content)
        if start is None or end is None or _OF_MEDIA.search(content):
            continue
        n_objects += 1
        if n_objects == 2 or is_one or (start["list"] and end["list"]) or _LABEL.search(content):
            return True
    return False


def is_span_in_json(cell: str) -> bool:
    """Return whether a cell of a table is a start and an end as JSON: a list of two numbers, or objects with such keys.

    Parameters
    ----------
    cell
        The cell without its quotes.

    Returns
    -------
    bool
        Whether it holds the times of annotations.

    Examples
    --------
    >>> is_span_in_json("[1.25, 2.5]"), is_span_in_json('[{"start": 1, "end": 2}]'), is_span_in_json("[2, 1]")
    (True, True, False)
    """
    bare = cell.strip()
    if pair := _PAIR.fullmatch(bare):
        return _ascends(pair)
    return bare.startswith(("[", "{")) and holds_times(bare, ".json")


def _ascends(pair: re.Match[str]) -> bool:
    return float(pair[1]) < float(pair[2])


def _elements(text: str) -> Iterator[tuple[str, bool]]:
    """Return the attributes of each element with its children of only text, and whether its name is that of a label."""
    for element in _LEAF.sub(r' \1="\2" ', text).split("<"):
        name = element[:40].replace(">", " ").split(" ")[0]
        yield element, _LABEL.fullmatch(f"{name}=") is not None


def _objects(text: str, suffix: str) -> Iterator[tuple[str, bool]]:
    """Return the content of each object without the objects in it, and whether it stands in a list."""
    open_objects: list[tuple[list[str], bool]] = [([], False)]
    gap = ""
    for piece in re.findall(r"[{}]|[^{}]+", _COLUMN.sub(r"[\1]", text)):
        if piece == "{":
            before = gap.rstrip()
            in_list = before.endswith(("[", ",", "-")) if before else suffix == ".jsonl"
            open_objects.append(([], in_list))
        elif piece == "}" and len(open_objects) > 1:
            content, in_list = open_objects.pop()
            yield "".join(content), in_list
        else:
            open_objects[-1][0].append(piece)
        gap = "" if piece in "{}" else piece
    for content, in_list in open_objects[1:]:
        yield "".join(content), in_list
    if suffix in (".yaml", ".yml"):
        yield from _indented_objects("".join(open_objects[0][0]))


def _indented_objects(text: str) -> Iterator[tuple[str, bool]]:
    """Return the lines of each object of YAML, by their indentation, and whether a dash begins it."""
    lines_of: dict[int, list[str]] = defaultdict(list)
    dashes: set[int] = set()
    for line in _LIST_OF_LINES.sub(r": [\1,", text).splitlines(keepends=True):
        bare = line.lstrip(" -")
        if not bare.strip() or bare.startswith("#"):
            continue
        marker = line[: len(line) - len(bare)]
        indent, dash = len(marker), marker.find("-")
        for deeper in [one for one in lines_of if one > indent or one > dash >= 0]:
            yield "".join(lines_of.pop(deeper)), deeper in dashes
            dashes.discard(deeper)
        lines_of[indent].append(bare)
        if dash >= 0:
            dashes.add(indent)
    for indent, lines in lines_of.items():
        yield "".join(lines), indent in dashes
