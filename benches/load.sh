#!/usr/bin/env bash
# The load table: starts a gateway on loopback, lets the load generator call it, prints a line for each figure beside
# its target and what the same generator measured with others.
#
#   benches/load.sh [--rows ROW,ROW…] [--seconds N] [--runs N] [--out FILE]
#
# ROWS are named below (ALL_ROWS). SECONDS are measured in each run (20), of RUNS (3) the median counts; the CPU rows
# take two runs more, unless it is one. FILE gets one JSON object a figure (load.jsonl in the target folder).
# The generator is a program of its own; LOADGEN names its folder (../shared/loadgen beside the checkout).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

ALL_ROWS=one-room,rooms-of-ten,three-talk,legs-800,legs-1600,memory,idle,transit,settled,late,lossy,lossy-opus,digits,setup,calls,sound,threads,opus-loudest,opus-everyone,opus-listeners
rows=$ALL_ROWS
seconds=20
runs=3
build=${CARGO_TARGET_DIR:-target}
out=$build/load.jsonl
generator=${LOADGEN:-../shared/loadgen}
target=127.0.0.1:5070

fail() {
    echo "$1" >&2
    exit 1
}

while [[ $# -gt 0 ]]; do
    [[ $# -gt 1 ]] || fail "usage: benches/load.sh [--rows $ALL_ROWS] [--seconds N] [--runs N] [--out FILE]"
    case $1 in
        --rows) rows=$2 ;;
        --seconds) seconds=$2 ;;
        --runs) runs=$2 ;;
        --out) out=$2 ;;
        *) fail "$1 is no option: there are --rows, --seconds, --runs and --out" ;;
    esac
    shift 2
done
IFS=, read -ra rows <<< "$rows"
for row in "${rows[@]}"; do
    [[ ,$ALL_ROWS, == *,$row,* ]] || fail "there is no row $row: $ALL_ROWS"
done
[[ $seconds =~ ^[1-9][0-9]*$ && $runs =~ ^[1-9][0-9]*$ ]] || fail "--seconds and --runs are whole numbers above zero"
[[ -f $generator/Cargo.toml ]] || fail "no load generator in $generator: set LOADGEN to its folder"
[[ $(nproc) -ge 2 ]] || fail "gateway and generator need a core each"

cargo build --locked --release --bin partyline
cargo build --locked --release --manifest-path "$generator/Cargo.toml" --target-dir "$build/loadgen"
partyline=$build/release/partyline
loadgen=$build/loadgen/release/loadgen

work=$(mktemp -d)
gateway=

# An interrupt has the gateway hang up and end; one that still waits for phones that are gone is ended after 5 s.
stop() {
    [[ -n $gateway ]] || return 0
    kill -INT "$gateway" 2> /dev/null || true
    for _ in $(seq 50); do
        kill -0 "$gateway" 2> /dev/null || break
        sleep 0.1
    done
    kill -KILL "$gateway" 2> /dev/null || true
    wait "$gateway" 2> /dev/null || true
    gateway=
}

finish() {
    local pid
    stop
    for pid in $(jobs -p); do
        pkill -P "$pid" || true
        kill "$pid" 2> /dev/null || true
    done
    wait
    rm -rf "$work"
}
trap finish EXIT

# dialplan [THREADS]: the load dialplan of this run
dialplan() {
    sed -e "s|^data .*|data = \"$work\"|" ${1:+-e "s/^\[gateway\]/&\nmedia_threads = $1/"} benches/load.toml
    printf '[rooms.%d]\nannounce = "none"\n' $(seq 2000 2039)
}

# start [COMMAND…]: a fresh gateway, started by a command such as taskset
start() {
    stop
    rm -f "$work/calls.jsonl"
    "$@" "$partyline" run --config "$work/load.toml" > "$work/log" 2>&1 &
    gateway=$!
    for _ in $(seq 100); do
        "$partyline" ctl --socket "$work/partyline.sock" status > /dev/null 2>&1 && return
        kill -0 "$gateway" 2> /dev/null || break
        sleep 0.1
    done
    cat "$work/log" >&2
    exit 1
}

# call REPORT ARGUMENTS…: one run of the generator. It ends with 1 when a call failed: the report tells.
call() {
    local report=$work/$1.json
    shift
    "$loadgen" --target "$target" --server-pid "$gateway" --rt --json "$report" "$@" > /dev/null || [[ $? -eq 1 ]]
}

# times RUNS FUNCTION: each run with a fresh gateway, then the line of the table
times() {
    local run
    for run in $(seq "$1"); do
        start
        "$2" "$row.$run"
    done
    stop
    print
}

