"""What verification counts, the same for any number of workers, and what stops it."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.artefacts.roots import Roots
from ossicle.core.errors import FormatError
from ossicle.corpus.manifest.verification import Verification, verify_manifest

from ...made_up.manifest_lines import line, write


def roots(folder: Path, *paths: str) -> Roots:
    """A root of the source `groove` with these files."""
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    return Roots({"groove": [folder]})


def test_events_recordings_labels_and_hours_are_counted(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        line("kick"),
        line(components=[{"label": "snare"}, {"label": "kick"}], audio_path="s2/mix.wav"),
        "",
        line("kick", source_set="slakh", context_ms={"pre": 0, "post": 0}, duration_seconds=3.0),
        line("kick", source_set="slakh", context_ms={"pre": 0, "post": 0}),
        line(components=[]),
        line("crash", negative_example=True),
    )
    verification = verify_manifest(path, roots(tmp_path / "audio", "s1/mix.wav"))
    assert (verification.n_lines, verification.n_events, verification.negatives, verification.without_components) == (
        7,
        6,
        1,
        1,
    )
    assert verification.labels == {"kick": 4, "snare": 1}
    groove, slakh = verification.sources["groove"], verification.sources["slakh"]
    assert (groove.events, groove.recordings, groove.missing_events, groove.examples) == (4, 2, 1, ["s2/mix.wav"])
    assert (slakh.events, slakh.recordings, slakh.missing_events, slakh.missing_recordings) == (2, 1, 2, 1)
    assert groove.seconds == pytest.approx(3 * 0.28)
    assert slakh.seconds == pytest.approx(3.0 + 0.5)
    assert verification.over(0.0) == ["groove", "slakh"]
    assert verification.over(0.25) == ["slakh"]
    assert verification.over(1.0) == []


def oracle(text: str) -> tuple[int, Counter[str], Counter[str]]:
    """Events, labels and events by source, counted line by line."""
    labels: Counter[str] = Counter()
    sources: Counter[str] = Counter()
    events = [json.loads(line) for line in text.splitlines() if line.strip()]
    for event in events:
        sources[event["source_set"]] += 1
        if not event.get("negative_example"):
            labels.update(part["label"] for part in event["components"])
    return len(events), labels, sources


EVENTS = st.builds(
    line,
    audio_path=st.sampled_from(["a.wav", "b.wav"]),
    source_set=st.sampled_from(["groove", "slakh"]),
    components=st.lists(st.sampled_from([{"label": "kick"}, {"label": "snare"}]), max_size=3),
    negative_example=st.booleans(),
)


@settings(deadline=None)
@given(lines=st.lists(EVENTS | st.just(""), max_size=20), block_bytes=st.integers(50, 2000))
def test_counts_are_those_of_an_obvious_loop(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], block_bytes: int
) -> None:
    path = write(tmp_path_factory.mktemp("manifest"), *lines)
    verification = verify_manifest(path, Roots(), block_bytes=block_bytes)
    by_source = {name: source.events for name, source in verification.sources.items()}
    assert (verification.n_events, verification.labels, by_source) == oracle(path.read_text())


def test_workers_and_blocks_do_not_change_the_result(tmp_path: Path) -> None:
    lines = [line(("kick", "snare")[k % 2], audio_path=f"{k % 7}.wav", onset_time=k / 3) for k in range(100)]
    path = write(tmp_path, *lines, "{}", *lines)
    where = roots(tmp_path, "1.wav")
    reports = [
        verify_manifest(path, where, workers=workers, block_bytes=size, skip_bad=True).to_json()
        for workers, size in ((1, 1 << 22), (1, 500), (2, 3000))
    ]
    assert reports[0] == reports[1] == reports[2]
    assert reports[0]["first_bad_lines"] == [{"line": 101, "reason": "lacks 'source_set'"}]


@pytest.mark.parametrize("workers", [1, 2])
def test_the_first_bad_line_of_the_file_stops_it(tmp_path: Path, workers: int) -> None:
    path = write(tmp_path, *[line()] * 30, line(onset_time=-1), *[line()] * 30, "{}")
    with pytest.raises(FormatError, match=r"events\.jsonl, line 31: onset_time: .*--skip-bad"):
        verify_manifest(path, Roots(), workers=workers, block_bytes=1000)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"audio_path": "../../etc/passwd"}, "leads out of its root"),
        ({"audio_path": "/etc/passwd"}, "is absolute"),
        ({"label": "kick\x1b[31m"}, "U+001B"),
        ({"source_set": "gro\nove"}, "a line end"),
        ({"offset_time": 1.0}, "offset_time 1 is before onset_time 1.25"),
        ({"components": [{"label": "kick"}, {"label": "\u202e"}]}, "U+202E"),
        ({"components": [{"label": "\u202e"}], "negative_example": True}, "U+202E"),
    ],
)
def test_an_event_with_a_fault_is_a_bad_line(tmp_path: Path, changed: dict[str, object], reason: str) -> None:
    path = write(tmp_path, line(), line(**changed), line())
    with pytest.raises(FormatError, match="line 2") as error:
        verify_manifest(path, Roots())
    assert reason in str(error.value)
    verification = verify_manifest(path, Roots(), skip_bad=True)
    assert (verification.n_events, verification.n_bad, verification.labels) == (2, 1, {"kick": 2})
    assert [bad_line.line for bad_line in verification.bad] == [2]


def test_only_the_first_bad_lines_are_named_but_all_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path, *["{}"] * 50, line())
    verification = verify_manifest(path, Roots(), skip_bad=True, block_bytes=40)
    assert (verification.n_bad, [bad_line.line for bad_line in verification.bad], verification.n_events) == (
        50,
        list(range(1, 21)),
        1,
    )


@pytest.mark.parametrize("limit", [1, 3, 5, 9])
def test_a_limit_counts_the_first_events_and_reads_nothing_after_them(tmp_path: Path, limit: int) -> None:
    path = write(tmp_path, line("a"), "", line("b"), line("c"), line("d", components=[]), line("e"), "{}", line("f"))

    def counted() -> Verification:
        return verify_manifest(path, Roots(), limit=limit, skip_bad=True, block_bytes=300)

    verification = counted()
    assert verification.n_events == min(limit, 6)
    assert verification.n_bad == (1 if limit > 5 else 0)
    if limit <= 5:
        assert verify_manifest(path, Roots(), limit=limit).to_json()["labels"] == verification.labels


def test_a_pipe_or_a_folder_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "s1" / "mix.wav").mkdir(parents=True)
    path = write(tmp_path, line())
    assert verify_manifest(path, Roots({"groove": [tmp_path]})).sources["groove"].missing_events == 1


def test_labels_and_paths_are_counted_in_the_form_of_the_import(tmp_path: Path) -> None:
    path = write(tmp_path, line("kick", audio_path="s1\\mix.wav"), line(" kick"), line("ri\u0301de"), line("r\u00edde"))
    verification = verify_manifest(path, roots(tmp_path / "audio", "s1/mix.wav"))
    assert verification.labels == {"kick": 2, "r\u00edde": 2}
    assert (verification.sources["groove"].recordings, verification.sources["groove"].missing_events) == (1, 0)
