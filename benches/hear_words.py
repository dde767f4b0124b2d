"""Whether what callers on a bad line say is understood: has digits and sentences heard by a recogniser.

    hear_words.py BAD_LINE RECORDINGS [--codecs pcmu,opus]

BAD_LINE is what bad_line.rs is built to; RECORDINGS holds Debian's asterisk-core-sounds-en-wav, whose texts are in the
documentation of asterisk-core-sounds-en. 100 strings of six digits and 50 sentences, word for word, over a clean line
and over one that loses 10 % of the packets and delays each by up to 60 ms. Exits with 1 where fewer than 95 % of those
that are understood over the clean line are understood over the bad one.
"""

import argparse
import gzip
import random
import re
import sys
from pathlib import Path

import numpy
from bad_line import RATES, heard, read
from hear_prompts import hear, recogniser, words
from math import gcd
from scipy.signal import resample_poly

TEXTS = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
LINES = {"clean": (0, 1, 0), "10 %, 60 ms of jitter": (10, 1, 60)}
PAUSE = 0.25


def strings(recordings):
    """100 strings of six digits: text and samples at 8 kHz."""
    spoken = [read(recordings / "digits" / f"{digit}.wav") for digit in range(10)]
    assert all(rate == 8_000 for _, rate in spoken)
    draw = random.Random(1)
    for _ in range(100):
        digits = [draw.randrange(10) for _ in range(6)]
        pieces = [piece for digit in digits for piece in (spoken[digit][0], numpy.zeros(int(PAUSE * 8_000)))]
        yield "".join(map(str, digits)), numpy.concatenate(pieces)


def sentences(recordings):
    """The first 50 of at least five words and 1.5 to 8 s, without digits or what is no speech."""
    found = 0
    for line in gzip.open(TEXTS, "rt"):
        name, _, text = line.strip().partition(": ")
        path = recordings / f"{name}.wav"
        if name.startswith(";") or re.search(r"[\[\]\d]|\.\.\.", text) or len(text.split()) < 5 or not path.exists():
            continue
        samples, rate = read(path)
        assert rate == 8_000
        if 1.5 <= len(samples) / rate <= 8 and found < 50:
            found += 1
            yield text, samples
    assert found == 50, f"only {found} sentences"


def digits_of(text):
    """The digits of what was heard, however they are written."""
    for digit, word in enumerate(DIGITS):
        text = re.sub(rf"\b{word}\b", str(digit), text.lower())
    return re.sub(r"\D", "", text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", metavar="BAD_LINE")
    parser.add_argument("recordings", metavar="RECORDINGS", type=Path)
    parser.add_argument("--codecs", default="pcmu,opus")
    options = parser.parse_args()
    model = recogniser("en")
    kinds = {"strings of digits": (strings, digits_of, digits_of), "sentences": (sentences,) + (lambda t: words(t, "en"),) * 2}
    failed = False
    print("| codec | | understood, clean | " + list(LINES)[1] + " |\n|---|---|---|---|")
    for codec in options.codecs.split(","):
        rate = RATES[codec]
        for kind, (clips, of_heard, of_text) in kinds.items():
            count, understood = 0, dict.fromkeys(LINES, 0)
            for seed, (text, samples) in enumerate(clips(options.recordings)):
                count += 1
                shared = gcd(rate, 8_000)
                sound = resample_poly(samples, rate // shared, 8_000 // shared)
                # In whole packets, with a pause behind it.
                sound = numpy.concatenate([sound, numpy.zeros(rate // 2)])
                sound = numpy.clip(sound, -32_768, 32_767).astype("<i2")
                for line, (loss, burst, jitter) in LINES.items():
                    said = hear(model, "en", heard(options.program, codec, sound, loss, burst, jitter, seed) / 32_768)
                    if of_heard(said) == of_text(text):
                        understood[line] += 1
            clean, bad = understood.values()
            failed |= bad < 0.95 * clean
            print(f"| {codec} | {count} {kind} | {clean} | {bad} |", flush=True)
    return failed


sys.exit(main())
