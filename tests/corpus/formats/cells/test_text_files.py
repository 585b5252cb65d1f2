"""Encodings: known ones are read, plausible Windows-1252 is read and said, everything else is refused by name."""

from pathlib import Path

import pytest

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.text_files import load_text

WESTERN = ["Käuzchen", "Größe", "Mésange bleue", "créée", "25°C, Bläßhuhn", "ÄRGER", "Østerled", "Señor’s"]
OTHERS = [
    *[("cp932", word) for word in ("ウグイス", "シジュウカラ", "鳥", "モズ", "ｳｸﾞｲｽ")],
    *[("euc_jp", "ヒヨドリ"), ("gbk", "大山雀"), ("gbk", "忍者"), ("big5", "烏鴉"), ("cp949", "바다"), ("cp949", "새")],
    *[("cp1251", "Синица"), ("cp1251", "да"), ("koi8-r", "Синица"), ("cp866", "вяз"), ("cp1253", "Σπίνος")],
    *[("cp1250", "pokląskwa"), ("cp1250", "żuraw")],
]


@pytest.mark.parametrize("word", WESTERN)
def test_western_text_in_windows_1252_is_read_and_said(tmp_path: Path, word: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(f"1,2,{word}\n".encode("cp1252"))
    text = load_text(path)
    assert text.text == f"1,2,{word}\n"
    assert "was read as Windows-1252" in text.guessed


@pytest.mark.parametrize(("encoding", "word"), OTHERS)
def test_other_encodings_are_refused_and_never_read_as_western(tmp_path: Path, encoding: str, word: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(f"start_time,end_time,label\n1,2,{word}\n".encode(encoding))
    with pytest.raises(FormatError, match=r"x\.csv, line 2: is not text in UTF-8.*save it again as UTF-8"):
        load_text(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_is_read_without_a_guess(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("1,2,ウグイス\n".encode(encoding))
    assert load_text(path).text == "1,2,ウグイス\n"
    assert load_text(path).guessed == ""


@pytest.mark.parametrize("encoding", ["utf-32-le", "utf-32-be"])
def test_utf_32_is_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.csv").write_bytes("\ufefflabel\nKäuzchen\n".encode(encoding))
    assert load_text(tmp_path / "a.csv").text == "label\nKäuzchen\n"


def test_broken_utf_16_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("ab".encode("utf-16") + b"\xd8")
    with pytest.raises(FormatError, match="not complete text in UTF-16"):
        load_text(path)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (
            b"PK\x03\x04\x14\0\x06\0\xff\xfe",
            "is an Excel workbook or another packed file, not text; save each sheet as CSV",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x9d", "is an Excel workbook of the old kind"),
        (b"PAR1\x15\0\x9dPAR1", "is a Parquet table, not text; rename it to .parquet"),
        (b"\x1f\x8b\x08\0\x9d", "is compressed by gzip, not text; unpack it"),
    ],
)
def test_files_that_are_no_text_are_named_as_what_they_are(tmp_path: Path, raw: bytes, words: str) -> None:
    (tmp_path / "x.csv").write_bytes(raw)
    with pytest.raises(FormatError, match=words):
        load_text(tmp_path / "x.csv")


def test_a_label_may_begin_like_a_parquet_table(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("PAR1,2\n")
    assert load_text(tmp_path / "x.csv").text == "PAR1,2\n"
