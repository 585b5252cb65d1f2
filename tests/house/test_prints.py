"""Nothing reaches the terminal but through `printable` or `json_text`: names in files may hold escape sequences."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "ossicle"
SAFE = frozenset({"printable", "printable_line", "printable_message", "json_text"})


def bare_prints(text: str) -> Iterator[int]:
    """Yield the lines of calls of ``print`` with an argument that is neither a literal nor made safe."""
    for node in ast.walk(ast.parse(text)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"):
            continue
        for one in node.args:
            made_safe = isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id in SAFE
            if not (made_safe or isinstance(one, ast.Constant)):
                yield node.lineno


def test_no_module_prints_what_was_not_made_safe() -> None:
    result = [f"{path}:{line}" for path in sorted(SOURCE.rglob("*.py")) for line in bare_prints(path.read_text())]
    assert not result, f"wrap what is printed in printable(...) or json_text(...): {', '.join(result)}"


@pytest.mark.parametrize(
    ("line", "bare"),
    [
        ("print(name)", True),
        ('print(f"wrote {name}")', True),
        ("print(json.dumps(told))", True),
        ('print("done", name)', True),
        ('print(printable(f"wrote {name}"), file=sys.stderr)', False),
        ("print(json_text(told))", False),
        ('print("done")', False),
    ],
)
def test_the_rule_sees_what_it_should(line: str, bare: bool) -> None:
    assert bool(list(bare_prints(line))) is bare
