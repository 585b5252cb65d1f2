"""A trained vocoder: from units, pitch and speaker to sound, with what it was trained on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from ossicle.artefacts.files import file_digest, how_to_mend
from ossicle.artefacts.typed.units.vocoder import VocoderFolder
from ossicle.core.errors import ArtefactError, UsageError
from ossicle.core.text.suggestion import did_you_mean
from ossicle.models.devices import device as device_named
from ossicle.models.vocoder.durations import relative_pitch
from ossicle.models.vocoder.generator import UNKNOWN
from ossicle.models.vocoder.network import VocoderNetwork, VocoderSpec
from ossicle.models.vocoder.source import HarmonicSource, noise
from ossicle.models.weights import load_weights, require_shapes, save_weights

FORMAT_VERSION = 1

_BLOCK_UNITS = 512


class Vocoder:
    """A trained vocoder; ``Vocoder.read(folder)`` opens one.

    Parameters
    ----------
    spec
        What it reads and gives.
    network
        Its weights.
    about
        How it was trained: plain values, for people.
    """

    def __init__(self, spec: VocoderSpec, network: VocoderNetwork, about: Mapping[str, Any] | None = None) -> None:
        self.spec, self.about = spec, dict(about or {})
        self._network = network.eval()

    @classmethod
    def read(cls, folder: Path, device: str = "cpu") -> Self:
        """Return the vocoder in a folder; nothing is unpickled and nothing in it is trusted.

        Parameters
        ----------
        folder
            A folder with ``vocoder.json`` and ``vocoder.safetensors``, or ``vocoder.json`` itself.
        device
            Device of torch.

        Raises
        ------
        UsageError
            There is none.
        ArtefactError
            It is damaged, or its parts do not fit together.
        """
        beside = VocoderFolder(Path(folder).parent)
        vocoder_folder = beside if Path(folder) == beside.description_file else VocoderFolder(Path(folder))
        source = vocoder_folder.description_file
        if not source.exists():
            raise UsageError(
                f"{folder}: not a vocoder: {source} does not exist; name the folder `vocoder` of a project that "
                "`ossicle run` has finished with a preset in [vocoder]"
            )
        described = vocoder_folder.description
        try:
            version = described["format"]
            if version != FORMAT_VERSION:
                raise ArtefactError(
                    f"{source}: format {version!r} is not known to this version of Ossicle (it knows "
                    f"{FORMAT_VERSION}); install a newer one"
                )
            spec, about = VocoderSpec.from_json(described), dict(described["about"])
            stated = described["weights"]
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ArtefactError(f"{source}: a value is missing or wrong ({error}); {how_to_mend(source)}") from error
        try:
            require_shapes(vocoder_folder.weights_file, lambda: VocoderNetwork(spec))
        except UsageError as error:
            raise ArtefactError(f"{source}: {error}; {how_to_mend(source)}") from error
        if file_digest(vocoder_folder.weights_file) != stated:
            raise ArtefactError(
                f"{vocoder_folder.weights_file}: its checksum is not the one in {source.name}; {how_to_mend(source)}"
            )
        network = VocoderNetwork(spec)
        load_weights(network, vocoder_folder.weights_file)
        try:
            network.refuse_values()
        except ValueError as error:
            raise ArtefactError(f"{vocoder_folder.weights_file}: {error}; {how_to_mend(source)}") from error
        return cls(spec, network.to(device_named(device)), about)

    def save(self, folder: Path) -> None:
        """Write ``vocoder.safetensors`` and ``vocoder.json``; equal vocoders give equal bytes.

        Parameters
        ----------
        folder
            A new or existing folder.
        """
        vocoder_folder = VocoderFolder(Path(folder))
        save_weights(self._network, vocoder_folder.weights_file)
        described = {"format": FORMAT_VERSION, "weights": file_digest(vocoder_folder.weights_file), "about": self.about}
        vocoder_folder.write_description(described | self.spec.to_json())

    @torch.inference_mode()
    def synthesise(
        self,
        units: NDArray[np.integer],
        f0_hz: NDArray[np.floating] | None = None,
        speaker: str | None = None,
        *,
        seed: int = 0,
    ) -> NDArray[np.float32]:
        """Return the sound of units, exactly ``n * hop`` samples; equal arguments give equal samples.

        Long sequences are made in blocks with as much context as the network sees, so memory beyond the result does not
        grow with their length, and there are no seams.

        Parameters
        ----------
        units
            One unit a frame, integers from 0 to k - 1, shape (n,).
        f0_hz
            F0 at the centre of each unit, shape (n,); 0: unvoiced. None: :meth:`f0` for a vocoder with pitch.
        speaker
            One of ``spec.speakers``; None: the mean of all.
        seed
            Seed of its noise.

        Returns
        -------
        NDArray[np.float32]
            Shape (n * hop,).

        Raises
        ------
        UsageError
            A unit, the number of F0 values or the speaker does not fit this vocoder.
        ArtefactError
            The weights give values that are not finite.
        """
        sequence, hop, number = self._checked_units(units), self.spec.hop, self._number(speaker)
        f0 = np.zeros(len(sequence), np.float32)
        if self.spec.pitch:
            f0 = self.f0(sequence, speaker) if f0_hz is None else np.asarray(f0_hz, np.float32)
            if f0.shape != sequence.shape or not np.isfinite(f0).all():
                raise UsageError(f"F0 has the shape {f0.shape} for {len(sequence)} units; give one finite value a unit")
        elif f0_hz is not None:
            raise UsageError(
                "this vocoder was trained without pitch; leave out F0, or train it with [vocoder] pitch = true"
            )
        pitch = relative_pitch(f0, self._network.pitch.mean_log(number) if number != UNKNOWN else None)
        harmonics = HarmonicSource(f0, hop, self.spec.rate)
        sound_samples = np.zeros(len(sequence) * hop, np.float32)
        around = self._network.generator.context_units
        device = self._network.overall.device
        for first in range(0, len(sequence), _BLOCK_UNITS):
            last = min(first + _BLOCK_UNITS, len(sequence))
            low, high = max(first - around, 0), min(last + around, len(sequence))
            sources = np.stack([harmonics.samples(low, high), noise(seed, low, high, hop)])
            sound = self._network.generator(
                torch.from_numpy(sequence[None, low:high]).to(device),
                torch.from_numpy(pitch[None, low:high]).to(device),
                torch.tensor([number], device=device),
                torch.from_numpy(sources[None]).to(device),
            )
            sound_samples[first * hop : last * hop] = sound[0, (first - low) * hop : (last - low) * hop].cpu().numpy()
        if not np.isfinite(sound_samples).all():
            raise ArtefactError(
                f"the vocoder gives values that are no sound, {int((~np.isfinite(sound_samples)).sum())} of "
                f"{len(sound_samples)}: its weights are damaged; train it again"
            )
        return sound_samples

    def durations(self, runs: NDArray[np.integer], speaker: str | None = None) -> NDArray[np.int64]:
        """Return how many frames each run of a unit lasts, at least 1 each; their total is unbiased.

        Parameters
        ----------
        runs
            Units without repeats, shape (n,).
        speaker
            As in :meth:`synthesise`.

        Returns
        -------
        NDArray[np.int64]
            Shape (n,). ``np.repeat(runs, durations)`` are units by frame.

        Raises
        ------
        UsageError
            A unit or the speaker does not fit this vocoder.
        """
        return self._network.durations.durations(self._checked_units(runs), self._number(speaker))

    def f0(self, units: NDArray[np.integer], speaker: str | None = None) -> NDArray[np.float32]:
        """Return a plain F0 contour of units in Hz, 0 where unvoiced, shape (n,); zeros without pitch.

        Parameters
        ----------
        units
            One unit a frame, shape (n,).
        speaker
            As in :meth:`synthesise`.

        Raises
        ------
        UsageError
            A unit or the speaker does not fit this vocoder.
        """
        sequence = self._checked_units(units)
        if not self.spec.pitch:
            return np.zeros(len(sequence), np.float32)
        return self._network.pitch.contour(sequence, self._number(speaker))

    def _checked_units(self, units: NDArray[np.integer]) -> NDArray[np.int64]:
        unit_numbers = np.asarray(units)
        if unit_numbers.ndim != 1 or (len(unit_numbers) and not np.issubdtype(unit_numbers.dtype, np.integer)):
            raise UsageError(
                f"units are whole numbers of shape (n,), not {unit_numbers.dtype} of shape {unit_numbers.shape}"
            )
        if len(unit_numbers) and not 0 <= int(unit_numbers.min()) <= int(unit_numbers.max()) < self.spec.k:
            raise UsageError(
                f"a unit is {int(unit_numbers.min())} or {int(unit_numbers.max())}, and this vocoder speaks units "
                f"from 0 to {self.spec.k - 1}; use units of its own quantiser ({self.spec.quantiser[:12]})"
            )
        return unit_numbers.astype(np.int64)

    def _number(self, speaker: str | None) -> int:
        """Return the number of a speaker."""
        if speaker is None:
            return UNKNOWN
        if not self.spec.speakers:
            raise UsageError("this vocoder knows no speakers; leave the speaker out")
        if speaker not in self.spec.speakers:
            raise UsageError(
                f"the vocoder does not know the speaker {speaker!r}; {did_you_mean(speaker, self.spec.speakers)}, or "
                "leave the speaker out for the mean of all"
            )
        return self.spec.speakers.index(speaker)
