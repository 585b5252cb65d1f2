from dataclasses import replace
from pathlib import Path

import pytest

from ossicle.app.cli.run import demo
from ossicle.artefacts.files import read_json


def test_the_demo_recipe_runs_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "TAPES", replace(demo.TAPES, tapes=4, minutes=0.3, workers=1))
    monkeypatch.setattr(demo, "FIELD", replace(demo.FIELD, tapes=1, sites=1, minutes=0.3))
    quick = "[training]\npreset = 'quick'\n[split]\ngroup = 'site'\nfolds = 2\n[evaluation]\nbootstrap = 100\n"
    # A model of seconds of training fires on much; that of the whole demo must pass.
    quick += '[noise_gate]\noff = ["silence", "white_noise", "hum", "speech_like", "recordings"]\n'
    (tmp_path / "ossicle.toml").write_text('base = "recipe:demo"\n' + quick)
    demo.demo(tmp_path, progress="none")
    output = capsys.readouterr().out
    for phase in ("tapes", "training", "bundle", "report", "total"):
        assert phase in output
    assert "streaming gave the same events" in output
    assert set(read_json(tmp_path / "metrics.json")["events"]["f1"]) == {"value", "low", "high"}
    assert (tmp_path / "report.html").stat().st_size > 10_000
    assert len(list((tmp_path / "field" / "predictions").iterdir())) == 1
