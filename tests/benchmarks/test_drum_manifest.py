"""The synthetic manifest: its counts, its determinism, its recordings, and the obvious loop over it."""

import json
import wave
from pathlib import Path


def test_it_has_the_events_sessions_and_kits_that_were_asked_for(tmp_path: Path) -> None:
    from drum_manifest import LABELS, SOURCES, write_manifest

    path = write_manifest(tmp_path, 2000, 12, 5, audio="silent")
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(events) == 2000
    assert len({event["session_id"] for event in events}) == 12
    assert len({event["kit_id"] for event in events}) == 5
    assert {event["source_set"] for event in events} == {one.name for one in SOURCES}
    assert len({event["event_id"] for event in events}) == 2000
    assert {part["label"] for event in events for part in event["components"]} <= set(LABELS)
    assert any(len(event["components"]) == 2 for event in events)


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    from drum_manifest import write_manifest

    first, second = write_manifest(tmp_path / "a", 500, 6), write_manifest(tmp_path / "b", 500, 6)
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes() != write_manifest(tmp_path / "c", 500, 6, seed=1).read_bytes()


def test_each_session_has_a_recording_that_holds_its_hits(tmp_path: Path) -> None:
    from drum_manifest import sessions, write_manifest

    write_manifest(tmp_path, 400, 5, audio="silent", rate=1000)
    for session in sessions(400, 5):
        with wave.open(str(tmp_path / "audio" / session.source.name / session.audio_path)) as sound:
            assert sound.getnframes() == round(session.duration_s * 1000)
            frames = sound.readframes(sound.getnframes())
            assert len(frames) == 2 * sound.getnframes()
            assert int.from_bytes(frames[:4], "little") == session.number
        assert session.onset_s.min() > 0
        assert session.onset_s.max() < session.duration_s


def test_hits_are_heard_where_the_manifest_says(tmp_path: Path) -> None:
    from drum_manifest import sessions, write_manifest

    write_manifest(tmp_path, 40, 4, audio="hits", rate=8000)
    session = next(sessions(40, 4))
    with wave.open(str(tmp_path / "audio" / session.source.name / session.audio_path)) as sound:
        samples = memoryview(sound.readframes(sound.getnframes())).cast("h")
    first = round(float(session.onset_s[0]) * 8000)
    assert max(map(abs, samples[first : first + 800])) > 10 * max(map(abs, samples[: first - 1]))


def test_the_obvious_loop_counts_labels_and_missing_recordings(tmp_path: Path) -> None:
    from drum_manifest import obvious, root_map, write_manifest

    path = write_manifest(tmp_path, 300, 4, audio="silent", rate=1000)
    roots = dict(one.split("=", 1) for one in root_map(tmp_path)[1::2])
    labels, missing = obvious(path, roots)
    assert sum(labels.values()) >= 300
    assert missing == {}
    (tmp_path / "audio" / "enst" / "enst_00000" / "mix.wav").unlink()
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert obvious(path, roots)[1] == {"enst": sum(event["source_set"] == "enst" for event in events)}
