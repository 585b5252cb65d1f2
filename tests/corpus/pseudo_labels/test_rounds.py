"""Rounds of pseudo-labels on disk: whole or absent, and whom each of their views may teach."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.artefacts.files import read_json
from ossicle.artefacts.tables import read_table, write_table
from ossicle.core.errors import FormatError, SplitError, UsageError
from ossicle.corpus.pseudo_labels.rounds import (
    RoundHead,
    View,
    choose_view,
    chosen_rounds,
    next_number,
    read_head,
    read_windows,
    round_digest,
    round_folders,
    round_path,
    write_round,
)
from ossicle.corpus.pseudo_labels.settings import PseudoSettings
from ossicle.corpus.pseudo_labels.windows import Labelled, gather, keep_windows

from ...doubles.kills import NEVER, run_dying
from .test_windows import LABELS, recording

ABOUT = {"labels": list(LABELS), "core_frames": 4, "hop_s": 0.5, "group": "site"}
IDS = ("r0", "r1", "r2", "r3")
some = st.frozensets(st.sampled_from(IDS))


def labelled(*numbers: int) -> Labelled:
    return Labelled(*(frozenset(f"{kind}{n}" for n in numbers) for kind in ("r", "d", "g")))


def views(seed: int = 0) -> dict[str, View]:
    rng = np.random.default_rng(seed)
    out = {}
    for name, taught in (("fold0", (1, 2)), ("fold1", (0, 2)), ("final", (0, 1, 2))):
        tracks = [rng.random((10, 3), np.float32) for _ in range(2)]
        kept_windows = [
            (recording(f"u{i}"), keep_windows(track, 4, 0.5, 0.1, 2), i == 0) for i, track in enumerate(tracks)
        ]
        out[name] = View({name: "weights"}, gather(LABELS, kept_windows), labelled(*taught))
    return out


def test_a_round_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path, written = round_path(tmp_path, next_number(tmp_path)), views()
    write_round(path, written, {**ABOUT, "number": 1})
    assert path.name == "round-001"
    head = read_head(path)
    assert (head.name, head.labels, head.core_frames, head.hop_s, head.group) == ("round-001", LABELS, 4, 0.5, "site")
    assert head.about["number"] == 1
    assert head.taught == {name: view.taught for name, view in written.items()}
    for name, view in written.items():
        windows = read_windows(head, name)
        assert len(windows) == len(view.windows) > 0
        for i in range(len(windows)):
            np.testing.assert_array_equal(windows.target(i, 4), view.windows.target(i, 4))
        for column in ("recordings", "digests", "start_frames", "top", "scores", "heard"):
            np.testing.assert_array_equal(getattr(windows, column), getattr(view.windows, column))
    again = tmp_path / "again" / "round-001"
    write_round(again, dict(reversed(written.items())), {"number": 1, **ABOUT})
    assert round_digest(again) == round_digest(path)


def test_a_round_with_files_of_the_user_is_not_replaced(tmp_path: Path) -> None:
    path = round_path(tmp_path, 1)
    write_round(path, views(), ABOUT)
    write_round(path, views(), ABOUT, replace=True)
    (path / "NOTES.md").write_text("mine")
    with pytest.raises(UsageError, match=r"would be lost: NOTES\.md; move that out of there"):
        write_round(path, views(), ABOUT, replace=True)
    assert (path / "NOTES.md").read_text() == "mine"


def test_rounds_are_chosen_by_number(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        write_round(round_path(tmp_path, number), views(number), ABOUT)
    (tmp_path / "round-003.json").write_text("{}")
    assert next_number(tmp_path) == 11

    def names(**settings: Any) -> list[str]:
        return [
            chosen_round.name for chosen_round in chosen_rounds(tmp_path, PseudoSettings(**{"audio": "x", **settings}))
        ]

    assert names() == ["round-010"]
    assert names(up_to=9) == ["round-002"]
    assert names(rounds="all", up_to=9) == ["round-002", "round-001"]
    assert names(rounds="none") == names(audio="") == []
    assert round_folders(tmp_path / "nowhere") == []


@given(st.dictionaries(st.sampled_from(("p", "q", "r", "s")), some.filter(bool), min_size=1), some)
def test_no_view_teaches_whoever_holds_out_what_taught_it(
    taught: dict[str, frozenset[str]], held: frozenset[str]
) -> None:
    members = {name: {str(i): "w" for i in range(len(ids))} for name, ids in taught.items()}
    head = RoundHead(Path("x"), LABELS, 1, 1.0, "site", members, {n: Labelled(ids) for n, ids in taught.items()}, {})
    free = [name for name, ids in taught.items() if not ids & held]
    if not free:
        with pytest.raises(SplitError, match="made under another split"):
            choose_view(head, Labelled(held), "site", "m")
        return
    chosen = choose_view(head, Labelled(held), "site", "m")
    assert chosen in free
    assert len(members[chosen]) == max(len(members[name]) for name in free)


def test_bytes_and_groups_are_held_out_as_well(tmp_path: Path) -> None:
    path = round_path(tmp_path, 1)
    write_round(path, views(), ABOUT)
    head = read_head(path)
    assert choose_view(head, labelled(0), "site", "fold0") == "fold0"
    assert choose_view(head, Labelled(), "site", "final") == "final"
    # Renamed, its bytes tell; another recording of its site, the site does, where it is a site in both.
    assert choose_view(head, Labelled(frozenset({"new"}), frozenset({"d1"})), "site", "x") == "fold1"
    moved = Labelled(frozenset({"new"}), frozenset({"other"}), frozenset({"g1"}))
    assert choose_view(head, moved, "site", "x") == "fold1"
    assert choose_view(head, moved, "tape", "x") == "final"
    with pytest.raises(SplitError, match=r"round-001: every model .* 'fold2' holds out"):
        choose_view(head, labelled(2), "site", "fold2")


def _table(name: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        frame = change(read_table(path / name))
        write_table(path / name, frame, frame.columns[:2])

    return apply


def _about(change: Callable[[Any], object]) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        content = read_json(path / "round.json")
        change(content)
        (path / "round.json").write_text(json.dumps(content))

    return apply


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: (path / "round.json").write_text("{"),
        lambda path: (path / "taught.parquet").unlink(),
        lambda path: (path / "windows.parquet").write_bytes(b"PAR1"),
        lambda path: (path / "targets.parquet").unlink(),
        _about(lambda content: content.update(format=2)),
        _about(lambda content: content.update(core_frames=0)),
        _about(lambda content: content.update(labels=["a", "a"])),
        _about(lambda content: content.pop("views")),
        _about(lambda content: content.update(core_frames=1)),
        _about(lambda content: content.update(labels=["a"])),
        # Without who taught it, a view would be free for all.
        _table("taught.parquet", lambda frame: frame.filter(frame["view"] != "fold0")),
        _table("taught.parquet", lambda frame: frame.with_columns(kind=pl.lit("names"))),
        _table("windows.parquet", lambda frame: frame.with_columns(pl.col("window") + 1)),
        _table("windows.parquet", lambda frame: frame.with_columns(pl.col("start_frame") - 100)),
        _table("windows.parquet", lambda frame: frame.drop("digest")),
        _table("targets.parquet", lambda frame: frame.with_columns(pl.col("window") + 100)),
        _table("targets.parquet", lambda frame: frame.with_columns(pl.lit(float("nan"), pl.Float32).alias("value"))),
        _table("targets.parquet", lambda frame: frame.with_columns(pl.col("value") + 1)),
    ],
)
def test_a_damaged_round_is_refused_with_its_name(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    path = round_path(tmp_path, 1)
    write_round(path, views(), ABOUT)
    damage(path)
    with pytest.raises(FormatError, match=r"round-001: is not a round of pseudo-labels \("):
        read_windows(read_head(path), "fold0")


WRITE = """
from pathlib import Path
import numpy as np
from ossicle.core.records import Recording
from ossicle.corpus.pseudo_labels.windows import Labelled, gather, keep_windows
from ossicle.corpus.pseudo_labels.rounds import View, round_path, write_round
kept = keep_windows(np.full((8, 1), 0.75, np.float32), 4, 0.5, 0.1, 2)
found = gather(("a",), [(Recording("u", "r", "u.wav", 1000, 1, 8000, "d"), kept, False)])
view = View({"fold0": "w"}, found, Labelled(frozenset({"r1"})))
about = {"labels": ["a"], "core_frames": 4, "hop_s": 0.5, "group": "site"}
write_round(round_path(Path(sys.argv[1]), 1), {"fold0": view}, about)
"""


def test_killed_anywhere_a_round_is_whole_or_absent(tmp_path: Path) -> None:
    calls = ("fsync", "rename", "replace")
    ended = run_dying(WRITE, calls, NEVER, tmp_path / "whole")
    whole = round_digest(round_path(tmp_path / "whole", 1))
    assert ended.points is not None
    assert ended.points > 4
    n_rounds = []
    for left in (0, ended.points // 2, ended.points - 1):
        folder = tmp_path / f"killed{left}"
        assert run_dying(WRITE, calls, left, folder).killed
        folders = round_folders(folder)
        n_rounds.append(len(folders))
        assert [round_digest(path) for path in folders] == [whole] * len(folders)
        if not folders:
            run_dying(WRITE, calls, NEVER, folder)
            assert [round_digest(path) for path in round_folders(folder)] == [whole]
    assert n_rounds[0] == 0
    assert n_rounds[-1] == 1
