"""The strings of the tokenizer's parity test: every kind of text, from a fixed seed.

`all_strings()` gives (name of the kind, list of strings) pairs. A string is a `str`, or `bytes` where
it is meant to be no UTF-8.
"""

import html.entities
import random
import unicodedata

SEED = 20261123
SURROGATES = range(0xD800, 0xE000)

WORDS = """a photo of the dog alarm clock battery bed bike bottle calculator it's don't we'll they've I'm you'd
you're café naïve Ångström ÜBER straße İstanbul ΣΊΣΥΦΟΣ Привет мир 東京 こんにちは 안녕하세요 नमस्ते ไทย مرحبا שלום
ﬁne ½ ² Ⅷ ٣٤ 12345 3.14 e-mail @home #tag <b>bold</b> &amp; &lt;p&gt; hello_world C++ o'clock rock'n'roll 'tis
</w> a</w> ''s 's'S 'LL ...'t ǅ ǈ ŉ ẞ Ⓐ 🙂 ❤️""".split()
SPACES = [" ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u2003", "\u3000", "\u0085", "\u200b", "\x1c", "\x0b",
          "\u1680", "\u202f", "\u2028", "\u180e", "\ufeff", ""]
MARKS = ["<|startoftext|>", "<|endoftext|>", "<|ENDOFTEXT|>", "<|EndOfText|>", "<|startoftext|", "|>", "<|",
         "<start_of_text>", "<end_of_text>", "<|endoftext|>" * 2]
CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'T", "'RE", "'Ve", "'M", "'lL", "'D", "'",
                "''", "\u2019s", "'\u017f", "'st", "'rev", "'llama", "'dd", "\u02bcs", "`s"]
CASED = ["\u0130", "\u0131", "\u00df", "\u1e9e", "\u017f", "\ufb01", "\ufb03", "\u01c4", "\u01c5", "\u01c6", "\u03a3",
         "\u03c3", "\u03c2", "\u0149", "\u01f0", "\u0390", "\u1f88", "\u1f80", "\u2126", "\u212a", "\u212b",
         "\u13a0", "\uab70", "\u10a0", "\u1c90", "\u10d0", "\U00010400", "\U00010428", "\U0001e900", "\u2c00", "\uff21",
         "\u24b6", "\u2160", "\u216f", "\u0345", "\u0307", "I", "i", "S", "K", "\u1e97", "\ua64a", "\u1c88", "\ua7ae"]
EMOJI = [*map(chr, range(0x1F300, 0x1F700)), *map(chr, range(0x1F900, 0x1FA00)), *map(chr, range(0x2600, 0x27C0))]
JOINERS = ["\u200d", "\ufe0f", "\ufe0e", "\u20e3", "\u200d", "\ufe0f", *map(chr, range(0x1F3FB, 0x1F400))]
FAMILIES = ["👩‍👩‍👧‍👦", "🇯🇵", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "👩🏽‍🚀", "1️⃣", "❤️‍🔥", "🧑🏿‍🤝‍🧑🏻", "🏳️‍🌈"]
CONTROLS = [*range(0x00, 0x21), *range(0x7F, 0xA1), 0xAD, 0x034F, 0x061C, *range(0x200B, 0x2010),
            *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0xFEFF, *range(0xFFF0, 0x10000), 0xE000, 0xF8FF,
            0xFDD0, 0x1FFFE, 0xE0001, 0xF0000, 0x10FFFF]
