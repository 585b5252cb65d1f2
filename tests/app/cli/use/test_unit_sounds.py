"""``ossicle units vocoder|resynth``: units to sound and recordings to units and back, and what is refused."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from ossicle.app.api.units import resynthesis
from ossicle.artefacts.files import read_json, write_json
from ossicle.audio.pitch.settings import PitchSettings

from ....made_up.quantiser import drawn_quantiser
from ....made_up.speech_like import write_speech
from ....made_up.vocoder import HOP, RATE, drawn_vocoder
from ...conftest import Commands


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings in ``audio``, a vocoder with its quantiser in ``vocoder``, one without pitch in ``flat``."""
    folder = write_speech(tmp_path_factory.mktemp("sounds"), speakers=2, files=2, words=3)
    drawn_vocoder(folder / "vocoder")
    drawn_vocoder(folder / "flat", pitch=False, speakers=())
    return folder


def spoken(ossicle: Commands, home: Path, out: Path, *words: object) -> dict[str, Any]:
    result = ossicle("units", "vocoder", home / "vocoder", *words, "-o", out, "--json")
    assert result.code == 0, result.err
    content: dict[str, Any] = json.loads(result.out)
    return content


def sound(path: Path) -> np.ndarray:
    samples, rate = soundfile.read(path)
    assert rate == RATE
    return np.asarray(samples)


def test_every_segment_becomes_a_file_of_units_times_hop(home: Path, tmp_path: Path, ossicle: Commands) -> None:
    coded = ossicle("units", "encode", home / "vocoder", home / "audio", "-o", tmp_path / "coded")
    assert coded.code == 0, coded.err
    files = sorted((tmp_path / "coded").glob("*.units.json"))
    result = spoken(ossicle, home, tmp_path / "out", *files)
    assert len(result["written"]) == len(files) == 4
    for file in files:
        units = read_json(file)["segments"][0]["units"]
        assert len(sound(tmp_path / "out" / file.name.replace(".units.json", ".wav"))) == len(units) * HOP


def test_lines_of_a_text_are_segments_and_runs_get_durations(home: Path, tmp_path: Path, ossicle: Commands) -> None:
    (tmp_path / "units.txt").write_text("1 1 2\n3 3 3 4\n")
    spoken(ossicle, home, tmp_path / "out", tmp_path / "units.txt")
    assert [len(sound(path)) for path in sorted((tmp_path / "out").glob("*.wav"))] == [3 * HOP, 4 * HOP]
    (tmp_path / "runs.txt").write_text("1 2 3 4\n")
    plain = ossicle("units", "vocoder", home / "vocoder", tmp_path / "runs.txt", "-o", tmp_path / "plain")
    assert "no unit is repeated; if these are units without repeats, add --runs" in plain.out
    spoken(ossicle, home, tmp_path / "long", tmp_path / "runs.txt", "--runs")
    assert len(sound(tmp_path / "long" / "runs.wav")) == 4 * 3 * HOP
    assert len(sound(tmp_path / "plain" / "runs.wav")) == 4 * HOP


def test_recordings_beside_unit_files_are_not_overwritten(home: Path, tmp_path: Path, ossicle: Commands) -> None:
    path = sorted((home / "audio").iterdir())[0]
    recording = Path(shutil.copy(path, tmp_path / "a.wav"))
    assert ossicle("units", "encode", home / "vocoder", recording, "-o", tmp_path).code == 0
    result = ossicle("units", "vocoder", home / "vocoder", tmp_path / "a.units.json", "-o", tmp_path)
    assert (result.code, "a.wav lies beside" in result.err, "give another folder with --out" in result.err) == (
        2,
        True,
        True,
    )
    assert recording.read_bytes() == path.read_bytes()
    for _ in range(2):
        spoken(ossicle, home, tmp_path / "out", tmp_path / "a.units.json")


def test_files_without_units_are_named_and_segments_without_units_get_no_file(
    home: Path, tmp_path: Path, ossicle: Commands
) -> None:
    (tmp_path / "none.txt").write_text("\n")
    write_json(tmp_path / "empty.units.json", {"segments": [{"units": []}]})
    write_json(tmp_path / "some.units.json", {"segments": [{"units": []}, {"units": [1, 1]}]})
    for options in ((), ("--json",)):
        out = tmp_path / f"out{len(options)}"
        files = [tmp_path / name for name in ("none.txt", "empty.units.json", "some.units.json")]
        result = ossicle("units", "vocoder", home / "vocoder", *files, "-o", out, *options)
        assert result.code == 3
        for name in ("none.txt", "empty.units.json"):
            assert f"{name}: it has no units" in result.err
        assert "some.units.json" not in result.err
        assert [path.name for path in out.glob("[!.]*")] == ["some_0002.wav"]


