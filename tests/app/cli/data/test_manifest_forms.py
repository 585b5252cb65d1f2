"""Manifests in another form, or with other times, are refused as what they are, with a remedy that works."""

import bz2
import gzip
import json
import lzma
import subprocess
import zipfile
from pathlib import Path

import polars as pl
import pytest

from ossicle.core.errors import FormatError
from ossicle.corpus.manifest.byte_blocks import block_count

from ....made_up.manifest_lines import line, write

LINES = "\n".join([line(), line("snare", onset_time=2)]) + "\n"
EVENTS = [json.loads(one) for one in LINES.splitlines()]
TABLE = "session_id,source_set,audio_path,onset_time,label\ns1,groove,s1/mix.wav,1.25,kick\n"
OTHER = {
    "gzip": (gzip.compress(LINES.encode()), "is compressed with gzip and no manifest: unpack it first: gunzip -k"),
    "bzip2": (bz2.compress(LINES.encode()), "compressed with bzip2"),
    "xz": (lzma.compress(LINES.encode()), "compressed with xz"),
    "utf-16": (LINES.encode("utf-16"), "is text in UTF-16 and no manifest: save it as UTF-8"),
    "array": (
        json.dumps(EVENTS, indent=1).encode(),
        "is one JSON array and no manifest: write its objects as lines: jq",
    ),
    "one line array": (json.dumps(EVENTS).encode(), "is one JSON array"),
    "indented": ("\n".join(json.dumps(one, indent=2) for one in EVENTS).encode(), "JSON over several lines"),
    "csv": (TABLE.encode(), "is a table with headings and no manifest: write a JSON object for each event"),
    "excel": (b"\xef\xbb\xbf" + TABLE.replace(",", ";").encode(), "is a table with headings"),
    "tsv": (TABLE.replace(",", "\t").encode(), "is a table with headings"),
}


@pytest.mark.parametrize("form", OTHER)
@pytest.mark.parametrize("command", ["verify", "health", "new"])
def test_another_form_is_refused_as_what_it_is(ossicle, tmp_path: Path, form: str, command: str) -> None:
    content, words = OTHER[form]
    (tmp_path / "events.jsonl").write_bytes(content)
    given = ("new", "drums", tmp_path / "p", "--manifest") if command == "new" else ("dataset", command)
    said = ossicle(*given, tmp_path / "events.jsonl", *(() if command == "health" else ("--skip-bad",)))
    assert said.code == 2
    assert words in " ".join(said.err.split())


def test_archives_and_parquet_too(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("events.jsonl", LINES)
    pl.DataFrame(EVENTS).write_parquet(tmp_path / "b.parquet")
    for name, words in (("a.zip", "compressed with zip"), ("b.parquet", "a Parquet table")):
        with pytest.raises(FormatError, match=words):
            block_count(tmp_path / name)


def test_the_remedy_of_gzip_works(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl.gz").write_bytes(gzip.compress(LINES.encode()))
    with pytest.raises(FormatError) as refused:
        block_count(tmp_path / "events.jsonl.gz")
    subprocess.run(str(refused.value).rpartition(": ")[2], shell=True, cwd=tmp_path, check=True)
    assert (tmp_path / "events.jsonl").read_text() == LINES


@pytest.mark.parametrize("text", [LINES, "\n\n" + LINES, "\ufeff" + LINES.replace("\n", "\r\n"), "", "{", "no JSON\n"])
def test_lines_of_json_and_what_their_reader_judges_pass(tmp_path: Path, text: str) -> None:
    path = write(tmp_path)
    path.write_text(text, encoding="utf-8")
    assert block_count(path) == (1 if text else 0)