SCRIPTS = [(0x370, 0x3FF), (0x400, 0x52F), (0x530, 0x58F), (0x590, 0x5FF), (0x600, 0x6FF), (0x700, 0x7FF),
           (0x8A0, 0x97F), (0x980, 0xA7F), (0xA80, 0xB7F), (0xB80, 0xC7F), (0xC80, 0xDFF), (0xE00, 0xEFF),
           (0xF00, 0xFFF), (0x1000, 0x109F), (0x10A0, 0x10FF), (0x1200, 0x139F), (0x13A0, 0x13FF),
           (0x1400, 0x16FF), (0x1700, 0x18AF), (0x1900, 0x1AFF), (0x1B00, 0x1CFF), (0x1D00, 0x1DFF),
           (0x2C00, 0x2DFF), (0xA000, 0xA4FF), (0xA500, 0xA9FF), (0xAA00, 0xABFF), (0xFB00, 0xFDFF),
           (0x10300, 0x105FF), (0x10600, 0x10FFF), (0x11000, 0x117FF), (0x11800, 0x11FFF), (0x16800, 0x16FFF),
           (0x1D400, 0x1D7FF), (0x1E000, 0x1E2FF), (0x1E800, 0x1E95F)]


def scalar(rng, low=0, high=0x110000):
    while True:
        code = rng.randrange(low, high)
        if code not in SURROGATES:
            return chr(code)


def joined(rng, parts, low, high):
    return "".join(rng.choices(parts, k=rng.randrange(low, high)))


def with_spaces(rng, words):
    return "".join(word + rng.choice(SPACES) for word in words)


def characters(test):
    return [chr(code) for code in range(0x110000) if code not in SURROGATES and test(chr(code))]


def broken(rng):
    """Bytes that are no UTF-8: cut, overlong, surrogates, too high, or noise."""
    whole = bytearray("café 東京 🙂 ÜBER a photo".encode() * rng.randrange(1, 3))
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(whole))
        way = rng.randrange(4)
        if way == 0:
            del whole[at]
        elif way == 1:
            whole[at] = rng.randrange(256)
        elif way == 2:
            whole[at:at] = rng.choice([b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe0\x80\x80", b"\xff",
                                       b"\xf0\x8f\xbf\xbf", b"\xf8\x88\x80\x80\x80", b"\xe2\x82", b"\x80"])
        else:
            del whole[at + 1 :]
            break
    return bytes(whole)