def test_pairs_of_cut_recordings_have_names_of_their_own(home: Path, tmp_path: Path, ossicle: Commands) -> None:
    """Segment 0 of a recording ``a`` and a recording ``a_0000`` were written to the same files."""
    path = sorted((home / "audio").iterdir())[0]
    samples, rate = soundfile.read(path)
    # Pieces of less than 2 s are merged.
    samples = np.tile(samples, -(-3 * rate // len(samples)))
    (tmp_path / "in").mkdir()
    for name, sounds in (("a", [samples, np.zeros(rate), samples]), ("a_0000", [samples])):
        soundfile.write(tmp_path / "in" / f"{name}.wav", np.concatenate(sounds), rate)
    call = ("units", "resynth", home / "vocoder", tmp_path / "in", "-o", tmp_path / "out", "--cut")
    result = ossicle(*call, "--most-mcd", "1000", "--json")
    assert result.code in {0, 4}, result.err
    pairs = read_json(tmp_path / "out" / "resynthesis.json")["pairs"]
    assert len(pairs) == len(list((tmp_path / "out").glob("*.original.wav"))) > 2


def test_f0_is_tracked_as_in_training(
    home: Path, tmp_path: Path, ossicle: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranges = []
    made = resynthesis.pitch_tracker
    monkeypatch.setattr(resynthesis, "pitch_tracker", lambda pitch: (ranges.append(pitch), made(pitch))[1])
    mine = shutil.copytree(home / "vocoder", tmp_path / "v")
    call = ("units", "resynth", mine, home / "audio", "-o", tmp_path / "out", "--num-samples", 1, "--most-mcd", "1000")
    assert ossicle(*call).code == 0
    write_json(mine / "training.json", {"pitch": {"tracker": "yin", "low_hz": 150.0, "high_hz": 900.0}})
    assert ossicle(*call).code == 0
    assert ranges == [PitchSettings(), PitchSettings(low_hz=150.0, high_hz=900.0)]
    for wrong in (3, {"low_hz": "x"}, {"low_hz": 10**400}, {"high_hz": 1}, {"code": 1}):
        write_json(mine / "training.json", {"pitch": wrong})
        result = ossicle(*call)
        assert (result.code, "training.json: pitch: " in result.err) == (1, True), result.err


def test_speaker_and_melody_change_the_sound_and_not_its_length(home: Path, tmp_path: Path, ossicle: Commands) -> None:
    (tmp_path / "u.txt").write_text("1 1 2 2 3 3 4 4\n")
    sounds = []
    for number, words in enumerate(((), ("--speaker", "ada"), ("--speaker", "bob"), ("--semitones", "-12"), ())):
        spoken(ossicle, home, tmp_path / str(number), tmp_path / "u.txt", *words)
        sounds.append(sound(tmp_path / str(number) / "u.wav"))
    assert {len(one) for one in sounds} == {8 * HOP}
    assert np.array_equal(sounds[0], sounds[-1])
    different = {one.tobytes() for one in sounds}
    assert len(different) == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--speaker", "eve"), "no voice of this name; did you mean|choose one of"),
        (("--semitones", "30"), "--semitones 30: give a number from -24 to 24"),
        (("--semitones", "nan"), "--semitones nan: is not a finite number; give one"),
    ],
)
def test_impossible_voices_are_refused(
    home: Path, tmp_path: Path, ossicle: Commands, words: tuple[str, ...], said: str
) -> None:
    (tmp_path / "u.txt").write_text("1\n")
    result = ossicle("units", "vocoder", home / "vocoder", tmp_path / "u.txt", "-o", tmp_path / "out", *words)
    assert result.code == 2
    assert any(part in result.err for part in said.split("|")), result.err
    assert not (tmp_path / "out").exists()


def test_a_vocoder_without_pitch_and_voices_says_so(home: Path, tmp_path: Path, ossicle: Commands) -> None:
    (tmp_path / "u.txt").write_text("1 1\n")
    call = ("units", "vocoder", home / "flat", tmp_path / "u.txt", "-o", tmp_path / "out")
    assert "trained without pitch; train one with [vocoder] pitch = true" in ossicle(*call, "--semitones", "2").err
    assert "it has one voice only" in ossicle(*call, "--speaker", "ada").err
    assert ossicle(*call).code == 0


def test_nothing_is_written_if_any_file_is_of_another_quantiser(home: Path, tmp_path: Path, ossicle: Commands) -> None:
    other = drawn_quantiser(tmp_path / "other", k=5)
    good, bad = tmp_path / "good.txt", tmp_path / "bad.units.json"
    good.write_text("1 1\n")
    write_json(bad, {"quantiser": other.digest, "n_units": 5, "segments": [{"units": [1]}]})
    result = ossicle("units", "vocoder", home / "vocoder", good, bad, "-o", tmp_path / "out")
    assert result.code == 2
    assert f"{bad}: its units are of the quantiser {other.digest[:12]}" in result.err
    assert not (tmp_path / "out").exists()


def test_places_that_are_no_vocoder_or_no_folder_are_named(home: Path, tmp_path: Path, ossicle: Commands) -> None:
    (tmp_path / "u.txt").write_text("1\n")
    result = ossicle("units", "vocoder", tmp_path, tmp_path / "u.txt", "-o", tmp_path / "out")
    assert (result.code, "not a vocoder" in result.err) == (2, True)
    result = ossicle("units", "vocoder", home / "vocoder", tmp_path / "u.txt", "-o", tmp_path / "u.txt")
    assert (result.code, "u.txt is a file; give a folder" in result.err) == (2, True)
    result = ossicle("units", "resynth", home / "vocoder", home / "audio", "-o", tmp_path / "u.txt")
    assert (result.code, "u.txt is a file; give a folder" in result.err) == (2, True)


def test_recordings_are_compared_with_what_is_made_of_them(home: Path, tmp_path: Path, ossicle: Commands) -> None:
    call = ("units", "resynth", home / "vocoder", home / "audio", "-o", tmp_path / "out", "--num-samples", "3")
    result = ossicle(*call, "--json", "--most-mcd", "1000")
    assert result.code == 0, result.err
    figures = json.loads(result.out)
    assert (figures["segments"], figures["verdict"]["passed"]) == (3, True)
    assert set(figures["mcd_db"]) == {"value", "low", "high"}
    pairs = read_json(tmp_path / "out" / "resynthesis.json")["pairs"]
    assert len(pairs) == len({pair["recording"] for pair in pairs}) == 3
    for pair in pairs:
        stem = pair["recording"].removesuffix(".wav")
        original, made = (sound(tmp_path / "out" / f"{stem}.{kind}.wav") for kind in ("original", "resynthesis"))
        assert len(original) == len(made) == pair["units"] * HOP
    assert (tmp_path / "out" / "vocoder.html").stat().st_size > 10_000
    again = ossicle(*call, "--json", "--most-mcd", "1000")
    assert again.out == result.out


def test_commands_of_units_show_how_far_they_are(
    home: Path, tmp_path: Path, ossicle: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of recordings were encoded, spoken and judged in silence."""
    monkeypatch.setattr("ossicle.app.steps.engine.progress._EVERY_S", 0.0)
    out, plain = tmp_path / "coded", ("--progress", "plain")
    result = ossicle("units", "encode", home / "vocoder", home / "audio", "-o", out, *plain, "--json")
    assert "units encode: 4/4, 0 s left  recordings encoded" in result.err
    assert len([json.loads(line) for line in result.out.splitlines()]) == 4
    result = ossicle("units", "vocoder", home / "vocoder", *out.glob("*.json"), "-o", tmp_path / "spoken", *plain)
    assert "units vocoder: 4/4, 0 s left  segments" in result.err
    result = ossicle("units", "resynth", home / "vocoder", home / "audio", "-o", tmp_path / "heard", *plain)
    assert "units resynth: 4/4, 0 s left  segments judged" in result.err


def test_a_missed_bar_gives_exit_code_4_and_is_named(home: Path, tmp_path: Path, ossicle: Commands) -> None:
    result = ossicle(
        "units", "resynth", home / "vocoder", home / "audio", "-o", tmp_path, "--num-samples", 1, "--most-mcd", "0.1"
    )
    assert result.code == 4
    assert "the vocoder misses a bar: mcd_db = " in result.err
    assert "must be at most 0.1" in result.err
    assert "mel-cepstral distortion, dB" in result.out


def test_recordings_that_cannot_be_spoken_cost_only_themselves(home: Path, tmp_path: Path, ossicle: Commands) -> None:
    given = tmp_path / "given"
    shutil.copytree(home / "audio", given)
    soundfile.write(given / "short.wav", np.full(100, 0.1), 16000)
    soundfile.write(given / "silence.wav", np.zeros(16000), 16000)
    (given / "broken.wav").write_bytes(b"RIFF")
    call = ("units", "resynth", home / "vocoder", "-o", tmp_path / "out", "--most-mcd", "1000")
    result = ossicle(*call, given)
    assert result.code == 3
    assert "short.wav: no units" in result.err
    assert "broken.wav" in result.err
    # Without a voiced frame there is no F0 to compare, which is not 0.
    only = ossicle(*call, given / "silence.wav", "--json")
    assert only.code == 0, only.err
    assert json.loads(only.out)["f0_rmse_cents"]["value"] is None
    assert read_json(tmp_path / "out" / "resynthesis.json")["pairs"][0]["f0_rmse_cents"] is None
    none = ossicle(*call, given / "short.wav")
    assert none.code == 2
    assert "has a unit to speak; first short.wav: no units" in none.err


def test_recordings_that_are_not_heard_as_they_sounded_are_named(home: Path, tmp_path: Path, ossicle: Commands) -> None:
    left, _ = soundfile.read(next((home / "audio").iterdir()))
    soundfile.write(tmp_path / "wires.wav", np.stack([left, -0.9 * left], axis=1), 8000)
    call = ("units", "resynth", home / "vocoder", tmp_path / "wires.wav", "-o", tmp_path / "out", "--most-mcd", "1000")
    result = ossicle(*call)
    assert result.code == 0, result.err
    assert "wires.wav: channels cancel: their mean is 26 dB below the loudest channel" in result.err
    assert "1 recording at less than the 16000 Hz of the encoder (first: wires.wav, 8000 Hz)" in result.err
    assert "channels cancel" in (tmp_path / "out" / "vocoder.html").read_text()


def test_another_quantiser_or_none_beside_a_vocoder_is_refused(home: Path, tmp_path: Path, ossicle: Commands) -> None:
    alone = shutil.copytree(home / "vocoder", tmp_path / "v" / "vocoder")
    for file in ("quantiser.json", "quantiser.npz"):
        (alone / file).unlink()
    call = ("units", "resynth", alone, home / "audio", "-o", tmp_path / "out", "--most-mcd", "1000")
    result = ossicle(*call)
    assert (result.code, "there is no quantiser in it or in" in result.err) == (2, True)
    drawn_quantiser(tmp_path / "v" / "quantiser", k=20, kind="group")
    result = ossicle(*call)
    assert result.code == 2
    assert "and the vocoder was trained with" in result.err
    shutil.rmtree(tmp_path / "v" / "quantiser")
    drawn_quantiser(tmp_path / "v" / "quantiser", k=20)
    described = tmp_path / "v" / "quantiser" / "quantiser.json"
    whole = read_json(described)
    write_json(described, {**whole, "origin_s": 0.5})
    result = ossicle(*call)
    assert (result.code, "its units have hop_s = 0.02 and origin_s = 0.5" in result.err) == (2, True), result.err
    write_json(described, whole)
    assert ossicle(*call, "--num-samples", 1).code == 0


def test_without_torch_the_extra_is_named(home: Path, tmp_path: Path) -> None:
    (tmp_path / "u.txt").write_text("1\n")
    code = (
        "import sys\nsys.modules['torch'] = None\n"
        "from ossicle.app.cli.main import main\n"
        f"sys.argv = ['ossicle', 'units', 'vocoder', {str(home / 'vocoder')!r}, {str(tmp_path / 'u.txt')!r}, '-o', "
        f"{str(tmp_path / 'out')!r}]\nmain()"
    )
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert completed.returncode == 2
    assert "pip install 'ossicle[train]'" in completed.stderr
