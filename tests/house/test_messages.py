"""Commands in messages can be copied into a shell, whatever blanks the names of folders have."""

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src/ossicle"


def _unquoted(tree: ast.AST) -> list[int]:
    """Return the lines of texts that name a project after ``-p`` without quoting its path."""
    lines = []
    for text in (node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)):
        before = ""
        for part in text.values:
            if isinstance(part, ast.Constant):
                before += str(part.value)
                continue
            assert isinstance(part, ast.FormattedValue)
            quoted = ast.unparse(part.value).startswith("quote(")
            if "ossicle " in before and before.endswith("-p ") and not quoted:
                lines.append(text.lineno)
            before += "{}"
    return lines


def test_paths_of_projects_in_commands_are_quoted() -> None:
    found = {
        f"{path.relative_to(SOURCE)}:{line}"
        for path in SOURCE.rglob("*.py")
        if "-p {" in (code := path.read_text(encoding="utf-8"))
        for line in _unquoted(ast.parse(code))
    }
    assert not found, f"wrap these paths in shlex.quote(str(...)): {sorted(found)}"


def test_the_search_finds_an_unquoted_path() -> None:
    assert _unquoted(ast.parse('f"next: ossicle run -p {file}"')) == [1]
    assert _unquoted(ast.parse('f"next: ossicle run -p {quote(str(file))}"')) == []
