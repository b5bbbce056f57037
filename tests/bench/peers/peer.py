"""One peer of the benchmark: trains or evaluates what a spec says, a step whenever it is told to.

    peer.py SPEC.json published|strong|strong-compiled

Takes the commands of bench_step.cpp (go N, save FILE, quit) and answers in the same way.
"""

import contextlib
import json
import sys
import time

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import methods
import published_clip
import strong_clip
from weights import Weights

PUBLISHED_TEST_BATCH = 100  # DATALOADER.TEST.BATCH_SIZE of CoOp's and MaPLe's configurations
STRONG_TEST_BATCH = 128


def answer(**line):
    print(json.dumps(line), flush=True)


def peak_bytes():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


class Peer:
    def __init__(self, spec, side):
        self.spec, self.strong = spec, side != "published"
        self.method, self.tasks = spec["method"], range(len(spec["tasks"]))
        self.full = self.method == "full-fine-tuning"
        self.text, self.vision = (self.method in touched
                                  for touched in (methods.TOUCHES_TEXT, methods.TOUCHES_VISION))
        weights = Weights(spec["model"])
        self._pictures(weights)
        context = weights.context
        self.model = (strong_clip.Clip(weights, not self.full, side == "strong-compiled") if self.strong
                      else published_clip.Clip(weights))
        self.model.requires_grad_(self.full)
        self._parameters()
        if self.method == "lora":
            first = methods.attach_lora(self.model, self.adapters[0])
            if self.strong:
                self.model.vision.first, self.model.text.first = first
        self._tokens(context)
        self.frozen_texts = self.frozen_images = None
        if not self.text:
            # MaPLe's repository computes the fixed texts of its VPT once, too.
            with torch.no_grad(), self.autocast():
                self.frozen_texts = self.model.text(self.ids, self.eot)

    def autocast(self):
        return (torch.autocast("cpu", dtype=torch.bfloat16) if self.spec["precision"] == "bf16"
                else contextlib.nullcontext())

    def _pictures(self, weights):
        """Scaled and normalised before the clock starts: loaders do it in processes of their own."""
        with safe_open(self.spec["pictures"], "pt") as file:
            pixels, labels = file.get_tensor("pixels"), file.get_tensor("labels")
        keep = self.spec["batch"] if self.spec["phase"] == "train" else pixels.shape[1]
        tasks = len(self.tasks)
        self.pixels = (pixels[:tasks, :keep].float() / 255 - weights.mean) / weights.std
        self.labels = labels[:tasks, :keep]

    def _parameters(self):
        if self.full:
            names = self.model.named()
            self.of_task = self.spec["of_task"]
            self.adapters = [{} for _ in self.of_task]
            self.saved = {f"0.{name}": value for name, value in names.items()}
            # Tasks that train a copy each take steps of their own; all on one copy, which costs the same.
            optimizer = methods.optimizer_of(self.spec, list(self.model.parameters()), self.strong)
            self.optimizers = [optimizer] * len({tuple(one) for one in self.of_task})
            return
        start = load_file(self.spec["start"])
        self.of_task = self.spec["of_task"]
        self.adapters = [{} for _ in range(1 + max(max(one) for one in self.of_task))]
        self.saved = {}
        for name, value in start.items():
            owner, _, own = name.partition(".")
            if owner.isdigit():
                self.adapters[int(owner)][own] = value.requires_grad_()
                self.saved[name] = value
        # As many optimizers as there are trainings: adapters that no task shares train alone.
        shared = len({tuple(one) for one in self.of_task}) < len(self.of_task) or len(self.of_task[0]) > 1
        parts = [self.adapters] if shared else [[adapter] for adapter in self.adapters]
        self.optimizers = [methods.optimizer_of(self.spec, [p for a in part for p in a.values()], self.strong)
                           for part in parts if any(part)]

    def _tokens(self, context):
        with safe_open(self.spec["start"], "pt") as file:
            ids, self.eot = file.get_tensor("tokens.ids"), file.get_tensor("tokens.eot")
        if not self.strong:
            ids = F.pad(ids, (0, context - self._prompt_length() - ids.shape[1]))
        self.ids = ids

    def _prompt_length(self):
        text = self.prompts(0)[0] if self.text and not self.full else []
        return len(text[0]) if text else 0

    def prompts(self, task):
        return methods.composed(self.method, [self.adapters[i] for i in self.of_task[task]], self.strong)

    def forward(self, tasks, pixels):
        """Logits of the pictures of tasks that use the same adapters, in one batch."""
        text, vision = self.prompts(tasks[0])
        texts = self.frozen_texts
        if texts is None:
            texts = self.model.text(self.ids, self.eot, text)
        if self.frozen_images is not None:
            images = torch.cat([self.frozen_images[t] for t in tasks])
        else:
            images = self.model.vision(pixels, vision)
        return self.model.logits(images, texts)

    def batches(self):
        """Tasks that can share a batch: those with the same adapters."""
        groups = {}
        for task in self.tasks:
            groups.setdefault(tuple(self.of_task[task]), []).append(task)
        return list(groups.values())

    def step(self):
        """One step of every task: one after the other, or in one batch where they share adapters."""
        losses = []
        together = len(self.optimizers) == 1
        if together:
            self.optimizers[0].zero_grad(set_to_none=True)
        for at, tasks in enumerate(self.batches()):
            with self.autocast():
                logits = self.forward(tasks, torch.cat([self.pixels[t] for t in tasks])).float()
                parts = [F.cross_entropy(part, self.labels[t])
                         for part, t in zip(logits.split(len(self.pixels[0])), tasks)]
            if not together:
                self.optimizers[at].zero_grad(set_to_none=True)
            sum(parts).backward()
            if not together:
                self.optimizers[at].step()
            losses += [part.item() for part in parts]
        if together:
            self.optimizers[0].step()
        return sum(losses) / len(losses)

    def train(self, n):
        for _ in range(n):
            loss = self.step()
        return {"done": n, "loss": loss}

    def cache_images(self):
        """The frozen image tower's features of all training pictures, once."""
        with torch.no_grad(), self.autocast():
            features = self.model.vision(self.pixels.flatten(0, 1))
        self.frozen_images = features.view(len(self.tasks), -1, features.shape[1])
        return {"done": self.pixels.shape[0] * self.pixels.shape[1]}

    def evaluate(self, n):
        """At least n test images of one task in batches. The published way computes the texts with each."""
        size = STRONG_TEST_BATCH if self.strong else PUBLISHED_TEST_BATCH
        size = min(size, n)
        guard = torch.inference_mode if self.strong else torch.no_grad
        done = 0
        correct = 0
        with guard(), self.autocast():
            if self.strong:
                return self._evaluate_strong(n, size)
            while done < n:
                pixels, labels = self._test_batch(size)
                correct += (self.forward([0], pixels).argmax(1) == labels).sum().item()
                done += size
        return {"done": done}

    def _test_batch(self, size):
        index = torch.arange(size) % self.pixels.shape[1]
        return self.pixels[0][index], self.labels[0][index]

    def _evaluate_strong(self, n, size):
        if not hasattr(self, "class_features"):
            start = time.perf_counter()
            self.class_features = [self.model.text(self.ids, self.eot, self.prompts(t)[0]) for t in self.tasks]
            self.texts_seconds = time.perf_counter() - start
        done = 0
        while done < n:
            pixels, labels = self._test_batch(size)
            logits = self.model.logits(self.model.vision(pixels, self.prompts(0)[1]), self.class_features[0])
            (logits.argmax(1) == labels).sum().item()
            done += size
        return {"done": done, "texts_seconds": self.texts_seconds}

    def save(self, file):
        limit = self.spec.get("save_limit", 1 << 62)
        save_file({name: value.detach().clone().contiguous() for name, value in self.saved.items()
                   if value.numel() <= limit}, file)


def serve(peer):
    cached = peer.strong and not peer.vision and peer.spec["phase"] == "train"
    for line in sys.stdin:
        command, *rest = line.split()
        if command == "go":
            start = time.perf_counter()
            if cached and peer.frozen_images is None:
                result = peer.cache_images()
                answer(images_seconds=time.perf_counter() - start, **result)
                continue
            n = int(rest[0])
            result = peer.train(n) if peer.spec["phase"] == "train" else peer.evaluate(n)
            answer(seconds=time.perf_counter() - start, peak_bytes=peak_bytes(), **result)
        elif command == "save":
            peer.save(rest[0])
            answer(saved=rest[0])
        else:
            return


def main():
    with open(sys.argv[1]) as file:
        spec = json.load(file)
    torch.set_num_threads(spec["threads"])
    peer = Peer(spec, sys.argv[2])
    answer(ready=True, torch=torch.__version__, threads=torch.get_num_threads())
    serve(peer)


if __name__ == "__main__":
    main()
