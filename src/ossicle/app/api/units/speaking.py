"""A vocoder and its quantiser, opened together; units and recordings to sound."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ossicle.app.api.units.unit_files import UnitFileSpec, UnitLine
from ossicle.artefacts.files import how_to_mend, read_json
from ossicle.artefacts.typed.units.quantiser import QuantiserFolder
from ossicle.artefacts.typed.units.unit_vocoder import UnitVocoderFolder
from ossicle.audio.pitch.settings import PitchSettings
from ossicle.core.errors import ArtefactError, UsageError
from ossicle.core.text.suggestion import did_you_mean
from ossicle.core.value_checks import number_fault
from ossicle.units.quantiser import Quantiser

if TYPE_CHECKING:
    from ossicle.models.vocoder.vocoder import Vocoder

MOST_SEMITONES = 24
"""Two octaves: a voice outside them is no voice."""
_TINY_S = 1e-6


@dataclass(frozen=True, eq=False)
class Speaker:
    """A vocoder with one voice.

    Attributes
    ----------
    vocoder
        The networks.
    speaker
        One of the voices that it knows; None: the mean of all.
    semitones
        How far the melody is moved.
    """

    vocoder: "Vocoder"
    speaker: str | None = None
    semitones: float = 0.0

    @property
    def file_spec(self) -> UnitFileSpec:
        """What unit files must be."""
        spec = self.vocoder.spec
        return UnitFileSpec(spec.k, spec.quantiser, spec.hop_s)

    def speak(self, line: UnitLine) -> NDArray[np.float32]:
        """Return the sound of a segment of a unit file; runs get the durations that the vocoder learned.

        Parameters
        ----------
        line
            The units.

        Returns
        -------
        NDArray[np.float32]
            Samples, shape (number of units by frame * hop,).
        """
        units = line.values
        if line.runs:
            units = np.repeat(units, self.vocoder.durations(units, self.speaker))
        f0_hz = None
        if self.semitones:
            f0_hz = moved(self.vocoder.f0(units, self.speaker), self.semitones)
        return self.vocoder.synthesise(units, f0_hz, self.speaker)


def moved(f0_hz: NDArray[np.float32], semitones: float) -> NDArray[np.float32]:
    """Return a melody moved by semitones; what is unvoiced (0) stays so.

    Parameters
    ----------
    f0_hz
        F0 in Hz, shape (n,).
    semitones
        How far, up if it is positive.

    Examples
    --------
    >>> moved(np.array([100, 0], np.float32), 12).tolist()
    [200.0, 0.0]
    """
    return np.asarray(f0_hz * 2.0 ** (semitones / 12), np.float32)


def open_speaker(folder: Path, speaker: str = "", semitones: float = 0.0, device: str = "cpu") -> Speaker:
    """Open a vocoder for one voice.

    Parameters
    ----------
    folder
        The folder ``vocoder`` of a finished project.
    speaker
        The voice; empty: the mean of all.
    semitones
        How far the melody is moved.
    device
        Device of torch, as in ``[training] device``.

    Raises
    ------
    UsageError
        There is no vocoder, or it has no such voice or no melody.
    ArtefactError
        It is damaged.
    """
    # Only these commands load torch.
    from ossicle.models.devices import device as device_of
    from ossicle.models.vocoder.vocoder import Vocoder

    vocoder = Vocoder.read(folder, device_of(device))
    voices = vocoder.spec.speakers
    if speaker and speaker not in voices:
        known = did_you_mean(speaker, voices) if voices else "it has one voice only; leave the option out"
        raise UsageError(f"--speaker {speaker}: {folder} has no voice of this name; {known}")
    if not abs(semitones) <= MOST_SEMITONES:
        raise UsageError(f"--semitones {semitones:g}: give a number from -{MOST_SEMITONES} to {MOST_SEMITONES}")
    if semitones and not vocoder.spec.pitch:
        raise UsageError(
            f"--semitones {semitones:g}: {folder} was trained without pitch; train one with [vocoder] pitch = true"
        )
    return Speaker(vocoder, speaker or None, semitones)


def pitch_settings_of(folder: Path) -> PitchSettings:
    """Return how F0 was tracked for the training of a vocoder; the defaults where its folder does not say.

    Parameters
    ----------
    folder
        The folder of the vocoder, or a file in it.

    Raises
    ------
    ArtefactError
        The description of the training is damaged.
    """
    vocoder_folder = folder if folder.is_dir() else folder.parent
    file = vocoder_folder / UnitVocoderFolder(vocoder_folder).about_file.name
    if not file.exists():
        return PitchSettings()
    try:
        pitch_values = dict(read_json(file).get("pitch", {}))
        wrong = [name for name in ("low_hz", "high_hz") if number_fault(name, pitch_values.get(name, 100.0))]
        if wrong:
            raise ValueError(f"{wrong[0]} is not a number")
        return PitchSettings(**pitch_values)
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise ArtefactError(f"{file}: pitch: {error}; {how_to_mend(file)}") from error


def quantiser_of(folder: Path, vocoder: "Vocoder") -> Path:
    """Return the folder of the quantiser that a vocoder was trained with: in its folder, or ``quantiser`` beside it.

    Parameters
    ----------
    folder
        The folder of the vocoder, or a file in it.
    vocoder
        The vocoder.

    Raises
    ------
    UsageError
        There is none, or it is another one.
    ArtefactError
        It is damaged.
    """
    vocoder_folder = folder if folder.is_dir() else folder.parent
    for path in (vocoder_folder, vocoder_folder.parent / QuantiserFolder.step):
        if QuantiserFolder(path).description_file.exists():
            quantiser = Quantiser.read(path)
            if quantiser.digest != vocoder.spec.quantiser:
                raise UsageError(
                    f"{path}: the quantiser {quantiser.digest[:12]}, and the vocoder was trained with "
                    f"{vocoder.spec.quantiser[:12]} (SHA-256); put the quantiser of the same run beside it"
                )
            spec = vocoder.spec
            if abs(quantiser.hop_s - spec.hop_s) > _TINY_S or abs(quantiser.origin_s - spec.origin_s) > _TINY_S:
                raise UsageError(
                    f"{path}: its units have hop_s = {quantiser.hop_s:g} and origin_s = {quantiser.origin_s:g}, "
                    f"those of the vocoder {spec.hop_s:g} and {spec.origin_s:g}; "
                    f"put the quantiser of the same run beside it"
                )
            return path
    raise UsageError(
        f"{vocoder_folder}: there is no quantiser in it or in {vocoder_folder.parent / QuantiserFolder.step}; copy "
        "the whole folder vocoder of a finished project"
    )
