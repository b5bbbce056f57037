"""CLIP's real vocabulary as a model directory: vocab.json, merges.txt, tokenizer_config.json.

    clip_vocabulary.py OUT_DIR

The merges come with open_clip (bpe_simple_vocab_16e6.txt.gz). The file lists more of them than CLIP
uses: its vocabulary is 256 bytes, 256 bytes that end a word, 48,894 merges and two marks.
"""

import gzip
import importlib.util
import json
import sys
from pathlib import Path

SIZE = 49408


def byte_symbols():
    """The characters that stand for the 256 bytes, in the order of their ids."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    return [chr(byte) for byte in printable] + [chr(0x100 + i) for i in range(256 - len(printable))]


def open_clip_folder():
    """Without importing the package, whose other dependencies are not installed."""
    return Path(importlib.util.find_spec("open_clip").origin).parent


def write(folder):
    symbols = byte_symbols()
    lines = gzip.decompress((open_clip_folder() / "bpe_simple_vocab_16e6.txt.gz").read_bytes())
    merges = lines.decode("utf-8").split("\n")[1 : 1 + SIZE - 2 * 256 - 2]
    tokens = symbols + [symbol + "</w>" for symbol in symbols]
    tokens += [merge.replace(" ", "") for merge in merges] + ["<|startoftext|>", "<|endoftext|>"]
    assert len(set(tokens)) == SIZE, f"{len(set(tokens))} different tokens, expected {SIZE}"
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {token: number for number, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")
    settings = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77,
                "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>",
                "pad_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