def all_strings():
    rng = random.Random(SEED)
    ascii_all = [chr(code) for code in range(0x20, 0x7F)]
    letters = [chr(code) for code in range(0x41, 0x7B) if chr(code).isalpha()]
    accented = [chr(code) for code in range(0xC0, 0x250)] + [chr(code) for code in range(0x1E00, 0x2000)]
    combining = characters(unicodedata.combining)
    numbers = characters(lambda c: unicodedata.category(c)[0] == "N")
    composed = characters(lambda c: unicodedata.normalize("NFD", c) != c and not 0xAC00 <= ord(c) < 0xD7A4)
    jamo = [chr(code) for code in (*range(0x1100, 0x1113), *range(0x1161, 0x1176), *range(0x11A7, 0x11C3))]
    entities = ["&" + name for name in html.entities.html5] + ["&#39;", "&#x1F600;", "&amp;amp;lt;", "&#0;"]
    forms = ["NFC", "NFD", "NFKC", "NFKD"]

    def many(count, one):
        return [one() for _ in range(count)]

    def in_some_form(text):
        return unicodedata.normalize(rng.choice(forms), text)

    def of_a_script():
        low, high = rng.choice(SCRIPTS)
        words = ["".join(scalar(rng, low, high + 1) for _ in range(rng.randrange(1, 8))) for _ in range(3)]
        return with_spaces(rng, words)

    def emoji():
        parts = [rng.choice(EMOJI) + rng.choice(JOINERS) if rng.random() < 0.7 else rng.choice(FAMILIES)
                 for _ in range(rng.randrange(1, 9))]
        return "".join(parts) + rng.choice(["", " a dog", "s", "'s", "1"])

    everything = [ascii_all, accented, combining, numbers, EMOJI, CASED, SPACES, CONTRACTIONS, WORDS, MARKS, composed]

    def mixed():
        return "".join(rng.choice(rng.choice(everything)) for _ in range(rng.randrange(1, 25)))

    yield "empty and edges", ["", " ", "\n\n", "\x00", "a\x00b", "'", "''''s", "é", "e\u0301", "\u0301",
                              "A\u030a\u0301", "\ufeff", "\ufffd", "<|endoftext|>", "</w>", "a photo of a {}."]
    yield "long", ["a" * 5000, "ab!" * 700, "1" * 3000, "!" * 4000, "é" * 3000, "e\u0301" * 3000, "🙂" * 2000,
                   "\u0301" * 500, " " * 5000, "<|endoftext|>" * 300, "東" * 3000,
                   *many(60, lambda: with_spaces(rng, rng.choices(WORDS, k=rng.randrange(300, 3000)))),
                   *many(20, lambda: joined(rng, letters, 1000, 20000))]
    yield "ASCII", many(15000, lambda: joined(rng, ascii_all, 1, 60))
    yield "phrases", many(20000, lambda: with_spaces(rng, rng.choices(WORDS, k=rng.randrange(1, 12))))
    yield "accents", many(10000, lambda: in_some_form(joined(rng, accented + letters, 1, 30)))
    yield "combining marks", many(10000, lambda: "".join(
        rng.choice(letters + accented) + joined(rng, combining, 0, 5) for _ in range(rng.randrange(1, 8))))
    yield "compositions", many(5000, lambda: in_some_form(joined(rng, composed, 1, 12)))
    yield "Hangul", many(3000, lambda: joined(rng, jamo, 1, 12) + scalar(rng, 0xAC00, 0xD7A4) + rng.choice(jamo))
    yield "CJK", many(6000, lambda: "".join(
        scalar(rng, *rng.choice([(0x3040, 0x3100), (0x4E00, 0xA000), (0x3400, 0x4DC0), (0xFF00, 0xFFF0),
                                 (0x3000, 0x3040), (0xF900, 0xFB00), (0x20000, 0x2A6E0)]))
        for _ in range(rng.randrange(1, 15))))
    yield "other scripts", many(12000, of_a_script)
    yield "emoji", many(10000, emoji)
    yield "control characters", many(6000, lambda: "".join(
        chr(rng.choice(CONTROLS)) if rng.random() < 0.6 else rng.choice(letters) for _ in range(rng.randrange(1, 20))))
    yield "spaces", many(3000, lambda: joined(rng, SPACES + ["a", "B", "1", "!"], 1, 15))
    yield "HTML entities", many(5000, lambda: joined(rng, entities + WORDS, 1, 6))
    yield "numbers", many(5000, lambda: joined(rng, numbers + ["a", ".", ",", " "], 1, 15))
    yield "case", many(8000, lambda: joined(rng, CASED + letters, 1, 15) + rng.choice(["", " ", ".", "'s"]))
    yield "contractions", many(5000, lambda: joined(rng, CONTRACTIONS + WORDS[:20] + [" "], 1, 8))
    yield "written marks", many(4000, lambda: joined(rng, MARKS + ["a", " ", "!", "Dog's"], 1, 6))
    yield "astral planes", many(5000, lambda: "".join(scalar(rng, 0x10000, 0x30000) for _ in range(rng.randrange(1, 12))))
    yield "any characters", many(5000, lambda: "".join(scalar(rng) for _ in range(rng.randrange(1, 20))))
    yield "mixtures", many(10000, mixed)
    yield "no UTF-8", many(5000, lambda: broken(rng))
    yield "random bytes", many(2000, lambda: rng.randbytes(rng.randrange(1, 40)))
    # Each character of the planes in use, behind a letter and behind a sign.
    every = [chr(code) for code in (*range(0x40000), *range(0xE0000, 0xE1000)) if code not in SURROGATES]
    yield "every character", ["".join(f"a{c} !{c} " for c in every[at : at + 16])
                              for at in range(0, len(every), 16)]
