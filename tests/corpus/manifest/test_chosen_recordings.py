"""Which recordings of a manifest are used: globs, limits, fields from a table."""

from pathlib import Path
from typing import Any

import pytest

from ossicle.artefacts.roots import Roots
from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.indexing.metadata_table import MetadataSettings
from ossicle.corpus.indexing.settings import CorpusSettings
from ossicle.corpus.manifest.manifest_index import index_manifest

from ...made_up.manifest_lines import line, write
from .indexed_manifests import folders, sound


def three_recordings(folder: Path) -> Path:
    """A manifest of three recordings of two sources; both sources have `s1/mix.wav`."""
    for path in ("a/s1/mix.wav", "a/s2/mix.wav", "b/s1/mix.wav"):
        sound(folder / "roots" / path)
    return write(
        folder,
        line("kick", source_set="a"),
        line("snare", source_set="a", onset_time=2),
        line("kick", source_set="a", audio_path="s2/mix.wav", session_id="s2"),
        line("crash", source_set="b", session_id="s3", kit_id="k9"),
    )


def of_sources(manifest: Path, table: Path | None = None, **changed: Any) -> CorpusIndex:
    settings = CorpusSettings(audio="audio", manifest="events.jsonl", **changed)
    roots = Roots({name: [manifest.parent / "roots" / name] for name in "ab"})
    return index_manifest(
        manifest, roots, settings, folders(manifest.parent / "out"), group="session", metadata_table=table
    )


@pytest.mark.parametrize(
    ("changed", "left", "unused"),
    [
        ({"include": ("s1/**",)}, ["a/s1/mix.wav", "b/s1/mix.wav"], 1),
        ({"exclude": ("s1",)}, ["a/s2/mix.wav"], 3),
        ({"include": ("**/mix.wav",), "exclude": ("s2/*",)}, ["a/s1/mix.wav", "b/s1/mix.wav"], 1),
    ],
)
def test_globs_choose_recordings_by_their_paths(
    tmp_path: Path, changed: dict[str, Any], left: list[str], unused: int
) -> None:
    index = of_sources(three_recordings(tmp_path), **changed)
    assert [f"{recording.root}/{recording.path}" for recording in index.recordings] == left
    assert len(index.annotations) == 4 - unused
    (note,) = [note for note in index.notes if note.kind == "not_chosen"]
    assert note.message.startswith(f"{unused} events belong to ")
    assert note.lost == unused
    assert not index.left_out


def test_a_limit_of_recordings_takes_from_all_folders(tmp_path: Path) -> None:
    index = of_sources(three_recordings(tmp_path), most=2)
    assert len(index.recordings) == 2
    assert len({(recording.root, recording.path.partition("/")[0]) for recording in index.recordings}) == 2
    assert any(note.kind == "not_chosen" for note in index.notes)


def test_excluded_recordings_may_be_missing_and_idle_globs_are_named(tmp_path: Path) -> None:
    path = three_recordings(tmp_path)
    (tmp_path / "roots" / "a" / "s2" / "mix.wav").unlink()
    index = of_sources(path, exclude=("s2/**", "nowhere/**"))
    assert len(index.recordings) == 2
    assert [note.message for note in index.notes if note.kind == "glob_unused"] == [
        "'nowhere/**' matches no recording of the manifest"
    ]
    with pytest.raises(UsageError, match=r"leave none of the 3 recordings of the manifest, such as 's1/mix.wav'"):
        of_sources(path, include=("S1/**",))


def test_a_table_gives_recordings_further_fields(tmp_path: Path) -> None:
    path = three_recordings(tmp_path)
    (tmp_path / "t.csv").write_text("filename,drummer,kit\na/s1/mix.wav,Ann,k1\nb/s1/mix.wav,Bo,k2\ns2/mix.wav,Cy,\n")
    metadata = {"label_column": "", "table": "t.csv"}
    index = of_sources(path, tmp_path / "t.csv", metadata=MetadataSettings(**metadata))
    fields = {
        f"{recording.root}/{recording.path}": (recording.fields["drummer"], recording.fields.get("kit"))
        for recording in index.recordings
    }
    # What the events say of the kit stays.
    assert fields == {"a/s1/mix.wav": ("Ann", "k1"), "a/s2/mix.wav": ("Cy", None), "b/s1/mix.wav": ("Bo", "k9")}
    index = of_sources(path, tmp_path / "t.csv", metadata=MetadataSettings(**metadata, overrides=True))
    assert [recording.fields.get("kit") for recording in index.recordings] == ["k1", None, "k2"]


def test_a_row_that_fits_two_sources_or_none_is_named(tmp_path: Path) -> None:
    path, table = three_recordings(tmp_path), tmp_path / "t.csv"
    chosen = MetadataSettings(table="t.csv", label_column="")
    table.write_text("filename,drummer\ns2/mix.wav,Cy\ns7/mix.wav,Di\n")
    index = of_sources(path, table, metadata=chosen, exclude=("s2",))
    assert [(left_out.path, "line 3" in left_out.reason) for left_out in index.left_out] == [("s7/mix.wav", True)]
    table.write_text("filename,drummer\ns1/mix.wav,Ann\n")
    with pytest.raises(FormatError, match=r"line 2: 's1/mix.wav'.*a/s1/mix.wav.*b/s1/mix.wav"):
        of_sources(path, table, metadata=chosen)


def test_labels_of_a_table_are_refused_beside_a_manifest() -> None:
    with pytest.raises(ValueError, match=r'metadata.label_column = .* set metadata.label_column = ""'):
        CorpusSettings(audio="a", manifest="m.jsonl", metadata=MetadataSettings(table="t.csv"))
