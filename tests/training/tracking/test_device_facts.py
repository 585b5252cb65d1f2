"""What torch says of the devices of this machine."""

import torch

from ossicle.training.tracking.device_facts import device_facts


def test_versions_and_devices_are_those_of_torch() -> None:
    found = device_facts()
    assert found["torch"] == torch.__version__
    assert found["cuda"] == torch.version.cuda
    assert found["threads"] == torch.get_num_threads()
    assert len(found["gpus"]) == (torch.cuda.device_count() if torch.cuda.is_available() else 0)
    assert set(found) == {"torch", "cuda", "cudnn", "gpus", "threads"}
