"""Project files: what is refused, in which words, and where things lie."""

import subprocess
import sys
from pathlib import Path

import pytest

from ossicle.app.cli.main import main
from ossicle.app.project.layers import parse_override
from ossicle.app.project.load import load_project
from ossicle.core.errors import ProjectError

GOOD = 'base = "recipe:tapes"\n[corpus]\naudio = "audio"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "audio").mkdir()
    path = tmp_path / "ossicle.toml"
    path.write_text(GOOD)
    return path


def complaint(file: Path, text: str) -> str:
    file.write_text(text)
    with pytest.raises(ProjectError) as caught:
        load_project(file)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[training]\nepoch = 3\n", ["[training] epoch: unknown key", "'epochs'"]),
        ("[model.crnn]\nhiden = 3\n", ["[model.crnn] hiden: unknown key", "'hidden'"]),
        ("[trainning]\nepochs = 3\n", ["[trainning]: unknown table", "'training'"]),
        ("[zzz]\nepochs = 3\n", ["[zzz]: unknown table", "choose one of:", "frontend"]),
        ('[training]\nepochs = "8"\n', ["[training] epochs: should be a valid integer, not '8'"]),
        ("[training]\nepochs = 8.0\n", ["[training] epochs: should be a valid integer, not 8.0"]),
        ("[training]\nlearning_rate = true\n", ["[training] learning_rate: should be a valid number, not True"]),
        ("[training]\nlearning_rate = nan\n", ["[training] learning_rate = nan: should be a finite number"]),
        ("[decision]\non = [0.1, inf]\n", ["[decision] on = inf: should be a finite number"]),
        ("[training]\nepochs = 0\n", ["[training] epochs = 0 must be at least 1"]),
        ('[training]\ndevice = "tpu"\n', ["[training] device = 'tpu' is not one of: auto, cpu"]),
        ("[frontend]\nn_fft = 511\n", ["[frontend] n_fft = 511 must be even"]),
        ("[frontend]\nfmax_hz = 9000.0\n", ["[frontend] fmax_hz = 9000 Hz lies above half the rate"]),
        ("[chunks]\nwindow_s = 0.4\n", ["[chunks] step_s = 0 s: windows of 0.4 s need a step"]),
        ("[chunks]\nstep_s = 0.05\n", ["[chunks] step_s = 0.05 s is for sliding windows: give window_s too"]),
        ("[chunks]\nwindow_s = 0.4\nstep_s = 0.05\n", ["[model] name = 'crnn' reads frame by frame"]),
        ('[model]\nname = "window"\n', ["[model] name = 'window' scores windows: set chunks.window_s"]),
        (
            '[model]\nname = "window"\n[chunks]\nwindow_s = 0.01\nstep_s = 0.01\n',
            ["[chunks] window_s = 0.01 s is shorter than two STFT frames (0.042 s"],
        ),
        ("[split]\nfolds = 1\n", ["[split] folds = 1 leaves nothing to train on"]),
        ("[model.crnn]\nchannels = [4]\n", ["[model.crnn] channels (4,) and pools"]),
        ("[split]\ngroup = 2020-01-01\n", ["[split] group = 2020-01-01: put dates and times in quotes"]),
        ("[[training]]\nepochs = 3\n", ["[training]: should be an object"]),
        ("[training\n", ["is not valid TOML", "line"]),
    ],
)
def test_what_is_wrong_is_said_with_file_table_and_key(file: Path, text: str, words: list[str]) -> None:
    result = complaint(file, GOOD + text)
    assert str(file) in result
    for word in words:
        assert word in result


def test_a_setting_of_one_or_several_texts(file: Path) -> None:
    def corpus(value: str) -> str:
        return f'base = "recipe:tapes"\n[corpus]\naudio = "audio"\nname_template = {value}\n'

    file.write_text(corpus('["site{site}_*", "{bird}-f*"]'))
    assert load_project(file).settings.corpus.name_template == ("site{site}_*", "{bird}-f*")
    file.write_text(corpus('"site{site}_*"'))
    assert load_project(file).settings.corpus.name_template == "site{site}_*"
    for wrong in ("5", "['a{b}', 3]"):
        result = complaint(file, corpus(wrong))
        assert result.startswith(
            f"{file}: [corpus] name_template: should be a valid string, not {wrong}; name_template is: "
        )
        assert len(result.splitlines()) == 1


def test_everything_wrong_is_said_at_once(file: Path) -> None:
    result = complaint(file, GOOD + '[training]\nepochs = "8"\nseeed = 1\n[split]\nfold = 2\n')
    assert len(result.splitlines()) == 3


