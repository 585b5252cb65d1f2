"""Files are changed through ``artefacts.filesystem`` alone, which follows no symbolic link.

Files that others made are opened there too: a pipe blocks whoever opens it, and a device has no end.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

_OS = frozenset(["replace", "rename", "renames", "remove", "unlink", "rmdir", "removedirs", "mkdir", "makedirs"])
_OS |= {"truncate", "link", "symlink", "chmod", "lchmod", "chown", "utime", "mkfifo", "mknod"}
_SHUTIL = frozenset(["rmtree", "copy", "copy2", "copyfile", "copytree", "copymode", "move", "make_archive", "chown"])
_METHODS = frozenset(["write_text", "write_bytes", "unlink", "rmdir", "touch", "mkdir", "symlink_to", "hardlink_to"])
_METHODS |= {"chmod", "lchmod"}
# Functions of libraries that write to a path in one of their arguments.
_LIBRARIES = frozenset(
    ["write_parquet", "write_csv", "write_ipc", "write_ndjson", "sink_parquet", "sink_csv", "tofile"]
)
_LIBRARIES |= {"savefig", "imsave", "savetxt", "savez", "savez_compressed", "save_file", "save_checkpoint", "to_csv"}
# The file of a `ShardOutput` is opened by `descriptor_to_change`, which refuses links.
_SCRATCH = frozenset({"whole_file", "whole_folder", "TemporaryDirectory", "ShardOutput"})
_IN_MEMORY = frozenset({"io.BytesIO", "io.StringIO", "BytesIO", "StringIO"})
_READERS = frozenset({"read_text", "read_bytes"})


def name_of(node: ast.expr) -> str:
    """Return ``os.replace`` for such a call's function, and the last name for anything longer."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{node.value.id}.{node.attr}" if isinstance(node.value, ast.Name) else f".{node.attr}"
    return ""


def scratch_names(tree: ast.AST) -> set[str]:
    """Names of what is not in its place yet, ``with whole_file(path) as NAME``, and of files in memory."""
    result = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and name_of(node.value.func) in _IN_MEMORY:
            result |= {one.id for one in node.targets if isinstance(one, ast.Name)}
        for item in node.items if isinstance(node, ast.With) else ():
            call, target = item.context_expr, item.optional_vars
            scratch = isinstance(call, ast.Call) and name_of(call.func).rpartition(".")[2] in _SCRATCH
            if scratch and isinstance(target, ast.Name):
                result.add(target.id)
    return result


def base_name(node: ast.expr) -> str:
    """Return the name that a path begins with: ``part`` for ``part / "a" / name`` and ``Path(part)``."""
    while True:
        if isinstance(node, ast.BinOp):
            node = node.left
        elif isinstance(node, ast.Call) and node.args and name_of(node.func) in ("Path", "str", "os.fspath"):
            node = node.args[0]
        else:
            return node.id if isinstance(node, ast.Name) else ""


def mode_of(call: ast.Call, place: int) -> str:
    """Return the mode of an ``open`` call, ``"?"`` if it is not written out."""
    given = [keyword.value for keyword in call.keywords if keyword.arg == "mode"] or call.args[place : place + 1]
    if not given:
        return "r"
    return given[0].value if isinstance(given[0], ast.Constant) and isinstance(given[0].value, str) else "?"


def reads_only(flags: ast.expr) -> bool:
    """Whether the flags of ``os.open`` name nothing but ways to read."""
    names = {node.attr for node in ast.walk(flags) if isinstance(node, ast.Attribute)}
    return "O_RDONLY" in names and names <= {"O_RDONLY"}


def is_change(call: ast.Call, scratch: set[str]) -> bool:
    """Whether a call changes files by itself."""
    name = name_of(call.func)
    module, _, last = name.rpartition(".")
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
    if receiver is not None and base_name(receiver) in scratch:
        return False
    if (module == "os" and last in _OS) or (module == "shutil" and last in _SHUTIL) or name in ("rmtree", "copyfile"):
        return not (call.args and base_name(call.args[-1]) in scratch)
    if name == "os.open":
        return not (reads_only(call.args[1]) or name_of(call.args[0]) == "os.devnull")
    if name in ("open", "io.open"):
        return any(one in mode_of(call, 1) for one in "wax+?")
    if receiver is not None and last == "open":
        # Without a mode that is written out it opens something else, such as an address.
        return any(one in mode_of(call, 0) for one in "wax+")
    if receiver is not None and last in _METHODS:
        return True
    if receiver is not None and last == "replace":
        return len(call.args) == 1 and not call.keywords
    if receiver is not None and last == "rename":
        return len(call.args) == 1 and not isinstance(call.args[0], ast.Dict | ast.Call)
    if (last in _LIBRARIES and receiver is not None) or name == "save_file":
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        return not any(base_name(argument) in scratch for argument in arguments)
    if name in ("soundfile.write", "np.save", "h5py.File"):
        writes = name != "h5py.File" or any(one in mode_of(call, 1) for one in "wax+?")
        return writes and base_name(call.args[0]) not in scratch
    return False


