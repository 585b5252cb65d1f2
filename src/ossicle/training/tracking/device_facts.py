"""What torch says of the devices of this machine, for the record of a run."""

from typing import Any

import torch


def device_facts() -> dict[str, Any]:
    """Return versions of torch, CUDA and cuDNN (None without them), the names of GPUs, and the number of threads."""
    cuda, cudnn = torch.cuda.is_available(), torch.backends.cudnn
    return {
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": cudnn.version() if cudnn.is_available() else None,  # type: ignore[no-untyped-call]
        "gpus": [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())] if cuda else [],
        "threads": torch.get_num_threads(),
    }
