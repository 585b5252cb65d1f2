"""Targets for what describes a corpus: tables of labels, manifests of events, corrected tables, names and templates."""

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from ossicle.app.project.load import load_project
from ossicle.app.project.scaffolding.hit_folders import drum_labels, hit_folders
from ossicle.app.project.scaffolding.label_tables import read_label_table
from ossicle.app.project.scaffolding.scaffold import Wishes, scaffold
from ossicle.app.project.scaffolding.state_scaffold import fields_of_names, fields_of_table
from ossicle.artefacts.roots import Roots
from ossicle.audio.wav import write_wav
from ossicle.core.decisions.state_words import state_of_word, word_for_on
from ossicle.core.errors import FormatError
from ossicle.corpus.formats.joined_labels import SEPARATORS, joined_labels, split_labels
from ossicle.corpus.formats.label_map import parse_label_map, twins
from ossicle.corpus.formats.reading.folder_reader import read_sources
from ossicle.corpus.formats.reading.unread_files import unread_table
from ossicle.corpus.formats.registry import ReadOptions
from ossicle.corpus.indexing.corpus_index import index_corpus
from ossicle.corpus.indexing.metadata_table import read_metadata
from ossicle.corpus.indexing.settings import CorpusSettings
from ossicle.corpus.manifest.event_blocks import manifest_blocks
from ossicle.corpus.manifest.manifest_index import ImportFolders, index_manifest
from ossicle.corpus.manifest.verification import verify_manifest
from ossicle.corpus.naming.clip_name_template import ClipNames
from ossicle.corpus.naming.globs import Globs
from ossicle.corpus.naming.name_template import infer_template
from ossicle.corpus.naming.name_templates import Templates
from ossicle.corpus.naming.start_times import start_time_of
from ossicle.corpus.naming.table_names import table_places
from ossicle.corpus.review.answers import answers
from ossicle.corpus.review.tables import CSV, EXPORT, read_export, read_returned

from .reading import read_or_refuse, run_or_refuse, written

RECORDINGS = ("a.wav", "b/a.wav", "c.wav", "d.wav")
"""The recordings of the corpus that tables of a target describe."""


def labels(content: bytes, folder: Path) -> None:
    """Give a text to what reads tables of whole recordings, with and without a character between labels."""
    path = written(content, folder, (".csv", ".tsv", ".txt"))
    read_or_refuse(lambda place: unread_table(place, place.name), path)
    read_or_refuse(lambda place: fields_of_table(place, "filename"), path)

    def described(place: Path) -> None:
        table = read_label_table(place, [name.removesuffix(".wav") for name in RECORDINGS])
        for separator in dict.fromkeys((table.separator, "", ";", " ")):
            metadata = read_metadata(place, RECORDINGS, table.metadata, ("site",), separator)
            assert all(row.labels or not table.metadata.label_column for row in metadata.rows.values())

    read_or_refuse(described, path)


def projects(content: bytes, folder: Path) -> None:
    """Begin a project with a table: what ``ossicle new`` writes must load, and its corpus must be read or refused."""
    path = written(content, folder, (".csv", ".tsv", ".txt"))
    audio = _audio(folder)
    for recipe, wishes in (
        ("birds", Wishes(audio, labels=str(path))),
        ("birds", Wishes(audio, labels="folder", groups=path)),
        ("appliances", Wishes(audio, labels=str(path))),
        ("tapes", Wishes(audio, annotations=path)),
    ):
        run_or_refuse(lambda recipe=recipe, wishes=wishes: _begin(recipe, folder / "project", wishes, path))


def separators(content: bytes, folder: Path) -> None:
    """Give a table of events to the index, with every character between labels; the second byte picks it."""
    path = written(content[:1] + content[2:], folder, (".csv", ".tsv", ".txt"))
    separator = ("", *SEPARATORS)[content[1] % (len(SEPARATORS) + 1) if len(content) > 1 else 0]
    settings = CorpusSettings(audio="audio", label_separator=separator, decode=False, default_label="call")

    def index() -> None:
        found = index_corpus(_audio(folder), path, settings, hashed=False)
        assert not separator or all(separator not in label for label in found.annotations.label_counts()), separator
        joined_labels(list(found.annotations.label_counts()))

    run_or_refuse(index)
    read_or_refuse(lambda place: read_sources(place, ReadOptions()), path)


