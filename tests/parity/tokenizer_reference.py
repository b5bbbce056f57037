"""What transformers' CLIPTokenizer makes of the test strings, and where OpenAI's own code differs.

    tokenizer_reference.py MODEL_DIR OUT_DIR [--small]

MODEL_DIR holds a vocabulary; without one, CLIP's real one is written there first. OUT_DIR then holds
    kinds.json     {"kinds": [[kind, number of strings, see below], ...], "vocabulary": size, "context": length}
    strings.bin    for each string its length in bytes (uint32) and its bytes
    ids.bin        for each string the number of ids (uint32) and the ids (uint16), without start and end
    texts.bin      like strings.bin: the ids as text again
    cut.bin        like ids.bin: the first strings of each kind, cut and padded to CONTEXT
--small leaves out most of the strings, for a vocabulary of another size.

The tokenizer of OpenAI's code, which open_clip still carries, cleans texts before it splits them: it repairs
broken encodings (ftfy) and resolves HTML entities. For the real vocabulary, the third number of a kind
is how many of its first strings that tokenizer reads differently. On plain text both must agree.
"""

import importlib.util
import json
import struct
import sys
from pathlib import Path

import numpy
from transformers import CLIPTokenizer

import clip_vocabulary
import tokenizer_strings

CONTEXT = 77
CHUNK = 20000
COMPARED = 300


def blobs(texts):
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def rows(lists):
    return b"".join(struct.pack("<I", len(row)) + numpy.asarray(row, dtype="<u2").tobytes() for row in lists)


def openai_tokenizer():
    """open_clip's, from its file: importing the package would need what it depends on."""
    spec = importlib.util.spec_from_file_location("open_clip_tokenizer", clip_vocabulary.open_clip_folder() / "tokenizer.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SimpleTokenizer()


def compare_with_openai(tokenizer, kinds, texts):
    """Adds to each kind how many of its first strings OpenAI's code reads differently."""
    openai = openai_tokenizer()
    at = 0
    for kind in kinds:
        part = texts[at : at + min(kind[1], COMPARED)]
        at += kind[1]
        part = [text for text in part if len(text) < 1000]
        ours = tokenizer(part, add_special_tokens=False).input_ids
        theirs = [openai.encode(text) for text in part]
        kind.append(sum(a != b for a, b in zip(ours, theirs)))
        for text, a, b in zip(part, ours, theirs):
            is_plain = text.isascii() and text.isprintable() and "&" not in text and "<" not in text
            assert a == b or not is_plain, f"OpenAI's code reads {text!r} as {b}, transformers as {a}"


def main(model, out, small):
    if not (model / "vocab.json").exists():
        clip_vocabulary.write(model)
    tokenizer = CLIPTokenizer.from_pretrained(model)
    kinds, raw, cut = [], [], []
    for kind, strings in tokenizer_strings.all_strings():
        strings = strings[:COMPARED] if small else strings
        kinds.append([kind, len(strings)])
        raw += [text if isinstance(text, bytes) else text.encode() for text in strings]
        cut += strings[:100]
    # What is no UTF-8 is replaced the way Python does it: one U+FFFD for each broken sequence.
    texts = [text.decode("utf-8", errors="replace") for text in raw]
    cut = [text.decode("utf-8", errors="replace") if isinstance(text, bytes) else text for text in cut]
    with open(out / "ids.bin", "wb") as ids, open(out / "texts.bin", "wb") as again:
        for at in range(0, len(texts), CHUNK):
            part = tokenizer(texts[at : at + CHUNK], add_special_tokens=False).input_ids
            ids.write(rows(part))
            again.write(blobs(tokenizer.decode(row).encode() for row in part))
    if not small:
        compare_with_openai(tokenizer, kinds, texts)
    cut = tokenizer(cut, truncation=True, max_length=CONTEXT, padding="max_length").input_ids
    (out / "cut.bin").write_bytes(rows(cut))
    (out / "strings.bin").write_bytes(blobs(raw))
    (out / "kinds.json").write_text(json.dumps({"kinds": kinds, "vocabulary": len(tokenizer), "context": CONTEXT}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), "--small" in sys.argv)
