#!/bin/sh
# Renders the prompts of one language from its catalogue, with the natural voice (`make voice`):
#
#   prompts/render.sh [language]           all of them (default: en-GB)
#   prompts/render.sh en-GB goodbye muted  these only
#
# Sound: 16 kHz mono 16 bits, active speech at -20 dBov (ITU-T P.56), nothing clipped, some silence
# before and after the words. A test tells prompts that are too fast: PARTYLINE_VOICE_SPEED=0.8 slows them down (0.86 is
# usual). PARTYLINE is the program that speaks (default: cargo run), DATA the folder in which its voice is.
set -eu

cd "$(dirname "$0")"
language=${1:-en-GB}
[ $# -eq 0 ] || shift
wanted=" $* "
data=${DATA:-$PWD/../var}
[ -e "$data/voice/version" ] || { echo "render.sh: no natural voice in $data/voice: make voice VOICE=$data/voice" >&2; exit 1; }

sed -n 's/^\([a-z0-9-]*\) *= *"\(.*\)"$/\1 \2/p' "$language/catalogue.toml" | while read -r name text; do
    case $wanted in
        '  ' | *" $name "*) ;;
        *) continue ;;
    esac
    ${PARTYLINE:-cargo run --quiet --release --} speak --data "$data" --language "$language" --rate 16000 \
        --out "$language/$name.wav" "$text" < /dev/null
done