print() {
    python3 benches/load_row.py "$row" "$out" "$work/$row".*.json
}

# KiB of the gateway's memory: now, and at the most
resident() {
    awk '/^VmRSS/ { now = $2 } /^VmHWM/ { most = $2 } END { print now ", " most }' "/proc/$gateway/status"
}

# machine REPORT: watches all that is busy, within the time that the generator measures: 400 calls at 200 a second, 3 s
machine() {
    sleep 6
    python3 benches/processor.py "$gateway" $((seconds > 2 ? seconds - 2 : 1)) > "$work/machine/$1.json"
}

one-room() {
    machine "$1" &
    call "$1" --legs 400 --rooms 1 --ramp 200 --duration "$seconds"
}

rooms-of-ten() {
    machine "$1" &
    call "$1" --legs 400 --rooms 40 --ramp 200 --duration "$seconds"
}

legs-800() { call "$1" --legs 800 --rooms 80 --ramp 200 --duration "$seconds"; }
legs-1600() { call "$1" --legs 1600 --rooms 160 --ramp 200 --duration "$seconds"; }
# Seat 1 of 20 rooms: the probing legs send in each of the generator's 20 slots of the packet time once.
transit() { call "$1" --legs 80 --rooms 20 --duration "$seconds" --probe; }
settled() { call "$1" --legs 80 --rooms 20 --duration "$seconds" --probe --settle 40; }
setup() {
    taskset -c 1 "$loadgen" --target "$target" --server-pid "$gateway" --setup --legs $((seconds * 1500)) --ramp 3000 \
        --json "$work/$1.json" > /dev/null || [[ $? -eq 1 ]]
}

# Speakers in a process of their own, since silent legs of the generator send silence and not noise.
three-talk() {
    call "talkers/$1" --legs 3 --settle 0 --duration $((seconds + 8)) --rtp-base 37000 &
    local talkers=$!
    machine "$1" &
    call "$1" --legs 397 --ramp 200 --duration "$seconds" --audio "$work/noise"
    wait "$talkers"
}

# Callers key the number of a room in which a tone sounds all the time, and which announces nobody: the first sound
# they hear after the last digit is that tone.
digits() {
    call "talkers/$1" --legs 40 --rooms 40 --room-base 2000 --ramp 200 --audio tone --settle 0 --duration 16 \
        --rtp-base 37000 &
    local talkers=$!
    call "$1" --legs 400 --rooms 40 --room-base 2000 --ramp 40 --audio silence --settle 3 --duration 1 \
        --uri 'sip:ivr@{target}' --digits '{room}#'
    wait "$talkers"
}

# Every packet to the gateway up to 20 ms late. What the gateway concealed is in its call records.
late() {
    python3 benches/late_relay.py 127.0.0.1:5071 "$target" 20 &
    local relay=$!
    sleep 0.5
    target=127.0.0.1:5071 call "$1" --legs 40 --rooms 10 --duration "$seconds" --probe
    kill "$relay"
    wait "$relay" || true
    stop
    cp "$work/calls.jsonl" "$work/records/$1.json"
}

# Through the same relay nothing is lost, then a tenth of what is sent to the gateway. What it concealed is in its call
# records, and the ticks that it left out in its status.
lossy_run() {
    local report=$1 percent=$2 relay
    python3 benches/late_relay.py 127.0.0.1:5071 "$target" 0 "$percent" &
    relay=$!
    sleep 0.5
    target=127.0.0.1:5071 call "$report" --duration "$seconds" "${@:3}"
    kill "$relay"
    wait "$relay" || true
    "$partyline" ctl --socket "$work/partyline.sock" --json status > "$work/status/$report.json"
    stop
    cp "$work/calls.jsonl" "$work/records/$report.json"
}

lossy() {
    local percent run
    for run in $(seq "$runs"); do
        for percent in 0 10; do
            start
            lossy_run "$row.$run.$percent" "$percent" "$@"
        done
    done
}

