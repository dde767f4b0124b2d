"""How a caller on a bad line is heard: what is lost of PESQ (P.862, narrow band), and of PLCMOS v2.

    bad_line.py BAD_LINE --clips FOLDER [--clips FOLDER]... [--seeds N] [--codecs pcmu,g722,opus]

BAD_LINE is what bad_line.rs is built to. Each folder of clips is one voice: WAV files, joined to 9 s at -26 dBov. What
is lost is told against the same clip without loss, the mean over clips and seeds (10).
"""

import argparse
import subprocess
import sys
import warnings
import wave
from concurrent.futures import ThreadPoolExecutor
from math import gcd
from pathlib import Path

import numpy
from scipy.signal import correlate, resample_poly

RATES = {"pcmu": 8_000, "g722": 16_000, "opus": 48_000}
SECONDS = 9
# Name, percent lost, in a row, milliseconds of jitter.
LINES = [
    ("1 %", 1, 1, 0),
    ("5 %", 5, 1, 0),
    ("10 %", 10, 1, 0),
    ("20 %", 20, 1, 0),
    ("5 % in bursts of 60 ms", 5, 3, 0),
    ("5 %, five in a row", 5, 5, 0),
    ("10 %, 60 ms of jitter", 10, 1, 60),
]


def read(path):
    """Samples and rate of a WAV file of 16 bits."""
    with wave.open(str(path)) as file:
        samples = numpy.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(float)
        return samples[:: file.getnchannels()], file.getframerate()


def clip(folder, rate):
    """One voice: what its files say, at a rate."""
    pieces, length = [], 0
    for path in sorted(folder.glob("*.wav")):
        samples, own = read(path)
        if len(samples) < 1.2 * own:
            continue
        shared = gcd(own, rate)
        samples = resample_poly(samples, rate // shared, own // shared)
        pieces += [samples, numpy.zeros(rate // 5)]
        length += len(samples) + rate // 5
        if length > SECONDS * rate:
            break
    if length < SECONDS * rate:
        sys.exit(f"{folder} has less than {SECONDS} s of WAV files")
    samples = numpy.concatenate(pieces)[: SECONDS * rate]
    active = samples[numpy.abs(samples) > 200]
    samples *= 32_768 * 10 ** (-26 / 20) / numpy.sqrt(numpy.mean(active**2))
    return numpy.clip(samples, -32_768, 32_767).astype("<i2")


def heard(program, codec, sound, loss, burst, jitter, seed):
    command = [sys.executable] if program.endswith(".py") else []
    command += [program, codec, str(loss), str(burst), str(jitter), str(seed)]
    out = subprocess.run(command, input=sound.tobytes(), stdout=subprocess.PIPE, check=True).stdout
    return numpy.frombuffer(out, dtype="<i2")


def cut(sound, reference):
    """What is heard of a clip, from its beginning to its end. Silence around it would be judged along with it: PLCMOS,
    which takes its scale from the quietest moment, gives 0.1 to 0.2 less for that."""
    delay = numpy.argmax(correlate(sound.astype(float), reference.astype(float), "valid", "fft"))
    return sound[delay : delay + len(reference)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", metavar="BAD_LINE")
    parser.add_argument("--clips", action="append", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--codecs", default="pcmu,g722,opus")
    parser.add_argument("--workers", type=int, default=2, help="how many listen at once (2)")
    options = parser.parse_args()
    from pesq import pesq

    def by_pesq(reference, sound):
        return pesq(8_000, reference / 32_768, sound / 32_768, "nb")

    judges = {"PESQ": by_pesq}
    try:
        warnings.filterwarnings("ignore")
        from speechmos import plcmos

        def by_plcmos(_, sound):
            wide = resample_poly(sound.astype(float) / 32_768, 2, 1)
            return plcmos.run(numpy.clip(wide, -1, 1), sr=16_000)["plcmos"]

        judges["PLCMOS"] = by_plcmos
    except ImportError:
        print("no speechmos: PESQ alone", file=sys.stderr)

    print("| codec, judge | without loss | " + " | ".join(name for name, *_ in LINES) + " |")
    print("|---" * (len(LINES) + 2) + "|")
    for codec in options.codecs.split(","):
        clips = [(clip(folder, RATES[codec]), clip(folder, 8_000)) for folder in options.clips]
        with ThreadPoolExecutor(options.workers) as workers:
            clean = list(workers.map(lambda clip: cut(heard(options.program, codec, clip[0], 0, 1, 0, 1), clip[1]), clips))
            scores = {name: [judge(ref, out) for (_, ref), out in zip(clips, clean)] for name, judge in judges.items()}
            rows = {name: [f"{numpy.mean(scores[name]):.2f}"] for name in judges}
            for _, loss, burst, jitter in LINES:
                runs = [(at, seed) for at in range(len(clips)) for seed in range(1, options.seeds + 1)]

                def listen(run, loss=loss, burst=burst, jitter=jitter):
                    sound, reference = clips[run[0]]
                    return cut(heard(options.program, codec, sound, loss, burst, jitter, run[1]), reference)

                sounds = list(zip(runs, workers.map(listen, runs)))
                for name, judge in judges.items():
                    lost = workers.map(
                        lambda item: scores[name][item[0][0]] - judge(clips[item[0][0]][1], item[1]), sounds
                    )
                    rows[name].append(f"−{numpy.mean(list(lost)):.2f}")
            for name, row in rows.items():
                print(f"| {codec}, {name} | " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
