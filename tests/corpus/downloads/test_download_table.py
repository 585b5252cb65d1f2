from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.downloads.settings import FetchSettings
from ossicle.corpus.downloads.table import read_fetch_table
from ossicle.corpus.formats.cells.delimited import write_delimited

HEADER = ("address", "size", "sha256", "path")
SHA = "a" * 64
GOOD = ("https://x.org/a/XC1.ogg", "12", SHA, "")


def table(folder: Path, *rows: tuple[str, ...], header: tuple[str, ...] = HEADER) -> Path:
    write_delimited(folder / "files.csv", header, rows)
    return folder / "files.csv"


def test_rows_as_they_are(tmp_path: Path) -> None:
    rows = read_fetch_table(
        table(
            tmp_path, GOOD, ("file:///data/b%20c.ogg", "0", SHA.upper(), ""), ("http://x/?id=3", "5", SHA, "d/e.ogg")
        ),
        FetchSettings(),
    )
    assert [(wanted.path, wanted.size, wanted.sha256) for wanted in rows] == [
        ("XC1.ogg", 12, SHA), ("b c.ogg", 0, SHA), ("d/e.ogg", 5, SHA),
    ]  # fmt: skip
    named = FetchSettings(address_column="url", size_column="bytes", path_column="file")
    (wanted,) = read_fetch_table(table(tmp_path, GOOD, header=("url", "bytes", "sha256", "file")), named)
    assert wanted.path == "XC1.ogg"


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"address": "ftp://x.org/a"}, "is not an http, https or file address"),
        ({"address": "x.org/a"}, "is not an http"),
        ({"address": "http:///a"}, "names no machine"),
        ({"address": "file://server/a"}, "names another machine"),
        ({"address": "https://me:secret@x.org/a"}, "must not contain a user name or password"),
        ({"address": "https://x.org/a b"}, "contains blanks"),
        ({"address": "https://[x/a"}, "is not valid"),
        ({"address": "https://x.org/"}, "the path '' is not a relative path"),
        ({"address": "https://x.org/..%2F..%2Fetc"}, "is not a relative path"),
        ({"sha256": "a" * 63}, "give 64 hexadecimal digits"),
        ({"size": "-1"}, "give a whole number of bytes"),
        ({"size": "1e3"}, "give a whole number of bytes"),
        ({"path": "/etc/passwd"}, "is not a relative path"),
        ({"path": "C:/x.ogg"}, "is not a relative path"),
        ({"path": "a\\..\\..\\x.ogg"}, "is not a relative path"),
        ({"path": "a//b.ogg"}, "is not a relative path"),
        ({"path": "../x.ogg"}, "is not a relative path"),
        ({"path": "a/.ssh/x"}, "hidden or a very long name"),
        ({"path": "é" * 120}, "hidden or a very long name"),
        ({"path": "a/b?.ogg"}, "characters that not every system allows"),
        ({"path": "ossicle.local.toml"}, "has the name of a project file"),
        ({"path": "a/OSSICLE.Local.TOML"}, "has the name of a project file"),
        ({"path": "ossicle.local.toml. "}, "has the name of a project file"),
        ({"path": "oss\u200cicle.local.toml"}, "has the name of a project file"),
        ({"path": "ossicle.local.tom\uff4c"}, "has the name of a project file"),
        ({"path": "ossicle.toml"}, "has the name of a project file"),
        ({"address": "https://x.org/ossicle.local.toml", "path": ""}, "has the name of a project file"),
        ({"path": "xc0.OGG"}, "conflicts with that in line 2"),
        ({"path": "xc0.ogg/b.ogg"}, "conflicts with that in line 2"),
        ({"path": "deep"}, "conflicts with that in line 3"),
    ],
)
def test_what_is_refused_is_named_with_its_line(tmp_path: Path, cells: dict[str, str], said: str) -> None:
    row = dict(zip(HEADER, GOOD, strict=True)) | cells
    rows = [("https://x/XC0.ogg", "1", SHA, ""), ("https://x/1", "1", SHA, "deep/1.ogg"), tuple(row.values())]
    with pytest.raises(FormatError, match=rf"files\.csv, line 4: .*{said}"):
        read_fetch_table(table(tmp_path, *rows), FetchSettings())


def test_tables_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a file"):
        read_fetch_table(tmp_path / "none.csv", FetchSettings())
    with pytest.raises(UsageError, match=r"no column 'size' \(columns: address, sha256\); see fetch\.size_column"):
        read_fetch_table(table(tmp_path, header=("address", "sha256")), FetchSettings())
    with pytest.raises(UsageError, match="nothing to fetch"):
        read_fetch_table(table(tmp_path), FetchSettings())


@given(st.text(max_size=30))
def test_no_path_leaves_its_folder(tmp_path_factory: pytest.TempPathFactory, path: str) -> None:
    folder = tmp_path_factory.mktemp("paths")
    try:
        (wanted,) = read_fetch_table(table(folder, (*GOOD[:3], path)), FetchSettings())
    except (FormatError, UnicodeEncodeError):
        return
    place = Path(folder, wanted.path).resolve()
    assert place.is_relative_to(folder.resolve())
    assert place != folder.resolve()
