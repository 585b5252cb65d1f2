import torch

from ossicle.app.project.load import load_project
from ossicle.training.optimisation.step_time import step_seconds

from ...made_up.untrained import PROJECT


def test_a_step_takes_time_in_proportion_to_its_batch_and_changes_no_threads(tmp_path) -> None:
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    before = torch.get_num_threads()
    few, many = (load_project(tmp_path, (f"training.batch_size={n}",)).settings for n in (8, 800))
    times = [
        step_seconds(settings.model, settings.plan, settings.frontend, settings.training, settings.augment, 2)
        for settings in (few, many)
    ]
    assert torch.get_num_threads() == before
    assert 0 < times[0] < 5
    # Eight crops are measured for both.
    assert times[1] > 20 * times[0]
