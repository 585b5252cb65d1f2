# Read by the scripts of the jobs. `attempt STATE ATTEMPTS CONTINUATIONS COMMAND...` runs one task of an array, leaves a
# JSON line in STATE for whatever becomes of it, and has the task queued again where that may help:
#   exit code 0, 3 (done, inputs were left out) and 4 (done, a gate refused): done, and 0 for Slurm, so that jobs which
#   need this one start, as they do on every other place
#   exit code 2 (wrong usage): told, and kept; another attempt would end the same way
#   any other: queued again until it was run ATTEMPTS times, then kept
#   SIGUSR1, which Slurm sends a minute before the wall time: the command is told to save its state (SIGTERM) and the
#   task goes on from there, CONTINUATIONS times at most
#   SIGTERM comes of scancel, or of Slurm when it takes the node back; both tell the command themselves. Nothing is queued
#   again here: after the second, Slurm itself does so
attempt() {
    local state=$1 attempts=$2 continuations=$3
    shift 3
    local id="${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}" why="" woken="" code=127 got
    trap 'why=limit woken=1; kill -TERM "$child" 2>/dev/null' USR1
    trap 'why=cancelled woken=1' TERM
    _say running null
    "$@" &
    child=$!
    # A signal wakes `wait` before the command has ended, with a code of its own.
    while :; do
        woken=""
        wait "$child"
        got=$?
        [ "$got" -eq 127 ] && [ "$code" -ne 127 ] || code=$got
        [ -n "$woken" ] || break
    done
    trap '' USR1 TERM
    case "$code:$why" in
        0:* | 3:* | 4:*) _say "done" "$code" && return 0 ;;
        *:cancelled) ;;
        2:*) why=failed ;;
        *:limit) [ "$(_count limit)" -lt "$continuations" ] || why=failed ;;
        *) if [ $(($(_count again) + 1)) -lt "$attempts" ]; then why=again; else why=failed; fi ;;
    esac
    _say "$why" "$code"
    case "$why" in
        again | limit) scontrol requeue "$id" || _say failed "$code" ;;
    esac
    return "$code"
}

_say() {
    printf '{"at": "%s", "state": "%s", "code": %s, "runner": "slurm", "id": "%s", "host": "%s"}\n' \
        "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" "$2" "$id" "$(hostname)" >>"$state"
}

# How often this submission of the task was queued again for a reason.
_count() {
    grep -F "\"id\": \"$id\"" "$state" | grep -cF "\"state\": \"$1\""
}
