"""Write and read bundles: a folder of ``bundle.json`` and the files it lists with their digests.

Layout, version 1: ``bundle.json``; ``model.onnx`` (input ``log_mel`` (batch, n_frames, n_mels) float32 in dB, output
``scores`` (batch, core_frames, n_labels), the graph of Ossicle's own runtime); ``waveform.onnx`` (input ``waveform``
(batch, chunk_samples), output ``scores``, for any onnxruntime), or with an encoder ``head.onnx``
(``bundle.entries.encoder``); ``weights.safetensors``; ``CARD.md``. Nothing is unpickled, unlisted files are ignored,
and a listed file that differs from its digest is rejected.
"""

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path

from ossicle.artefacts.files import whole_folder, write_json
from ossicle.artefacts.filesystem.reading import read_regular
from ossicle.bundle.card import card_text
from ossicle.bundle.description import BundleDescription
from ossicle.bundle.entries.ensembles import MEMBERS, EnsembleEntry, MemberEntry, copy_members
from ossicle.bundle.manifest import (
    BUNDLE_VERSION,
    CARD,
    MANIFEST,
    MAX_FILE_BYTES,
    MAX_MANIFEST_BYTES,
    MODEL,
    WAVEFORM,
    WEIGHTS,
    Bundle,
    FileEntry,
    manifest_of,
    parse,
    regular_file,
)
from ossicle.core.digest import canonical_json
from ossicle.core.errors import BundleError
from ossicle.core.scores.combination import Combination
from ossicle.core.value_checks import given_path

__all__ = [
    "BUNDLE_VERSION",
    "CARD",
    "MANIFEST",
    "MODEL",
    "WAVEFORM",
    "WEIGHTS",
    "Bundle",
    "FileEntry",
    "read_bundle",
    "write_bundle",
]


def write_bundle(
    folder: Path,
    description: BundleDescription,
    files: Mapping[str, Path | bytes],
    *,
    members: Mapping[str, Bundle] | None = None,
    combination: Combination | None = None,
    replace: bool = False,
) -> Bundle:
    """Write a bundle atomically and return it as read back; equal arguments give equal bytes.

    Parameters
    ----------
    folder
        Where to write it.
    description
        What ``bundle.json`` states about the model.
    files
        Name in the bundle to a file to copy, or its content; ``CARD.md`` is written from the rest unless given.
    members, combination
        The members of an ensemble by name, read from their folders, and how their scores are combined; they are copied.
    replace
        Whether an existing bundle is replaced.

    Returns
    -------
    Bundle
        The bundle as :func:`read_bundle` returns it.

    Raises
    ------
    BundleError
        If :func:`read_bundle` would reject the result.
    ArtefactError
        If ``folder`` exists and ``replace`` is false.
    """
    folder = Path(folder)
    content = {
        file_name: source if isinstance(source, bytes) else read_regular(source, MAX_FILE_BYTES)
        for file_name, source in files.items()
    }
    draft = Bundle(
        folder=folder,
        version=BUNDLE_VERSION,
        files={file_name: _entry(data) for file_name, data in content.items()},
        ensemble=_ensemble(members, combination, tuple(description.labels)),
        **{entry.name: getattr(description, entry.name) for entry in dataclasses.fields(description)},
    )
    # The draft goes through the reader's own checks first, so that readers accept what is written.
    checked = _parse_again(draft)
    if CARD not in content:
        content[CARD] = card_text(checked).encode()
    listed = {file_name: _entry(data) for file_name, data in content.items()}
    with whole_folder(folder, replace=replace) as part:
        for file_name, data in content.items():
            (part / file_name).write_bytes(data)
        copy_members(
            part,
            {
                member_name: (member.folder, [MANIFEST, *member.files])
                for member_name, member in (members or {}).items()
            },
        )
        write_json(part / MANIFEST, manifest_of(dataclasses.replace(checked, files=listed)))
    return read_bundle(folder)


