"""A convolutional recurrent network with one output per frame and label.

The architecture follows Cakir et al. (2017): convolutions that pool over frequency only, so that time keeps the
resolution of the front end, then a bidirectional GRU and a linear layer. Batch normalisation over mel bands at the
input learns the normalisation that front ends otherwise hard-code.

References
----------
E. Cakir et al., "Convolutional recurrent neural networks for polyphonic sound event detection", 2017.
"""

import torch
from torch import Tensor, nn

from ossicle.core.errors import UsageError
from ossicle.models.networks.gru import bidirectional_gru
from ossicle.models.settings import CrnnSettings


class Crnn(nn.Module):
    """Log-mel (batch, n_frames, n_mels) in dB -> logits (batch, n_frames, n_labels).

    Raises UsageError if the poolings leave no band.
    """

    def __init__(self, settings: CrnnSettings, n_mels: int, n_labels: int) -> None:
        super().__init__()
        self.normalise = nn.BatchNorm1d(n_mels, affine=True)
        blocks: list[nn.Module] = []
        width, bands = 1, n_mels
        for channels, pool in zip(settings.channels, settings.pools, strict=True):
            blocks += [
                nn.Conv2d(width, channels, 3, padding=1, bias=False),
                nn.BatchNorm2d(channels),
                # max(relu(x)) equals relu(max(x)), which is less work.
                nn.MaxPool2d((1, pool)),
                nn.ReLU(inplace=True),
                nn.Dropout(settings.dropout),
            ]
            width, bands = channels, bands // pool
        if bands < 1:
            raise UsageError(
                f"[model.crnn] pools = {list(settings.pools)} leave nothing of {n_mels} mel bands; pool less"
            )
        self.convolutions = nn.Sequential(*blocks).to(memory_format=torch.channels_last)
        self.recurrent = nn.GRU(width * bands, settings.hidden, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(settings.dropout)
        self.output = nn.Linear(2 * settings.hidden, n_labels)

    def forward(self, log_mel: Tensor) -> Tensor:
        """Return the logits of every frame."""
        x = self.normalise(log_mel.transpose(1, 2)).transpose(1, 2)
        # Convolutions on CPUs are fastest with channels last.
        x = self.convolutions(x[:, None].contiguous(memory_format=torch.channels_last))
        x = x.permute(0, 2, 1, 3).flatten(2)
        if self.training and x.device.type == "cpu" and x.dtype == torch.float32:
            x = bidirectional_gru(x, self.recurrent)
        else:
            x, _ = self.recurrent(x)
        logits: Tensor = self.output(self.dropout(x))
        return logits
