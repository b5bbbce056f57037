"""Prints harness/clip/src/unicode_tables.cpp: what the reference tokenizer knows of Unicode.

The `tokenizers` library mixes three editions of Unicode: one in its regular expressions, one in its
lower case, and an old one (9.0) in its normaliser. Its tables are asked for here, character by character, so
that petlab agrees with it whatever edition the utf8proc of the system follows.
"""

import sys
import unicodedata

import regex
from tokenizers import Regex, normalizers, pre_tokenizers

CHARACTERS = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
BLOCK = 4096
NFC = normalizers.NFC().normalize_str
# First halves of composed characters that are younger than the normaliser. The characters composed
# and the second halves are found below.
YOUNG_FIRST_HALVES = [0x105D2, 0x105DA, 0x11382, 0x11384, 0x1138B, 0x11390, 0x11935, 0x16D63]


def members(pattern):
    split = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    blocks = ("".join(CHARACTERS[at : at + BLOCK]) for at in range(0, len(CHARACTERS), BLOCK))
    return [ord(c) for block in blocks for part, _ in split.pre_tokenize_str(block) for c in part]


def ranges(codes):
    result = []
    for code in sorted(set(codes)):
        if result and result[-1][1] == code - 1:
            result[-1][1] = code
        else:
            result.append([code, code])
    return result


def young():
    """Characters that matter to today's NFC and that the reference's NFC passes over."""
    moves, splits, joins = (regex.compile(p) for p in (r"\P{ccc=0}", r"\p{dt=canonical}", r"\P{NFC_QC=Y}"))
    known_halves = set()
    result = list(YOUNG_FIRST_HALVES)
    for c in filter(splits.match, CHARACTERS):
        parts = unicodedata.normalize("NFD", c)
        if parts != c and NFC(parts) == unicodedata.normalize("NFC", c):
            known_halves.update(unicodedata.normalize("NFD", parts))
            known_halves.add(c)
        else:
            result.append(ord(c))
    for c in filter(moves.match, CHARACTERS):
        # A mark of class 1 goes before, one of class 240 behind all others.
        if NFC(c + "\u0334") == c + "\u0334" and NFC("\u0345" + c) == "\u0345" + c:
            result.append(ord(c))
    for c in filter(joins.match, CHARACTERS):
        if c not in known_halves:
            result.append(ord(c))
    return result


def small_forms():
    """What the reference makes small; at U+0130 the small form is two characters."""
    lower = normalizers.Lowercase()
    pairs = [(ord(c), lower.normalize_str(c)) for c in CHARACTERS if c != "\u0130"]
    pairs = [(code, ord(small)) for code, small in pairs if small != chr(code)]
    runs = []  # first, last, step, distance
    for code, small in pairs:
        distance = small - code
        if runs and runs[-1][3] == distance:
            first, last, step, _ = runs[-1]
            if code - last == step or (first == last and code - last in (1, 2)):
                runs[-1][1:3] = code, code - last
                continue
        runs.append([code, code, 1, distance])
    return runs


def print_table(comment, kind, name, rows):
    print(f"\n/// {comment}\nconst {kind} {name}[] = {{")
    line = "   "
    for row in rows:
        cell = " {" + ", ".join(row) + "},"
        if len(line) + len(cell) > 100:
            print(line)
            line = "   "
        line += cell
    print(line + "\n};")


def main():
    print("// Written by tests/parity/unicode_tables.py; the parity test of the tokenizer checks every character.")
    print('#include "unicode_tables.hpp"\n\nnamespace petlab::clip {\n\nnamespace {\n\n// clang-format off', end="")
    for comment, name, codes in (("General category L.", "kLetterRanges", members(r"[\p{L}]+")),
                                 ("General category N.", "kNumberRanges", members(r"[\p{N}]")),
                                 ("See young_characters().", "kYoungRanges", young())):
        print_table(comment, "CodeRange", name, [(f"{a:#x}", f"{b:#x}") for a, b in ranges(codes)])
    print_table("Runs of characters with small forms at one distance.", "SmallForms", "kSmallForms",
                [(f"{first:#x}", f"{last:#x}", str(step), str(distance)) for first, last, step, distance in small_forms()])
    print("// clang-format on\n\n}  // namespace\n")
    for function, kind, name in (("letters", "CodeRange", "kLetterRanges"), ("numbers", "CodeRange", "kNumberRanges"),
                                 ("young_characters", "CodeRange", "kYoungRanges"), ("small_forms", "SmallForms", "kSmallForms")):
        print(f"std::span<const {kind}> {function}() {{\n  return {name};\n}}")
    print("\n}  // namespace petlab::clip")


if __name__ == "__main__":
    main()