def read_bundle(folder: Path) -> Bundle:
    """Read the bundle in ``folder`` and compare every listed file with its size and digest.

    Parameters
    ----------
    folder
        The folder of ``bundle.json``.

    Returns
    -------
    Bundle
        What ``bundle.json`` says, as a checked value. ``ossicle.load_bundle`` also makes it ready to run.

    Raises
    ------
    BundleError
        If the bundle is damaged, unsafe or of an unsupported version.
    ValueError
        ``folder`` is not a path, or empty.

    Examples
    --------
    >>> bundle = read_bundle(Path("tests/data/bundles/0.1.0/bundle"))
    >>> bundle.labels, bundle.plan.rate
    (('call', 'Zaunkönig'), 8000)
    """
    bundle = _manifest_in(given_path("folder", folder))
    _check_files(bundle)
    return bundle


def member_bundles(bundle: Bundle) -> dict[str, Bundle]:
    """Return the members of an ensemble by name, each compared with its digest; raises BundleError.

    A bundle that is not an ensemble has none. Members that are ensembles, or have other labels, are rejected.
    """
    bundles: dict[str, Bundle] = {}
    for entry in bundle.ensemble.members if bundle.ensemble is not None else ():
        folder = bundle.folder / MEMBERS / entry.name
        for path in (folder.parent, folder):
            if path.is_symlink():
                raise BundleError(f"{path} is a symbolic link: a bundle must contain its own files")
        member = _manifest_in(folder)
        if _digest(member) != entry.sha256:
            raise BundleError(
                f"{folder / MANIFEST} differs from its digest in {bundle.folder / MANIFEST}: copy the bundle again"
            )
        _check_member(member, bundle.labels)
        _check_files(member)
        bundles[entry.name] = member
    return bundles


def _manifest_in(folder: Path) -> Bundle:
    """Return the manifest in a folder without checking its files."""
    if not folder.is_dir():
        raise BundleError(f"{folder} is not a folder: a bundle is a folder with {MANIFEST}")
    path = regular_file(folder / MANIFEST)
    if path.stat().st_size > MAX_MANIFEST_BYTES:
        raise BundleError(f"{path} is larger than {MAX_MANIFEST_BYTES} bytes: this is not a bundle")
    return parse(read_regular(path, MAX_MANIFEST_BYTES), folder)


def _check_files(bundle: Bundle) -> None:
    for name in bundle.files:
        bundle.checked_path(name)
    if bundle.ensemble is not None:
        member_bundles(bundle)


def _check_member(member: Bundle, labels: tuple[str, ...]) -> None:
    # Checked before its files: ensembles within ensembles could go on for ever.
    if member.ensemble is not None:
        raise BundleError(f"{member.folder} is itself an ensemble: list its members instead")
    if set(member.labels) != set(labels):
        raise BundleError(f"{member.folder / MANIFEST}: labels are not those of the ensemble: {', '.join(labels)}")


def _digest(bundle: Bundle) -> str:
    return hashlib.sha256(read_regular(bundle.folder / MANIFEST, MAX_MANIFEST_BYTES)).hexdigest()


def _ensemble(
    members: Mapping[str, Bundle] | None, combination: Combination | None, labels: tuple[str, ...]
) -> EnsembleEntry | None:
    if not members or combination is None:
        return None
    for member in members.values():
        _check_member(member, labels)
    return EnsembleEntry(combination, tuple(MemberEntry(name, _digest(member)) for name, member in members.items()))


def _entry(data: bytes) -> FileEntry:
    return FileEntry(hashlib.sha256(data).hexdigest(), len(data))


def _parse_again(draft: Bundle) -> Bundle:
    try:
        text = canonical_json(manifest_of(draft))
    except (TypeError, ValueError) as error:
        raise BundleError(f"{draft.folder / MANIFEST}: a value cannot be written as JSON: {error}") from error
    return parse(text.encode(), draft.folder)
