"""A program that stands for ``ossicle`` in tests of runners."""

# Stands for `ossicle`: NAME DO...; leaves when it began and ended; "wait" is for a file "go", which "open" writes.
WORKER = """
import os, signal, sys, time
name, *does = sys.argv[1:]
def note(word):
    with open("notes", "a") as file:
        file.write(f"{time.monotonic()} {word} {name}\\n")
def leave(number, frame):
    note("saved")
    sys.exit(143)
signal.signal(signal.SIGTERM, leave)
note("begin")
for word in does:
    if word.startswith("exit"):
        note("end")
        sys.exit(int(word[4:]))
    if word == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if word == "once" and not os.path.exists(f"{name}.tried"):
        open(f"{name}.tried", "w").close()
        sys.exit(1)
    if word == "wait":
        end = time.monotonic() + 600
        while not os.path.exists("go") and time.monotonic() < end:
            time.sleep(0.02)
    if word == "open":
        open("go", "w").close()
    if word.startswith("sleep"):
        time.sleep(float(word[5:]))
print("said", name)
note("end")
"""
