#!/usr/bin/env bash
# A Slurm on this machine, for the tests: scripts/slurm_here.sh start|stop|cut
#
# Debian as root only: `start` adds slurm-wlm and munge where they are missing, writes a slurm.conf into a folder of its
# own, and starts munged, slurmctld and two slurmd. Two partitions, cpu and gpu, share the first node; gpu only stands
# for one. Partition pair has both nodes; a job begins on the second, `spare`, while that is up. `cut` ends `spare` as a
# power cut does: slurmd, and all that it started, are killed. `start` starts it again.
# No accounting, so no sacct: states come from squeue, scontrol and what jobs write. Tools find it through SLURM_CONF.
# SLURM_HERE is the folder, SLURM_HERE_PORT the first of three ports: another pair runs beside this one.
set -euo pipefail
folder="${SLURM_HERE:-/tmp/ossicle-slurm}"
port="${SLURM_HERE_PORT:-16817}"
export SLURM_CONF="$folder/slurm.conf"

packages() {
    command -v slurmctld >/dev/null && command -v slurmd >/dev/null && command -v munged >/dev/null && return
    if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
        echo "slurm-wlm and munge are missing and not mine to install" >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends slurm-wlm munge >/dev/null
}

configure() {
    local host memory
    host="$(hostname -s)"
    memory="$(awk '/MemTotal/ {print int($2 / 1024 * 0.8)}' /proc/meminfo)"
    mkdir -p "$folder"/{state,log}
    # AuthInfo: a requeued job waits until its first credential has expired, two minutes by default.
    cat >"$SLURM_CONF" <<CONF
ClusterName=here
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
AuthType=auth/munge
AuthInfo=cred_expire=5
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,batch_sched_delay=0,bf_interval=2,sched_min_interval=100000
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd-%n.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd-%n.log
ReturnToService=2
KillWait=10
MinJobAge=300
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName=$host NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=$(nproc) RealMemory=$memory Weight=2 State=UNKNOWN
NodeName=spare NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=1 RealMemory=$memory Weight=1 State=UNKNOWN
PartitionName=cpu Nodes=$host Default=YES OverSubscribe=NO MaxTime=INFINITE State=UP
PartitionName=gpu Nodes=$host OverSubscribe=NO MaxTime=INFINITE State=UP
PartitionName=pair Nodes=$host,spare OverSubscribe=NO MaxTime=INFINITE State=UP
CONF
}

# Both nodes.
up() { [ "$(sinfo -h -N -p pair -o %T 2>/dev/null | grep -cE '^(idle|mixed|allocated)$')" -eq 2 ]; }

alive() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }

start() {
    packages
    configure
    if ! munge -n >/dev/null 2>&1; then
        mkdir -p /run/munge
        chown munge: /run/munge
        [ -s /etc/munge/munge.key ] || { mungekey --create 2>/dev/null || true; chown munge: /etc/munge/munge.key; }
        runuser -u munge -- munged
    fi
    alive "$folder/slurmctld.pid" || slurmctld
    for node in "$(hostname -s)" spare; do
        alive "$folder/slurmd-$node.pid" || slurmd -N "$node"
    done
    for _ in $(seq 60); do
        if up; then
            echo "export SLURM_CONF=$SLURM_CONF"
            return
        fi
        sleep 0.5
    done
    echo "Slurm did not come up; see $folder/log" >&2
    tail -n 5 "$folder"/log/*.log >&2
    exit 1
}

# Processes of jobs on `spare` say so in their environment. The slurmstepd above them would still report their end, so it
# goes first.
cut() {
    local file pid parent jobs=() steps=()
    kill -KILL "$(cat "$folder/slurmd-spare.pid")"
    for file in /proc/[0-9]*/environ; do
        # Processes end meanwhile, and others are not ours to read.
        [ "$(tr '\0' '\n' <"$file" 2>/dev/null | grep -cxF -e SLURMD_NODENAME=spare -e "SLURM_CONF=$SLURM_CONF")" = 2 ] || continue
        pid="${file#/proc/}"
        jobs+=("${pid%/environ}")
    done 2>/dev/null
    for pid in "${jobs[@]}"; do
        parent="$(awk '/^PPid:/ {print $2}' "/proc/$pid/status" 2>/dev/null)" || continue
        [ "$(cat "/proc/$parent/comm" 2>/dev/null)" != slurmstepd ] || steps+=("$parent")
    done
    for pid in "${steps[@]}" "${jobs[@]}"; do
        kill -KILL "$pid" 2>/dev/null || true
    done
    rm -f "$folder/slurmd-spare.pid"
}

stop() {
    # By their own pid files: another Slurm on this machine is none of ours. munged stays, as it was found or not.
    local file
    for file in "$folder"/*.pid; do
        alive "$file" && kill "$(cat "$file")" 2>/dev/null || true
    done
    for _ in $(seq 20); do
        compgen -G "$folder/*.pid" >/dev/null || break
        sleep 0.5
    done
    rm -rf "$folder"
}

case "${1:-}" in
    start | stop | cut) "$1" ;;
    *)
        echo "usage: $0 start|stop|cut" >&2
        exit 2
        ;;
esac