def events(content: bytes, folder: Path) -> None:
    """Give bytes to the readers of manifests; the size of blocks must not change what they hold."""
    path = folder / "events.jsonl"
    path.write_bytes(content)
    roots = Roots({}, [_audio(folder)])
    read_or_refuse(lambda place: list(manifest_blocks(place)), path)
    counts = set()
    for block_bytes in (1 << 20, 64):
        try:
            blocks = list(manifest_blocks(path, skip_bad=True, block_bytes=block_bytes))
        except FormatError:
            continue
        counts.add((sum(block.n_events for block in blocks), sum(block.n_bad for block in blocks)))
    assert len(counts) < 2, counts
    read_or_refuse(lambda place: verify_manifest(place, roots, skip_bad=True), path)
    settings = CorpusSettings(audio="audio", manifest=str(path), skip_bad=True, decode=False, max_missing=1.0)
    folders = ImportFolders(folder / "blocks", folder / "hits")
    for target in (folders.blocks, folders.hits):
        target.mkdir(exist_ok=True)
        for file in target.rglob("*"):
            if file.is_file():
                file.unlink()
    run_or_refuse(lambda: index_manifest(path, roots, settings, folders, group="source_set"))


def corrections(content: bytes, folder: Path) -> None:
    """Give bytes to the readers of a returned review: the first line is the record of the export if it is JSON."""
    first, _, rest = content.partition(b"\n")
    (folder / EXPORT).write_bytes(first if first.startswith(b"{") else _EXPORT)
    names = [CSV, "a.txt", "a.Table.1.selections.txt"]
    for name in names:
        (folder / name).write_bytes(rest if first.startswith(b"{") else content)

    def read(place: Path) -> None:
        export = read_export(place.parent)
        answers(export, read_returned(place.parent, export), new_labels=("wren",))

    run_or_refuse(lambda: read(folder / EXPORT))


def names(content: bytes, folder: Path) -> None:
    """Give texts to templates, globs and what else reads names: the first line is the pattern, the others names."""
    pattern, *rest = content.decode(errors="surrogateescape").split("\n")
    paths = [name for name in rest if name and "\0" not in name]

    def templates() -> None:
        read = Templates(pattern)
        for name in paths:
            assert (read.parse(name) is None) == bool(read.mismatch_in_words(name) or not read.texts), name
        if read.texts:
            fields_of_names(read)

    def clips() -> None:
        read = ClipNames([pattern], "s")
        for name in paths:
            read.parse(name)

    def label_maps() -> None:
        label_map = parse_label_map([pattern], "corpus.label_map")
        for name in paths:
            label_map.name(name)

    for work in (templates, clips, label_maps):
        run_or_refuse(work)
    with suppress(ValueError):
        globs = Globs([pattern])
        for name in paths:
            globs.match(name)
    run_or_refuse(lambda: infer_template(paths, pattern))
    for name in paths:
        start_time_of(name)
        state_of_word(name)
        split_labels(name, pattern[:1])
    word_for_on(paths)
    twins(paths)
    joined_labels(paths)
    run_or_refuse(lambda: table_places(paths))
    drums = drum_labels(dict.fromkeys(paths, ("",)))
    drums.in_words()
    run_or_refuse(lambda: hit_folders([f"{name}.wav" for name in paths], folder).in_words())


_EXPORT = json.dumps(
    {
        "format": 1,
        "id": "0" * 12,
        "provenance": {},
        "labels": ["call"],
        "high_hz": 4000.0,
        "sheets": [
            {
                "recording_id": "0" * 16,
                "path": "a.wav",
                "digest": "",
                "duration_s": 10.0,
                "looks": [
                    {
                        "start_s": 1.0,
                        "end_s": 3.0,
                        "reasons": ["uncertain"],
                        "rows": [
                            {
                                "start_s": 1.5,
                                "end_s": 2.0,
                                "label": "call",
                                "score": 0.5,
                                "low_hz": None,
                                "high_hz": None,
                                "quality": None,
                                "reason": "uncertain",
                            }
                        ],
                    }
                ],
            }
        ],
        "tables": {CSV: "", "a.txt": "", "a.Table.1.selections.txt": ""},
    }
).encode()


def _audio(folder: Path) -> Path:
    """Return a folder with a second of sound for each of the recordings; made once."""
    audio = folder / "audio"
    for name in RECORDINGS:
        if not (file := audio / name).exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            write_wav(file, np.full(1000, 0.1, np.float32), 1000)
    return audio


def _begin(recipe: str, folder: Path, wishes: Wishes, table: Path) -> None:
    file = scaffold(recipe, folder, wishes, force=True)
    try:
        project = load_project(file)
    except Exception as problem:
        raise AssertionError(f"{file.read_text()}\n{problem}") from problem
    corpus = project.settings.corpus
    index_corpus(
        wishes.audio,
        wishes.annotations,
        replace(corpus, decode=False),
        group=project.settings.split.group,
        metadata_table=table if corpus.metadata.table else None,
        hashed=False,
    )
