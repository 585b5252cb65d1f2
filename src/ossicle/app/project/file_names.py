"""The names of the project file and of the local file next to it. Nothing is imported here."""

PROJECT_FILE = "ossicle.toml"
LOCAL_FILE = "ossicle.local.toml"
