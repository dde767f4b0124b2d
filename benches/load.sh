#!/usr/bin/env bash
# The load table: starts a gateway on loopback, lets the load generator call it, prints a row for each load.
#
#   benches/load.sh [SECONDS] [RUNS]     seconds measured in each run (20), runs of which the median counts (3)
#
# The generator is a program of its own; LOADGEN names its folder (../shared/loadgen beside the checkout).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${1:-20}
runs=${2:-3}
generator=${LOADGEN:-../shared/loadgen}
target=127.0.0.1:5070
work=$(mktemp -d)
gateway=

finish() {
    [[ -z $gateway ]] || kill -INT "$gateway" 2> /dev/null || true
    [[ -z $gateway ]] || wait "$gateway" 2> /dev/null || true
    rm -rf "$work"
}
trap finish EXIT

[[ -d $generator ]] || { echo "no load generator in $generator: set LOADGEN to its folder" >&2; exit 1; }
cargo build --locked --release --bin partyline
cargo build --locked --release --manifest-path "$generator/Cargo.toml" --target-dir "$work/generator"
partyline=${CARGO_TARGET_DIR:-target}/release/partyline
loadgen=$work/generator/release/loadgen

start() {
    "$partyline" run --config benches/load.toml > "$work/log" 2>&1 &
    gateway=$!
    for _ in $(seq 100); do
        "$partyline" ctl --socket var/load/partyline.sock status > /dev/null 2>&1 && return
        kill -0 "$gateway" 2> /dev/null || break
        sleep 0.1
    done
    cat "$work/log" >&2
    exit 1
}

# measure NAME ARGUMENTS…: the runs of one load, their reports side by side in NAME.*.json
measure() {
    local name=$1
    shift
    for run in $(seq "$runs"); do
        "$loadgen" --target "$target" --server-pid "$gateway" --rt --ramp 100 --duration "$seconds" "$@" \
            --json "$work/$name.$run.json" > /dev/null
    done
    python3 benches/load_row.py "$name" "$work/$name".*.json
}

start
measure one-room-400 --legs 400 --rooms 1
measure rooms-of-ten-400 --legs 400 --rooms 40
measure three-talk-400 --legs 400 --rooms 1 --talkers 3
measure rooms-of-ten-800 --legs 800 --rooms 80
measure rooms-of-ten-1600 --legs 1600 --rooms 160
measure transit --legs 40 --rooms 10 --probe
measure setup --legs 9000 --ramp 3000 --setup