# A tone from each of two test phones: alone but for a silent leg (the first in a room is told so), among 400 that send
# noise below the gate, among 400 that talk.
sound() {
    local load hertz phones=() punctual=()
    # Phones that are late themselves spoil the sound: their jitter buffers follow.
    ! chrt --rr 15 true 2> /dev/null || punctual=(chrt --rr 15)
    python3 benches/sound.py play "$work"
    for load in alone noise speech; do
        start
        case $load in
            alone) call load --legs 1 --room-base 2000 --duration 18 --settle 0 --audio silence & ;;
            noise) call load --legs 400 --room-base 2000 --ramp 200 --duration 18 --settle 0 --audio "$work/noise" & ;;
            speech) call load --legs 400 --room-base 2000 --ramp 200 --duration 18 --settle 0 & ;;
        esac
        sleep 3
        for hertz in 727 889; do
            "${punctual[@]}" "$partyline" call "sip:2000@$target" --play "$work/$hertz.wav" --seconds 15 \
                --record "$work/$load.$hertz.wav" > /dev/null &
            phones+=($!)
        done
        wait "${phones[@]}"
        phones=()
        stop
    done
    python3 benches/sound.py judge "$work" > "$work/sound.1.json"
}

# CPU time of each media thread, while 800 legs talk in rooms of ten.
threads() {
    local threads
    for threads in 1 2; do
        dialplan "$threads" > "$work/load.toml"
        start
        call load --legs 800 --rooms 80 --ramp 200 --duration $((seconds + 2)) &
        local load=$!
        sleep 8
        python3 benches/processor.py "$gateway" "$seconds" > "$work/threads.$threads.json"
        wait "$load"
        stop
    done
    dialplan > "$work/load.toml"
}

# opus REPORT LOUDEST ARGUMENTS…: legs that speak Opus, so many of whom are mixed at once.
opus() {
    sed -i "s/^loudest .*/loudest = $2/" "$work/load.toml"
    start
    machine "$1" &
    call "$1" --codec opus "${@:3}" --ramp 50 --duration "$seconds"
}

opus-loudest() { opus "$1" 8 --packets "$work/speech" --legs 50; }
opus-everyone() { opus "$1" 1000 --packets "$work/speech" --legs 50; }

# Three talk, and 400 send Opus without speech.
opus-listeners() {
    sed -i "s/^loudest .*/loudest = 8/" "$work/load.toml"
    start
    call "talkers/$1" --codec opus --packets "$work/speech" --legs 3 --settle 0 --duration $((seconds + 8)) \
        --rtp-base 37000 &
    local talkers=$!
    machine "$1" &
    call "$1" --codec opus --packets "$work/pause" --legs 400 --ramp 200 --duration "$seconds"
    wait "$talkers"
}

mkdir -p "$work"/{talkers,machine,records,status} "$(dirname "$out")"
: > "$out"
dialplan > "$work/load.toml"
# The first six steps of µ-law are 8 apart: noise of 24 RMS, which is −60 dBFS (a full-scale sine is 0).
python3 -c 'import random, sys
draw = random.Random(1)
sys.stdout.buffer.write(bytes(draw.choice((0xFF, 0x7F)) - draw.randrange(6) for _ in range(88000)))' > "$work/noise"

if [[ ${rows[*]} == *opus* ]]; then
    for sound in speech pause; do
        cargo bench --locked --profile release --bench opus_packets -- "$sound" "$work/$sound"
    done
fi

python3 benches/load_row.py --head
for row in "${rows[@]}"; do
    case $row in
        one-room | rooms-of-ten | three-talk) times $((runs > 1 ? runs + 2 : 1)) "$row" ;;
        memory) # from the runs before
            for legs in rooms-of-ten legs-1600; do
                [[ -f $work/$legs.1.json ]] || { start; "$legs" "$legs.1"; }
            done
            python3 benches/load_row.py "$row" "$out" "$work/rooms-of-ten.1.json" "$work/legs-1600.1.json"
            ;;
        idle)
            start
            sleep 2
            python3 benches/processor.py "$gateway" $((seconds * 3)) > "$work/idle.1.json"
            print
            ;;
        setup)
            for run in $(seq "$runs"); do
                start taskset -c 0
                setup "$row.$run"
            done
            print
            ;;
        calls)
            start
            sleep 1
            before=$(resident)
            call load --setup --legs 100000 --ramp 2500
            sleep 40 # the transactions of the last calls are kept for 32 s
            echo "{\"before\": [$before], \"after\": [$(resident)], \"load\": $(cat "$work/load.json")}" \
                > "$work/calls.1.json"
            print
            ;;
        sound | threads)
            "$row"
            print
            ;;
        lossy)
            lossy --legs 400 --rooms 40 --ramp 40
            print
            ;;
        lossy-opus)
            sed -i "s/^loudest .*/loudest = 8/" "$work/load.toml"
            lossy --codec opus --packets "$work/speech" --legs 50 --ramp 20
            print
            ;;
        *) times "$runs" "$row" ;;
    esac
done