def test_a_corpus_must_be_named(file: Path) -> None:
    result = complaint(file, "[training]\nepochs = 3\n")
    assert result.startswith(f"{file}: [corpus]: is missing")
    result = complaint(file, "[corpus]\n")
    assert result.startswith(f"{file}: [corpus] audio: is missing")


def test_a_wrong_base_names_the_file_it_stands_in(file: Path) -> None:
    unknown = complaint(file, 'base = "recipe:tape"\n')
    assert f"{file}: base: no recipe is called 'tape'; did you mean 'tapes'?" in unknown
    assert f"{file}: base: " in complaint(file, 'base = "nowhere.toml"\n')
    assert "gone.toml: cannot be read" in complaint(file, 'base = "gone.toml"\n')
    assert "base must be text" in complaint(file, "base = 3\n")


def test_bases_are_laid_one_over_the_other(file: Path) -> None:
    (file.parent / "shared").mkdir()
    (file.parent / "shared" / "lab.toml").write_text('base = "recipe:tapes"\n[training]\nepochs = 5\nseed = 4\n')
    file.write_text('base = "shared/lab.toml"\n[corpus]\naudio = "audio"\n[training]\nepochs = 6\n')
    settings = load_project(file).settings
    assert (settings.training.epochs, settings.training.seed, settings.training.steps_per_epoch) == (6, 4, 12)


def test_a_fault_in_a_base_is_laid_at_its_door(file: Path) -> None:
    (file.parent / "lab.toml").write_text("[training]\nepoch = 5\n")
    result = complaint(file, 'base = "lab.toml"\n[corpus]\naudio = "audio"\n')
    assert result.startswith(str(file.parent / "lab.toml"))


def test_bases_in_a_circle_end(file: Path) -> None:
    (file.parent / "other.toml").write_text('base = "ossicle.toml"\n')
    assert "check for a circle" in complaint(file, 'base = "other.toml"\n')
    assert "check for a circle" in complaint(file, 'base = "ossicle.toml"\n')


@pytest.mark.filterwarnings("ignore::ossicle.app.project.local_file.LocalFileWarning")
def test_the_local_file_lies_over_the_project_and_under_the_command_line(file: Path) -> None:
    file.write_text(GOOD + "[training]\nepochs = 3\nseed = 1\n")
    local = file.parent / "ossicle.local.toml"
    local.write_text('[corpus]\naudio = "elsewhere"\n[training]\nepochs = 4\n')
    project = load_project(file, ("training.epochs=5",))
    assert project.audio_folder == file.parent / "elsewhere"
    assert (project.settings.training.epochs, project.settings.training.seed) == (5, 1)
    local.write_text("[training]\nepoch = 4\n")
    with pytest.raises(ProjectError, match=r"ossicle\.local\.toml: \[training\] epoch: unknown key"):
        load_project(file)
    local.write_bytes(b"\xff")
    with pytest.raises(
        ProjectError, match=r"ossicle\.local\.toml: is not UTF-8, as project files are; save it as UTF-8"
    ):
        load_project(file)


@pytest.mark.filterwarnings("ignore::ossicle.app.project.local_file.LocalFileWarning")
def test_files_that_a_windows_editor_saved_with_a_byte_order_mark_are_read(file: Path) -> None:
    file.write_text("\ufeff" + GOOD + "[training]\nepochs = 3\n", encoding="utf-8")
    (file.parent / "ossicle.local.toml").write_text("\ufeff[training]\nseed = 7\n", encoding="utf-8")
    training = load_project(file).settings.training
    assert (training.epochs, training.seed) == (3, 7)


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("training.epochs=8", ("training", "epochs"), 8),
        ("corpus.audio=my tapes/a", ("corpus", "audio"), "my tapes/a"),
        ('corpus.audio="8"', ("corpus", "audio"), "8"),
        ("model.crnn.channels=[4, 8]", ("model", "crnn", "channels"), [4, 8]),
        ("corpus.name_template=a=b", ("corpus", "name_template"), "a=b"),
        ("corpus.decode=false", ("corpus", "decode"), False),
        ("corpus.annotations=", ("corpus", "annotations"), ""),
    ],
)
def test_overrides(text: str, key: tuple[str, ...], value: object) -> None:
    assert parse_override(text) == (key, value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("training", "write TABLE.KEY=VALUE"),
        ("epochs=3", "write TABLE.KEY=VALUE"),
        (".epochs=3", "write TABLE.KEY=VALUE"),
        ("training.epochs.x=3", "training.epochs is a setting, not a table"),
        ("training.epoch=3", "did you mean 'epochs'?"),
        ('training.epochs="3"', "should be a valid integer"),
    ],
)
def test_wrong_overrides_are_quoted(file: Path, text: str, words: str) -> None:
    with pytest.raises(ProjectError) as caught:
        load_project(file, (text,))
    assert str(caught.value).startswith(f"--set {text}")
    assert words in str(caught.value)


