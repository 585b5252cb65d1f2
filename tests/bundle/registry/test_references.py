"""Texts that name a promoted bundle."""

import pytest

from ossicle.bundle.registry.references import Reference, is_reference, parse_reference
from ossicle.core.errors import UsageError


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("registry:drums", Reference("drums")),
        ("registry:drums@current", Reference("drums")),
        ("registry:drums@2", Reference("drums", 2)),
        ("registry:work/hits/data/registry/drums@12", Reference("drums", 12, "work/hits/data/registry")),
        ("registry:/srv/models/drums@current", Reference("drums", None, "/srv/models")),
        ("registry:C:\\models\\drums@1", Reference("drums", 1, "C:/models")),
    ],
)
def test_a_reference_has_name_version_and_folder(text, reference):
    assert is_reference(text)
    assert parse_reference(text) == reference
    assert parse_reference(str(reference)) == reference


@pytest.mark.parametrize("text", ["registry:", "registry:@1", "registry:a b@1", "registry:../x/..@1", "registry:.x@1"])
def test_a_name_that_is_not_plain_is_refused(text):
    with pytest.raises(UsageError, match="not a plain name"):
        parse_reference(text)


@pytest.mark.parametrize("version", ["0", "-1", "1.5", "latest", "CURRENT", "01", "9999999999", "1@2"])
def test_a_version_is_a_number_or_current(version):
    with pytest.raises(UsageError, match=r"is not a version; write @current or a number"):
        parse_reference(f"registry:drums@{version}")


def test_a_path_is_no_reference():
    assert not is_reference("work/registry/drums")
