"""Images per second: petlab's image cache beside Pillow in a torch DataLoader.

    decode.py [--images 300] [--rounds 7] [--size 224] [--workers 1]

Both read the same JPEG files (photographs, 300 to 600 pixels, as in Office-Home) on the same cores, in
turns. petlab decodes, resizes, crops and writes the cache to the disk (until it is safe there). The loop
gives batches of the same uint8 pixels; "float" also scales and normalises them, as training loops do.
Prints medians, and the median of the rounds' ratios with the smallest and the largest.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_sample_images
from torch.utils.data import DataLoader, Dataset

MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(3, 1, 1)
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1)


class Pictures(Dataset):
    """What Dassl and OpenAI's code do: open, convert, resize, crop, to a tensor."""

    def __init__(self, files, size, normalise):
        self.files, self.size, self.normalise = files, size, normalise

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        with Image.open(self.files[index]) as opened:
            image = opened.convert("RGB")
        width, height = image.size
        shorter = min(width, height)
        width, height = self.size * width // shorter, self.size * height // shorter
        image = image.resize((width, height), Image.Resampling.BICUBIC)
        left, top = (width - self.size) // 2, (height - self.size) // 2
        image = image.crop((left, top, left + self.size, top + self.size))
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()
        return pixels.float().div(255).sub_(MEAN).div_(STD) if self.normalise else pixels


def write_pictures(root, n):
    """Random windows of two photographs, with a little noise so that no two are alike."""
    rng = np.random.default_rng(3)
    photos = [Image.fromarray(image) for image in load_sample_images().images]
    files = []
    for i in range(n):
        photo = photos[i % 2]
        w, h = int(rng.integers(200, photo.width)), int(rng.integers(200, photo.height))
        x, y = int(rng.integers(0, photo.width - w)), int(rng.integers(0, photo.height - h))
        longer = int(rng.integers(300, 601))
        scale = longer / max(w, h)
        image = photo.crop((x, y, x + w, y + h)).resize((max(1, int(w * scale)), max(1, int(h * scale))))
        noisy = np.asarray(image, dtype=np.int16) + rng.normal(0, 2, (image.height, image.width, 3)).astype(np.int16)
        file = root / "photo" / f"class{i % 5}" / f"{i:05}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(file, quality=int(rng.integers(80, 96)))
        files.append(file)
    return files


def loop_seconds(files, size, normalise, workers):
    loader = DataLoader(Pictures(files, size, normalise), batch_size=32,
                        num_workers=0 if workers == 1 else workers)
    start = time.perf_counter()
    seen = sum(len(batch) for batch in loader)
    assert seen == len(files)
    return time.perf_counter() - start


def report(name, images, workers, seconds, petlab):
    ratios = sorted(s / p for s, p in zip(seconds, petlab))
    rate = images / statistics.median(seconds) / workers
    print(f"{name:36} {rate:8.0f} images/s a core   petlab is {statistics.median(ratios):.2f} times as fast "
          f"({ratios[0]:.2f} to {ratios[-1]:.2f})")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--workers", type=int, default=1, help="threads of petlab, processes of the loader")
    parser.add_argument("--program", default=str(Path(__file__).resolve().parents[2] / "build/bin/bench_decode"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    cores = sorted(os.sched_getaffinity(0))[:options.workers]
    os.sched_setaffinity(0, cores)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "pictures"
        files = write_pictures(root, options.images)
        program = subprocess.Popen([options.program, str(root), str(options.size), str(options.workers)],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

        def petlab_seconds():
            program.stdin.write("\n")
            program.stdin.flush()
            return float(program.stdout.readline())

        petlab, plain, floats = [], [], []
        for turn in range(options.rounds + 1):
            rounds = (petlab_seconds(),
                      loop_seconds(files, options.size, False, options.workers),
                      loop_seconds(files, options.size, True, options.workers))
            if turn == 0:
                continue  # files into memory, code into caches
            for times, one in zip((petlab, plain, floats), rounds):
                times.append(one)
        program.stdin.close()
        program.wait()
    print(f"{options.images} JPEG pictures to {options.size} x {options.size}, {options.rounds} rounds in turns, "
          f"{options.workers} core(s), Pillow {Image.__version__}, torch {torch.__version__}")
    report("petlab, into the cache", options.images, options.workers, petlab, petlab)
    report("Pillow + DataLoader, uint8", options.images, options.workers, plain, petlab)
    report("Pillow + DataLoader, float", options.images, options.workers, floats, petlab)


if __name__ == "__main__":
    main()
