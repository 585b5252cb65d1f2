"""Changes of the manifest of a written bundle, as a stranger or another version would make them."""

import json


def edit(bundle, change):
    """Change the manifest as JSON."""
    path = bundle.folder / "bundle.json"
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def setter(*keys, value):
    def change(manifest):
        for key in keys[:-1]:
            manifest = manifest[key]
        manifest[keys[-1]] = value

    return change


def remover(*keys):
    def change(manifest):
        for key in keys[:-1]:
            manifest = manifest[key]
        del manifest[keys[-1]]

    return change
