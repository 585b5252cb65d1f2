#!/usr/bin/env bash
# A virtual microphone and an MQTT broker on this machine, for the tests: scripts/live_services.sh start|stop
#
# `start` adds PulseAudio, PortAudio and mosquitto where they are missing (as root on Debian only), and starts both in a
# folder of their own: a PulseAudio whose null sink `loop` is heard as the default microphone, and a broker on
# 127.0.0.1, port 18831. It prints the variables that tools find them by. Play a file into the microphone with
# `paplay --device=loop FILE`.
set -euo pipefail
folder="${LIVE_HERE:-/tmp/ossicle-live}"
port="${LIVE_MQTT_PORT:-18831}"
# Daemons and ldconfig, for users that have no sbin in their path.
PATH="$PATH:/usr/sbin:/sbin"
# PulseAudio keeps its socket and its cookie here, so that another one of the user is left alone.
export PULSE_RUNTIME_PATH="$folder/pulse" PULSE_STATE_PATH="$folder/state" PULSE_COOKIE="$folder/cookie"
export PULSE_SERVER="unix:$folder/pulse/native"

packages() {
    local wanted=()
    command -v pulseaudio >/dev/null || wanted+=(pulseaudio)
    command -v pactl >/dev/null || wanted+=(pulseaudio-utils)
    ldconfig -p | grep -q libportaudio.so.2 || wanted+=(libportaudio2)
    # The bridge from PortAudio's ALSA to PulseAudio.
    [ -n "$(find /usr/lib -name libasound_module_pcm_pulse.so -print -quit)" ] || wanted+=(libasound2-plugins)
    [ -x /usr/sbin/mosquitto ] || command -v mosquitto >/dev/null || wanted+=(mosquitto)
    command -v mosquitto_sub >/dev/null || wanted+=(mosquitto-clients)
    [ ${#wanted[@]} -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
        echo "${wanted[*]}: missing and not mine to install" >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # Debian starts a broker after its installation; ours is another one.
    printf '#!/bin/sh\nexit 101\n' >"$folder/no-daemon"
    chmod +x "$folder/no-daemon"
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        cp "$folder/no-daemon" /usr/sbin/policy-rc.d
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null
}

start() {
    mkdir -p "$folder"/{pulse,state,broker}
    packages
    cat >"$folder/default.pa" <<PULSE
load-module module-native-protocol-unix socket=$folder/pulse/native auth-anonymous=1
load-module module-null-sink sink_name=loop
set-default-sink loop
set-default-source loop.monitor
PULSE
    cat >"$folder/mosquitto.conf" <<BROKER
listener $port 127.0.0.1
allow_anonymous true
pid_file $folder/broker/pid
BROKER
    if [ ! -s "$folder/pulse/pid" ] || ! kill -0 "$(cat "$folder/pulse/pid")" 2>/dev/null; then
        # As root it warns that it is not meant for root.
        pulseaudio --daemonize=yes --exit-idle-time=-1 --realtime=no --high-priority=no --disable-shm=yes \
            -n --file="$folder/default.pa" --log-target="file:$folder/pulse.log" 2>"$folder/pulse.start"
    fi
    if [ ! -s "$folder/broker/pid" ] || ! kill -0 "$(cat "$folder/broker/pid")" 2>/dev/null; then
        # It gives up root for a user that must be able to write its pid file.
        chmod 777 "$folder/broker"
        mosquitto -d -c "$folder/mosquitto.conf"
    fi
    for _ in $(seq 40); do
        if pactl info >/dev/null 2>&1 && [ -s "$folder/broker/pid" ]; then
            echo "export PULSE_SERVER=$PULSE_SERVER OSSICLE_TEST_MQTT=127.0.0.1:$port"
            return
        fi
        sleep 0.25
    done
    echo "PulseAudio or mosquitto did not come up; see $folder" >&2
    tail -n 5 "$folder"/pulse.log "$folder"/pulse.start >&2 || true
    exit 1
}

stop() {
    # By their own pid files: other servers on this machine are none of ours.
    for pid in "$folder/pulse/pid" "$folder/broker/pid"; do
        [ -s "$pid" ] || continue
        kill "$(cat "$pid")" 2>/dev/null || true
    done
    for _ in $(seq 20); do
        [ -e "$folder/pulse/pid" ] || break
        sleep 0.1
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
