"""The strings of the tokenizer's parity test, and what transformers' CLIPTokenizer makes of them.

    tokenizer_strings.py make OUT.json            a list of strings, from a fixed seed
    tokenizer_strings.py encode DIR IN.json OUT.json   their ids, and the ids' text
"""

import json
import random
import sys
import unicodedata

from tokenizers import normalizers
from transformers import CLIPTokenizer

WORDS = """a photo of the dog alarm clock battery bed bike bottle calculator it's don't we'll they've I'm you'd
you're café naïve Ångström ÜBER straße İstanbul ΣΊΣΥΦΟΣ Привет мир 東京 こんにちは 안녕하세요 नमस्ते ไทย مرحبا שלום
ﬁne ½ ² Ⅷ ٣٤ 12345 3.14 e-mail @home #tag <b>bold</b> &amp; &lt;p&gt; hello_world C++ o'clock rock'n'roll 'tis
<|startoftext|> <|endoftext|> <|ENDOFTEXT|> !!<|EndOfText|>!! </w> a</w> ''s 's'S 'LL ...'t ǅ ǈ ʼn ẞ Ⓐ 🙂 👩‍👩‍👧‍👦 🇯🇵 ❤️""".split()
SPACES = [" ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u2003", "\u3000", "\u0085", "\u200b", "\x1c", "\x0b", ""]


def is_known(character):
    """False for marks younger than the reference's Unicode tables, which it does not reorder."""
    if unicodedata.category(character) in ("Cs", "Cn"):
        return False
    pair = character + "\u0334"  # a mark of class 1, which goes before all others
    return normalizers.NFC().normalize_str(pair) == unicodedata.normalize("NFC", pair)


def assigned(rng, low, high):
    while True:
        character = chr(rng.randrange(low, high))
        if is_known(character):
            return character


def make(path):
    rng = random.Random(7)
    strings = ["", " ", "\n\n", "\x00", "a\x00b", "'", "''''s", "a" * 5000, "ab!" * 700, "é", "e\u0301", "\u0301", "A\u030a\u0301"]
    for _ in range(3000):
        parts = [rng.choice(WORDS) + rng.choice(SPACES) for _ in range(rng.randrange(1, 12))]
        strings.append("".join(parts))
    for _ in range(1500):
        strings.append("".join(chr(rng.randrange(1, 0x180)) for _ in range(rng.randrange(1, 40))))
    for _ in range(1500):
        strings.append("".join(assigned(rng, 1, 0x3100) for _ in range(rng.randrange(1, 20))))
    for _ in range(800):
        strings.append("".join(assigned(rng, 1, 0x20000) for _ in range(rng.randrange(1, 20))))
    with open(path, "w", encoding="utf-8") as out:
        json.dump(strings, out)


def encode(directory, source, path):
    tokenizer = CLIPTokenizer.from_pretrained(directory)
    with open(source, encoding="utf-8") as file:
        strings = json.load(file)
    ids = [tokenizer(text, add_special_tokens=False).input_ids for text in strings]
    texts = [tokenizer.decode(row) for row in ids]
    cut = tokenizer(strings[:500], truncation=True, max_length=16, padding="max_length").input_ids
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"ids": ids, "texts": texts, "cut": cut, "size": len(tokenizer)}, out)


if __name__ == "__main__":
    {"make": make, "encode": encode}[sys.argv[1]](*sys.argv[2:])
