"""The sound under load is the sound without load: two test phones play a tone each and record what they hear.

    sound.py play FOLDER     writes the tones: 800.wav and 1000.wav
    sound.py judge FOLDER    reads alone.*, noise.* and speech.*, each as recorded by both phones. Prints JSON.

A tone whose period is a whole number of samples comes out as the same few samples over and over, if nothing is lost,
concealed, stretched or added: a recording is compared with its own most frequent period, sample for sample, and with the
period that was recorded without load.
"""

import array
import cmath
import collections
import json
import math
import sys
import wave

RATE = 8000
FRAME = 160
PERIODS = {800: 10, 1000: 8}
# Judged is what lies between: jitter buffers have settled, and nobody has hung up.
START, END = 3 * RATE, 9 * RATE
AMPLITUDE = 5827  # -15 dBFS


def play(folder: str) -> None:
    for hertz in PERIODS:
        samples = (round(AMPLITUDE * math.sin(math.tau * hertz * i / RATE)) for i in range(RATE))
        with wave.open(f"{folder}/{hertz}.wav", "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(array.array("h", samples).tobytes())


def read(path: str) -> array.array:
    with wave.open(path) as file:
        samples = array.array("h", file.readframes(file.getnframes()))
    if len(samples) < END:
        sys.exit(f"{path} is too short: {len(samples) / RATE:.1f} s")
    return samples[START:END]


def level(samples: array.array, hertz: int) -> float:
    """Of one frequency, in dBFS: a full-scale sine is 0."""
    turn = -math.tau * hertz / RATE
    total = abs(sum(sample * cmath.exp(1j * turn * i) for i, sample in enumerate(samples)))
    return 20 * math.log10(max(total * 2 / len(samples) / 32768, 1e-9))


def period(samples: array.array, length: int) -> tuple[int, ...]:
    """The most frequent one, turned so that all its rotations look alike."""
    seen = collections.Counter(tuple(samples[i : i + length]) for i in range(0, len(samples) - length, length))
    one = seen.most_common(1)[0][0]
    return min(one[i:] + one[:i] for i in range(length))


def spoilt(samples: array.array, pattern: tuple[int, ...]) -> int:
    """Frames that are not the pattern from end to end."""
    length = len(pattern)
    clean = {pattern[i:] + pattern[:i] for i in range(length)}
    return sum(
        tuple(samples[i : i + length]) not in clean or samples[i : i + FRAME - length] != samples[i + length : i + FRAME]
        for i in range(0, len(samples) - FRAME + 1, FRAME)
    )


def judge(folder: str) -> None:
    report = []
    for own, other in ((800, 1000), (1000, 800)):
        alone = read(f"{folder}/alone.{own}.wav")
        pattern = period(alone, PERIODS[other])
        for load in ("alone", "noise", "speech"):
            heard = read(f"{folder}/{load}.{own}.wav")
            report.append({
                "load": load,
                "own": own,
                "other_dbfs": level(heard, other),
                "own_dbfs": level(heard, own),
                "change_db": level(heard, other) - level(alone, other),
                "frames": len(heard) // FRAME,
                "spoilt_frames": spoilt(heard, pattern),
            })
    print(json.dumps({"heard": report}))


{"play": play, "judge": judge}[sys.argv[1]](sys.argv[2])
