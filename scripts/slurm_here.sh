#!/usr/bin/env bash
# A Slurm of one node on this machine, for the tests: scripts/slurm_here.sh start|stop
#
# Debian as root only: `start` adds slurm-wlm and munge where they are missing, writes a slurm.conf into a folder of its
# own, and starts munged, slurmctld and slurmd. Two partitions, cpu and gpu, share the node; gpu only stands for one.
# No accounting, so no sacct: states come from squeue, scontrol and what jobs write. Tools find it through SLURM_CONF.
set -euo pipefail
folder="${SLURM_HERE:-/tmp/ossicle-slurm}"
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
    mkdir -p "$folder"/{state,spool,log}
    # AuthInfo: a requeued job waits until its first credential has expired, two minutes by default.
    cat >"$SLURM_CONF" <<CONF
ClusterName=here
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
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
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.log
ReturnToService=2
KillWait=10
MinJobAge=300
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$memory State=UNKNOWN
PartitionName=cpu Nodes=$host Default=YES OverSubscribe=NO MaxTime=INFINITE State=UP
PartitionName=gpu Nodes=$host OverSubscribe=NO MaxTime=INFINITE State=UP
CONF
}

up() { sinfo -h -o %T 2>/dev/null | grep -qE 'idle|mixed|alloc'; }

start() {
    packages
    configure
    if ! munge -n >/dev/null 2>&1; then
        mkdir -p /run/munge
        chown munge: /run/munge
        [ -s /etc/munge/munge.key ] || { mungekey --create 2>/dev/null || true; chown munge: /etc/munge/munge.key; }
        runuser -u munge -- munged
    fi
    [ -s "$folder/slurmctld.pid" ] && kill -0 "$(cat "$folder/slurmctld.pid")" 2>/dev/null || slurmctld
    [ -s "$folder/slurmd.pid" ] && kill -0 "$(cat "$folder/slurmd.pid")" 2>/dev/null || slurmd
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

stop() {
    # By their own pid files: another Slurm on this machine is none of ours. munged stays, as it was found or not.
    for daemon in slurmctld slurmd; do
        [ -s "$folder/$daemon.pid" ] || continue
        kill "$(cat "$folder/$daemon.pid")" 2>/dev/null || true
    done
    for _ in $(seq 20); do
        [ -e "$folder/slurmctld.pid" ] || [ -e "$folder/slurmd.pid" ] || break
        sleep 0.5
    done
    rm -rf "$folder"
}

case "${1:-}" in
    start | stop) "$1" ;;
    *)
        echo "usage: $0 start|stop" >&2
        exit 2
        ;;
esac