def is_bare_read(call: ast.Call) -> bool:
    """Whether a call opens a file by its name without a look at what it is."""
    name = name_of(call.func)
    last = name.rpartition(".")[2]
    if name in ("open", "io.open"):
        return True
    if not isinstance(call.func, ast.Attribute) or last not in _READERS:
        return False
    # `bundle.read_bytes(name)` compares a file with its digest, and resources of the package are our own.
    return not call.args and not any(
        isinstance(one, ast.Attribute) and one.attr in ("files", "joinpath") for one in ast.walk(call.func.value)
    )


def found_in(module: Path, kind: str) -> list[str]:
    """Lines of a module with such calls."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    scratch = scratch_names(tree)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    bad = [one for one in calls if (is_change(one, scratch) if kind == "change" else is_bare_read(one))]
    return [f"{module.name}:{one.lineno}: {ast.unparse(one)}" for one in bad]


def modules(repository: Path) -> Iterator[Path]:
    source = repository / "src" / "ossicle"
    for module in sorted(source.rglob("*.py")):
        if module.parent != source / "artefacts" / "filesystem":
            yield module


def test_files_are_changed_in_one_place_alone(repository: Path) -> None:
    assert [line for module in modules(repository) for line in found_in(module, "change")] == []


def test_files_of_others_are_opened_in_one_place_alone(repository: Path) -> None:
    assert [line for module in modules(repository) for line in found_in(module, "read")] == []


READS = """
open(path, "rb")
path.read_text(encoding="utf-8")
(folder / "x").read_bytes()
"""
NO_READS = """
bundle.read_bytes(name)
files("ossicle").joinpath("a.toml").read_text(encoding="utf-8")
(importlib.resources.files("ossicle") / "a.toml").read_text(encoding="utf-8")
read_text(path)
"""


@pytest.mark.parametrize("line", READS.split("\n")[1:-1])
def test_a_planted_read_is_found(tmp_path: Path, line: str) -> None:
    module = tmp_path / "planted.py"
    module.write_text(f"def f():\n    {line}\n")
    assert len(found_in(module, "read")) == 1


@pytest.mark.parametrize("line", NO_READS.split("\n")[1:-1])
def test_what_opens_no_file_of_others_is_not(tmp_path: Path, line: str) -> None:
    module = tmp_path / "planted.py"
    module.write_text(line)
    assert found_in(module, "read") == []


CHANGES = """
open(path, "w")
open(path, mode="ab")
open(path, mode)
path.open("r+b")
path.write_text("x")
(folder / "x").write_bytes(b"x")
path.unlink()
path.unlink(missing_ok=True)
shutil.rmtree(path)
shutil.copyfile(a, path)
os.replace(a, b)
os.open(path, os.O_WRONLY | os.O_CREAT)
path.rename(other)
path.replace(other)
path.mkdir(parents=True)
path.touch()
frame.write_parquet(path)
soundfile.write(path, samples, rate)
h5py.File(path, "w")
save_file(state, path)
os.truncate(path, 0)
folder.path.chmod(0o755)
"""
NO_CHANGES = """
open(path, "rb")
path.open("rb")
os.open(path, os.O_RDONLY)
os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
os.open(os.devnull, os.O_WRONLY)
text.replace("a", "b")
frame.rename({"a": "b"})
dataclasses.replace(value, a=1)
write_text(path, "x")
h5py.File(path, "r")
"""
SCRATCH = """
buffer = io.BytesIO()
soundfile.write(buffer, samples, rate)
figure.savefig(buffer, format="svg")
with whole_file(path) as part:
    part.write_bytes(data)
    frame.write_parquet(part, compression="zstd")
    soundfile.write(part, samples, rate)
    save_file(state, part)
with whole_folder(path, replace=True) as inner:
    (inner / name).write_bytes(data)
with tempfile.TemporaryDirectory() as scratch:
    (Path(scratch) / "a").mkdir()
"""


@pytest.mark.parametrize("line", CHANGES.split("\n")[1:-1])
def test_a_planted_change_is_found(tmp_path: Path, line: str) -> None:
    module = tmp_path / "planted.py"
    module.write_text(f"def f():\n    {line}\n")
    assert len(found_in(module, "change")) == 1


@pytest.mark.parametrize("text", [*NO_CHANGES.split("\n")[1:-1], SCRATCH], ids=range(11))
def test_what_changes_no_file_in_its_place_is_not(tmp_path: Path, text: str) -> None:
    module = tmp_path / "planted.py"
    module.write_text(text)
    assert found_in(module, "change") == []
