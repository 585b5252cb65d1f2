from ossicle.app.project.reference import reference
from ossicle.training.settings import TrainingSettings


def test_the_page_in_docs_is_what_the_settings_say(repository):
    page = (repository / "docs" / "project-file.md").read_text(encoding="utf-8")
    assert page == reference(), "run: python -m ossicle.app.project.reference > docs/project-file.md"


def test_every_training_setting_is_listed():
    page = reference()
    assert all(f"| `{name}` |" in page for name in TrainingSettings.__dataclass_fields__)
