"""Blocks as tables: one row a component, the same for any cut into blocks, with lines from the start of the file."""

from pathlib import Path

import polars as pl
import pytest

from ossicle.core.errors import FormatError
from ossicle.corpus.manifest.event_blocks import manifest_blocks
from ossicle.corpus.manifest.event_table import EVENT_SCHEMA

from ...made_up.manifest_lines import line, write


def table(path: Path, block_bytes: int = 1 << 22, *, limit: int = 0, skip_bad: bool = False) -> pl.DataFrame:
    blocks = manifest_blocks(path, block_bytes=block_bytes, limit=limit, skip_bad=skip_bad)
    return pl.concat([block.events for block in blocks])


def test_every_field_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        line(
            components=[
                {
                    "label": " hihat_open",
                    "velocity": 0.5,
                    "dynamic_bucket": "light",
                    "openness": 1,
                    "strike_position": "x",
                },
                {"label": "kick"},
            ],
            audio_path="s1\\mix.wav",
            offset_time=2,
            duration_seconds=0.25,
            is_synthetic=True,
            techniques=["flam", "roll"],
            sample_id=17,
            drummer_id="d1",
            kit_id="k1",
            bleed_level=0.25,
            mix_context="solo",
            loudness={"LUFS_i": -14.5, "peak_dbfs": -1},
            split="train",
        ),
        line(components=[], negative_example=True, event_id=None, context_ms=None),
    )
    events = table(path)
    assert dict(events.schema) == EVENT_SCHEMA
    first, second, third = events.to_dicts()
    assert first == {
        "line": 1, "event_id": "e1", "session_id": "s1", "source_set": "groove", "audio_path": "s1/mix.wav",
        "onset_s": 1.25, "offset_s": 2.0, "pre_s": 0.08, "post_s": 0.2, "duration_s": 0.25, "is_synthetic": True,
        "negative_example": False, "techniques": ["flam", "roll"], "sample_id": "17", "drummer_id": "d1",
        "kit_id": "k1", "bleed_level": "0.25", "mix_context": "solo", "lufs": -14.5, "peak_db": -1.0,
        "split": "train", "component": 0, "label": "hihat_open", "velocity": 0.5, "dynamic_bucket": "light",
        "openness": 1.0,
    }  # fmt: skip
    assert second == first | {
        "component": 1, "label": "kick", "velocity": None, "dynamic_bucket": None, "openness": None
    }  # fmt: skip
    assert (third["component"], third["label"], third["negative_example"], third["event_id"]) == (-1, None, True, None)
    assert (third["pre_s"], third["post_s"], third["techniques"]) == (0.08, 0.2, [])


@pytest.mark.parametrize("workers", [1, 2])
def test_blocks_and_workers_do_not_change_the_table(tmp_path: Path, workers: int) -> None:
    path = write(tmp_path, *[line(("kick", "snare")[k % 2], onset_time=k, event_id=f"e{k}") for k in range(40)])
    whole = table(path)
    assert whole["line"].to_list() == list(range(1, 41))
    blocks = list(manifest_blocks(path, block_bytes=700, workers=workers))
    assert len(blocks) > 5
    assert pl.concat([block.events for block in blocks]).equals(whole)
    assert [block.number for block in blocks] == list(range(len(blocks)))
    assert sum(block.n_events for block in blocks) == sum(block.n_lines for block in blocks) == 40


def test_bad_lines_stop_or_are_skipped_with_their_numbers(tmp_path: Path) -> None:
    bad = [line(audio_path="/a.wav"), line(kit_id="k\n1"), line(techniques=["a\x07"]), line(event_id="e\u2028")]
    path = write(tmp_path, *[line()] * 5, *bad, "{", line())
    with pytest.raises(FormatError, match=r"line 6: audio_path .* is absolute"):
        table(path, 300)
    blocks = list(manifest_blocks(path, block_bytes=300, skip_bad=True))
    assert [bad_line.line for block in blocks for bad_line in block.bad] == [6, 7, 8, 9, 10]
    assert table(path, 300, skip_bad=True)["line"].to_list() == [1, 2, 3, 4, 5, 11]


@pytest.mark.parametrize("block_bytes", [150, 450, 1 << 22])
@pytest.mark.parametrize("limit", [1, 2, 4, 7])
def test_a_limit_reads_the_first_events(tmp_path: Path, block_bytes: int, limit: int) -> None:
    two = [{"label": "kick"}, {"label": "snare"}]
    path = write(tmp_path, line(), line(components=two), "", line(components=[]), line(), "{", line())
    events = table(path, block_bytes, limit=limit, skip_bad=True)
    assert events["line"].unique().sort().to_list() == [1, 2, 4, 5, 7][:limit]
    if limit <= 4:
        assert table(path, block_bytes, limit=limit).equals(events)


def test_an_empty_manifest_has_no_events(tmp_path: Path) -> None:
    assert list(manifest_blocks(write(tmp_path))) == []
    assert [manifest_block.n_events for manifest_block in manifest_blocks(write(tmp_path, "", " "))] == [0]
