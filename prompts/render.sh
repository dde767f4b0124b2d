#!/bin/sh
# Renders the prompts of one language from its catalogue with espeak-ng and sox:
#
#   prompts/render.sh [language]           all of them (default: en-GB)
#   prompts/render.sh en-GB goodbye muted  these only
#
# Sound: 8 kHz mono 16 bits, 150 Hz to 3.4 kHz, 50 ms of silence before and 150 ms after the words, active speech at
# -19 dBFS (RMS), peak at -3.5 dBFS at most. Debian: apt-get install espeak-ng sox
set -eu

cd "$(dirname "$0")"
language=${1:-en-GB}
[ $# -eq 0 ] || shift
wanted=" $* "
case $language in
    en-GB) voice=en-gb ;;
    *) voice=$(printf %s "$language" | tr '[:upper:]' '[:lower:]') ;;
esac
speed=150      # words a minute: a telephone needs it slower than a desk
gap=2          # pause between words, in 10 ms
level=-19      # dBFS RMS of the words, pauses left out
peak=-3.5      # dBFS

for tool in espeak-ng sox; do
    command -v "$tool" > /dev/null || { echo "render.sh: $tool is missing: apt-get install espeak-ng sox" >&2; exit 1; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# "PIN" is a word, not three letters, and espeak-ng takes capitals for letters.
spoken() {
    printf %s "$1" | sed -e 's/PINs/pins/g' -e 's/PIN/pin/g'
}

# The value of one line of `sox -n stats`.
stats() {
    sox -R -D "$1" -n stats 2>&1 | sed -n "s/^$2 *//p"
}

# The RMS of the words alone, dBFS: every pause over 100 ms left out.
words() {
    sox -R -D "$1" "$work/words.wav" silence 1 0.02 1% -1 0.1 1%
    stats "$work/words.wav" 'RMS lev dB'
}

difference() {
    awk -v a="$1" -v b="$2" 'BEGIN { print a - b }'
}

render() {
    name=$1
    text=$2
    spoken "$text" | espeak-ng -v "$voice" -s "$speed" -g "$gap" --stdin -w "$work/raw.wav"
    # sox: the band of a telephone, silence off both ends.
    trim='silence 1 0.005 0.1%'
    sox -R -D "$work/raw.wav" "$work/band.wav" gain -6 rate -v 8000 highpass 150 highpass 150 lowpass 3400 \
        $trim reverse $trim reverse
    # Loud vowels are pressed down and the rest raised: a telephone is heard in the street. The delay lets the
    # compressor see a peak before it comes.
    sox -R -D "$work/band.wav" "$work/even.wav" gain "$(difference -27 "$(words "$work/band.wav")")" \
        compand 0.002,0.06 3:-60,-54,-34,-29,-24,-26,0,-22 0 -90 0.004
    gain=$(difference $level "$(words "$work/even.wav")")
    most=$(difference $peak "$(stats "$work/even.wav" 'Pk lev dB')")
    gain=$(awk -v a="$gain" -v b="$most" 'BEGIN { print (a < b) ? a : b }')
    sox -R -D "$work/even.wav" -b 16 -c 1 "$language/$name.wav" gain "$gain" fade t 0.004 -0 0.01 pad 0.05 0.15
    printf '%-18s %s s, peak %s dB, words %s dB\n' "$name" "$(soxi -D "$language/$name.wav")" \
        "$(stats "$language/$name.wav" 'Pk lev dB')" "$(words "$language/$name.wav")"
}

sed -n 's/^\([a-z0-9-]*\) *= *"\(.*\)"$/\1 \2/p' "$language/catalogue.toml" > "$work/list"
while read -r name text; do
    case $wanted in
        '  ' | *" $name "*) render "$name" "$text" ;;
    esac
done < "$work/list"
