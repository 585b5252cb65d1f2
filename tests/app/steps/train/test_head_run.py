"""How much noise heads on clips are fitted to."""

from pathlib import Path

import pytest

from ossicle.app.project.load import load_project
from ossicle.app.steps.train.head_run import head_noise_share

from ....untrained import PROJECT


@pytest.mark.parametrize(("of_networks", "of_heads"), [("0.125", 0.5), ("0.0", 0.0), ("0.05", 0.2), ("0.5", 1.0)])
def test_heads_get_four_times_the_noise_of_a_batch_and_no_more_than_clips(
    tmp_path: Path, of_networks: str, of_heads: float
) -> None:
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    project = load_project(tmp_path, (f"augment.noise_share={of_networks}",))
    assert head_noise_share(project) == pytest.approx(of_heads)
