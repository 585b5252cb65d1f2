"""What torch says of the devices of this machine."""

import torch

from ossicle.training.tracking.device_facts import device_facts


def test_versions_and_devices_are_those_of_torch() -> None:
    result = device_facts()
    assert result["torch"] == torch.__version__
    assert result["cuda"] == torch.version.cuda
    assert result["threads"] == torch.get_num_threads()
    assert len(result["gpus"]) == (torch.cuda.device_count() if torch.cuda.is_available() else 0)
    assert set(result) == {"torch", "cuda", "cudnn", "gpus", "threads"}
