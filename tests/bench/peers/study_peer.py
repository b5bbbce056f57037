"""The rows of a study as a Python peer does them, on a part of their steps and test pictures.

    study_peer.py ROWS.json published|strong THREADS STEPS

Prints one line of JSON a row: seconds of a step of all tasks and of a test picture, and what they
come to for the whole row. With STEPS 0 every step and test picture is done, and seconds are the row's.
"""

import json
import sys
import time

import torch
from safetensors.torch import load_file

from peer import Peer, answer


class StudyPeer(Peer):
    """A peer with the study's pictures: batches go over each task's own training pictures."""

    shared = {}  # strong: features of all pictures, untouched by the rows that leave the image tower alone

    def __init__(self, spec, side, pictures):
        self.pictures = pictures
        super().__init__(spec, side)

    def _pictures(self, weights):
        def normalised(name):
            return (self.pictures[name].float() / 255 - weights.mean) / weights.std

        self.train_pixels = [normalised(f"train.{t}.pixels") for t in self.tasks]
        self.test_pixels = [normalised(f"test.{t}.pixels") for t in self.tasks]
        self.pixels, self.labels = [], []

    def load_batch(self, at):
        """Batch `at` of every task, from the first again where a task has fewer pictures."""
        size = self.spec["batch"]
        self.pixels, self.labels, index = [], [], []
        for task in self.tasks:
            n = len(self.train_pixels[task])
            index.append(torch.arange(at * size, (at + 1) * size) % n)
            self.pixels.append(self.train_pixels[task][index[-1]])
            self.labels.append(self.pictures[f"train.{task}.labels"][index[-1]])
        if self.features is not None:
            self.frozen_images = [self.features[task][index[task]] for task in self.tasks]

    def cache_features(self):
        """Once for all rows. Returns the seconds that it took now."""
        start = time.perf_counter()
        if not self.shared:
            with torch.no_grad():
                for name, pictures in (("train", self.train_pixels), ("test", self.test_pixels)):
                    self.shared[name] = [torch.cat([self.model.vision(part) for part in pixels.split(128)])
                                         for pixels in pictures]
        self.features = self.shared["train"]
        return time.perf_counter() - start

    def steps_of_row(self):
        """Steps of a step of every task: as many as their batches come to on average."""
        batches = sum(-(-len(pixels) // self.spec["batch"]) for pixels in self.train_pixels)
        return self.spec["epochs"] * batches / len(self.tasks)

    def run(self, sample):
        self.features = None
        once = self.cache_features() if self.strong and not self.vision else 0.0
        trains = len(self.optimizers) > 0
        steps = self.steps_of_row() if trains else 0
        step = 0.0
        if trains:
            self.load_batch(0)
            self.step()  # not timed
            start = time.perf_counter()
            done = sample or round(steps)
            for at in range(done):
                self.load_batch(at)
                self.step()
            step = (time.perf_counter() - start) / done
        self.frozen_images = None
        start = time.perf_counter()
        tested = self.test(sample)
        image = (time.perf_counter() - start) / tested
        pictures = sum(len(pixels) for pixels in self.test_pixels)
        return dict(row=self.spec["name"], once=once, step=step, steps=steps, image=image, pictures=pictures,
                    seconds=once + step * steps + image * pictures)

    def test(self, sample):
        size = 100 if not self.strong else 128
        done = 0
        with torch.inference_mode() if self.strong else torch.no_grad():
            for task in self.tasks:
                texts = None
                for at in range(0, len(self.test_pixels[task]), size):
                    text, vision = self.prompts(task)
                    # The published way computes the texts with every batch.
                    if texts is None or not self.strong:
                        texts = self.frozen_texts if self.frozen_texts is not None else \
                            self.model.text(self.ids, self.eot, text)
                    pixels = self.test_pixels[task][at:at + size]
                    images = self.shared["test"][task][at:at + size] if self.features is not None else \
                        self.model.vision(pixels, vision)
                    self.model.logits(images, texts).argmax(1)
                    done += len(pixels)
                    if sample and at >= sample // 2 * size:
                        break
        return done


def main():
    with open(sys.argv[1]) as file:
        study = json.load(file)
    side, threads, sample = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(threads)
    pictures = load_file(study["data"])
    for row in study["rows"]:
        spec = dict(row, model=study["model"], tasks=study["tasks"], phase="train", pictures=study["data"])
        answer(**StudyPeer(spec, side, pictures).run(sample))


if __name__ == "__main__":
    main()
