"""The sound under load is the sound without load: two test phones play a tone each and record what they hear.

    sound.py play FOLDER     writes the tones: 727.wav and 889.wav
    sound.py judge FOLDER    reads alone.*, noise.* and speech.*, each as recorded by both phones. Prints JSON.

A tone whose period is a whole number of samples comes out as the same few samples over and over, if nothing is lost,
concealed, stretched or added: a recording is compared, sample for sample, with the period that was recorded without load.
The frequencies are no multiples of 50 Hz, where many talkers that play one signal, shifted by whole packets, are loudest.
"""

import array
import cmath
import collections
import json
import math
import statistics
import sys
import wave

RATE = 8000
FRAME = 160
# Of the tones, in samples; 8000 ÷ 11 is 727 Hz.
PERIODS = {"727": 11, "889": 9}
# Judged is what lies between: jitter buffers have settled, and nobody has hung up. What comes before is told.
JOINED, SETTLED, END = 1 * RATE, 8 * RATE, 14 * RATE
AMPLITUDE = 5827  # -15 dBFS


def play(folder: str) -> None:
    for name, length in PERIODS.items():
        samples = (round(AMPLITUDE * math.sin(math.tau * i / length)) for i in range(length * 800))
        with wave.open(f"{folder}/{name}.wav", "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(array.array("h", samples).tobytes())


def read(path: str) -> array.array:
    with wave.open(path) as file:
        samples = array.array("h", file.readframes(file.getnframes()))
    if len(samples) < END:
        sys.exit(f"{path} is too short: {len(samples) / RATE:.1f} s")
    return samples


def level(samples: array.array, length: int) -> float:
    """Of the tone of that period, in dBFS (a full-scale sine is 0): the median of seconds, each summed in phase."""
    turn = -1j * math.tau / length
    seconds = [samples[i : i + RATE] for i in range(0, len(samples) - RATE + 1, RATE)]
    amplitudes = [abs(sum(sample * cmath.exp(turn * i) for i, sample in enumerate(one))) * 2 / RATE for one in seconds]
    return 20 * math.log10(max(statistics.median(amplitudes) / 32768, 1e-9))


def period(samples: array.array, length: int) -> tuple[int, ...]:
    """The most frequent one."""
    seen = collections.Counter(tuple(samples[i : i + length]) for i in range(0, len(samples) - length, length))
    return seen.most_common(1)[0][0]


def spoilt(samples: array.array, pattern: tuple[int, ...]) -> int:
    """Frames that are not the pattern from end to end."""
    length = len(pattern)
    clean = {pattern[i:] + pattern[:i] for i in range(length)}
    return sum(
        tuple(samples[i : i + length]) not in clean
        or samples[i : i + FRAME - length] != samples[i + length : i + FRAME]
        for i in range(0, len(samples) - FRAME + 1, FRAME)
    )


def judge(folder: str) -> None:
    report = []
    for own, other in (("727", "889"), ("889", "727")):
        alone = read(f"{folder}/alone.{own}.wav")[SETTLED:END]
        pattern = period(alone, PERIODS[other])
        alone_dbfs = level(alone, PERIODS[other])
        for load in ("alone", "noise", "speech"):
            heard = read(f"{folder}/{load}.{own}.wav")
            settled = heard[SETTLED:END]
            other_dbfs = level(settled, PERIODS[other])
            report.append(
                {
                    "load": load,
                    "own": own,
                    "other_dbfs": other_dbfs,
                    "own_dbfs": level(settled, PERIODS[own]),
                    "change_db": other_dbfs - alone_dbfs,
                    "frames": len(settled) // FRAME,
                    "spoilt_frames": spoilt(settled, pattern),
                    "spoilt_while_settling": spoilt(heard[JOINED:SETTLED], pattern),
                }
            )
    print(json.dumps({"heard": report}))


{"play": play, "judge": judge}[sys.argv[1]](sys.argv[2])
