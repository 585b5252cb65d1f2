"""A program that stands for ``ossicle`` in tests of runners."""

# Stands for `ossicle`: NAME DO...; leaves when it began and ended.
WORKER = """
import os, signal, sys, time
name, *does = sys.argv[1:]
def note(word):
    with open("notes", "a") as file:
        file.write(f"{time.monotonic()} {word} {name}\\n")
note("begin")
def leave(number, frame):
    note("saved")
    sys.exit(143)
signal.signal(signal.SIGTERM, leave)
for word in does:
    if word.startswith("exit"):
        note("end")
        sys.exit(int(word[4:]))
    if word == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if word == "once" and not os.path.exists(f"{name}.tried"):
        open(f"{name}.tried", "w").close()
        sys.exit(1)
    if word.startswith("sleep"):
        time.sleep(float(word[5:]))
print("said", name)
note("end")
"""