def test_the_data_root_is_named_by_option_variable_or_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OSSICLE_DATA_ROOT", raising=False)
    assert load_project(file).data_root == file.parent / "data"
    file.write_text(GOOD + '[project]\ndata_root = "other"\n')
    assert load_project(file).data_root == file.parent / "other"
    monkeypatch.setenv("OSSICLE_DATA_ROOT", str(file.parent / "environment"))
    assert load_project(file).data_root == file.parent / "environment"
    assert load_project(file, (), file.parent / "option").data_root == file.parent / "option"


def test_a_folder_stands_for_its_project_file(file: Path) -> None:
    assert load_project(file.parent).file == file


def ends(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["ossicle", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.mark.parametrize("command", ["run", "status", "check"])
def test_commands_end_with_exit_code_2_and_one_message(
    file: Path, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(GOOD + "[training]\nepoch = 3\n")
    assert ends(monkeypatch, command, "-p", file) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == f"ossicle: {file}: [training] epoch: unknown key; did you mean 'epochs'?\n"


@pytest.mark.parametrize("place", ["gone", "gone/ossicle.toml", "audio"])
def test_a_missing_project_is_said(
    file: Path, place: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ends(monkeypatch, "status", "-p", file.parent / place) == 2
    assert "cannot be read (No such file or directory)" in capsys.readouterr().err


def test_no_traceback_from_the_real_command(file: Path) -> None:
    file.write_text(GOOD + "[frontend]\nhop_samples = 321\n")
    done = subprocess.run(
        [sys.executable, "-c", "from ossicle.app.cli.main import main; main()", "status", "-p", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"ossicle: {file}: [frontend] hop_samples = 321 must be even, so that frame centres fall on samples"
    ]


def test_pretrained_weights_are_for_networks_of_timm(tmp_path: Path) -> None:
    text = 'base = "recipe:tapes"\n[corpus]\naudio = "a"\n[training]\npretrained = "hub"\n'
    (tmp_path / "ossicle.toml").write_text(text)
    with pytest.raises(ProjectError, match=r"\[training\] pretrained = 'hub': only timm networks"):
        load_project(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '[model.window]\nscores = "softmax"\n',
            '[model.window] scores = "softmax": heads score every label by itself',
        ),
        ('[training]\nclass_weights = "sqrt"\n', '[training] class_weights = "sqrt": heads weigh both sides'),
    ],
)
def test_heads_on_an_encoder_refuse_what_they_would_ignore(file: Path, text: str, words: str) -> None:
    """Weights that nothing read were a defect of the old drum scripts."""
    heads = GOOD.replace("tapes", "birds") + '[encoder]\nname = "acoustic"\n[chunks]\nwindow_s = 3.0\nstep_s = 3.0\n'
    assert words in complaint(file, heads + text)


def test_every_remedy_for_a_recipe_under_an_encoder_can_be_followed(file: Path) -> None:
    """The recipe's own values are refused too, and a key that the file does not have cannot be removed."""
    text = GOOD.replace("tapes", "drums") + '[encoder]\nname = "acoustic"\n'
    for place, remedy, line in (
        ('[model.window] scores = "softmax"', 'set it to "sigmoid"', '[model.window]\nscores = "sigmoid"\n'),
        ("[model] networks = 2", "set it to 1", "[model]\nnetworks = 1\n"),
        ("[training] undo_balance = 0.5", "set it to 0.0", "[training]\nundo_balance = 0.0\n"),
    ):
        found = complaint(file, text)
        assert place in found
        assert remedy in found
        assert "remove it" not in found
        text += line
    file.write_text(text)
    assert load_project(file).settings.encoder.name == "acoustic"


@pytest.mark.parametrize(
    ("recipe", "text", "words"),
    [
        (
            "appliances",
            '[encoder]\nname = "beats"\npath = "weights"\n',
            'and encoder.name = "beats"; set it to false, or choose',
        ),
        ("birds", '[encoder]\nname = "acoustic"\n', 'and project.pipeline = "detector"; set it to false'),
        ("tapes", "", 'and project.pipeline = "detector"; set it to false'),
    ],
)
def test_a_level_that_nothing_would_follow_is_refused(file: Path, recipe: str, text: str, words: str) -> None:
    found = complaint(file, GOOD.replace("tapes", recipe) + text + "[head.level]\nfollow = true\n")
    assert "[head.level] follow = true: only" in found
    assert words in found


def test_states_with_the_encoder_acoustic_may_follow_the_level(file: Path) -> None:
    file.write_text(GOOD.replace("tapes", "appliances") + "[head.level]\nfollow = true\n")
    assert load_project(file).settings.head.level.follow
