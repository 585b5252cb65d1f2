"""The time of one training step on this machine, measured with noise: what an estimate of a whole training needs."""

import time

import torch

from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.models.frontend import ChunkLogMel, LogMel
from ossicle.models.networks.registry import build_network
from ossicle.models.settings import AugmentSettings, ModelSettings
from ossicle.training.optimisation.objective import said_of
from ossicle.training.settings import TrainingSettings

# More crops take longer in proportion, and an estimate should not take longer than it is worth.
_MOST_CROPS = 8
_REPEATS = 2


def step_seconds(
    model: ModelSettings,
    plan: ChunkPlan,
    front: FrontEndSettings,
    training: TrainingSettings,
    augment: AugmentSettings,
    n_labels: int,
    device: str = "cpu",
) -> float:
    """Return the seconds of an optimiser step: spectrogram, forward and backward pass, the faster of two.

    Parameters
    ----------
    model, plan, front, training, augment
        The settings of the training; ``training.threads`` is the number of threads on a CPU.
    n_labels
        Number of labels, at least 1.
    device
        Where to compute, as in torch.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(training.threads)
    try:
        network = build_network(model, front, plan, n_labels).to(device).train()
        front_end = ChunkLogMel(LogMel(front), plan, front).to(device)
        n_crops = min(training.batch_size, _MOST_CROPS)
        generator = torch.Generator().manual_seed(0)
        waveforms = 0.1 * torch.randn(n_crops, plan.chunk_samples, generator=generator).to(device)
        targets = torch.randint(0, 2, (n_crops, plan.chunk_frames, n_labels), generator=generator).float().to(device)

        # The time that the processor worked does not depend on what else the machine does; a GPU works by itself.
        clock = time.process_time if device == "cpu" else time.perf_counter
        at_a_time = training.threads if device == "cpu" else 1

        def step() -> float:
            started = clock()
            predicted = said_of(network, front_end(waveforms), targets, torch.ones_like(targets), training.weak)
            torch.autograd.backward(predicted.loss(training))
            if device.startswith("cuda"):
                torch.cuda.synchronize(device)
            return (clock() - started) / at_a_time

        fastest = min(step() for _ in range(_REPEATS))
    finally:
        torch.set_num_threads(before)
    # Crops of noise come on top of every batch.
    return fastest * training.step_crops * (1 + augment.noise_share) / n_crops
