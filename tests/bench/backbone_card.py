"""The numbers of the model card that need no adapter of petlab: zero-shot, linear probe, and HOG beside it.

    backbone_card.py --backbone DIR [--petlab build/bin/petlab] [--data datasets/data/icon-home]
                     [--fractions 0.1,0.2] [--seeds 1,2,3,4,5] [--jobs 1] [--out card.json]

Pictures are parted by petlab itself (`petlab datasets split`), so the numbers stand beside those of
petlab's runs with the same seeds. Features are those of `petlab clip embed`. Both probes are
scikit-learn's multinomial logistic regression, "per task" one a domain and "joint" one for all. How
strongly it is regularised is chosen once for each table row, on a half of the first seed's training
pictures, never on test pictures. Prints Markdown: accuracy in %, mean of the seeds, with the 95 %
t-interval of the mean of the domains; then what holds of the aims that these numbers decide, and how
much of what a sentence around the name does is the same for all classes.
"""

import argparse
import csv
import json
import subprocess
import tempfile
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

DOMAINS = ("line", "solid", "flat", "emoji")
TEMPLATES = ("{}", "a photo of a {}.", "an icon of a {}.", "a drawing of a {}.")
# The words for each domain, as the captions of pretraining have them.
DOMAIN_TEMPLATES = {
    "line": "an outline icon of a {}.",
    "solid": "a solid icon of a {}.",
    "flat": "a flat icon of a {}.",
    "emoji": "an emoji of a {}.",
}
STRENGTHS = {"linear probe": (0.3, 1.0, 3.0, 10.0, 30.0), "HOG": (0.03, 0.1, 1.0, 10.0)}
T_95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
SIZE, CELL, DIRECTIONS = 48, 6, 9


def run(*command):
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)


class Pictures:
    """All pictures of the data set: file, domain and class of each."""

    def __init__(self, root):
        files = sorted(path for domain in DOMAINS for path in (root / domain).glob("*/*.png"))
        self.files = files
        self.place = {str(path.relative_to(root).with_suffix("")): i for i, path in enumerate(files)}
        self.domains = np.array([path.parts[-3] for path in files])
        self.classes = sorted({path.parts[-2] for path in files})
        number = {name: i for i, name in enumerate(self.classes)}
        self.labels = np.array([number[path.parts[-2]] for path in files])

    def __len__(self):
        return len(self.files)

    def names(self):
        return [name.replace("_", " ") for name in self.classes]


def embed(petlab, backbone, images=(), texts=()):
    """Unit features of files and of texts, in the order given."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "features.csv"
        arguments = ["--image", *images] if len(images) else []
        arguments += ["--text", *texts] if len(texts) else []
        run(petlab, "clip", "embed", "--backbone", backbone, *arguments, "--out", out)
        with open(out, newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
    first = rows[0].index("f0")
    values = np.array([[float(value) for value in row[first:]] for row in rows[1:]], np.float32)
    return values[: len(images)], values[len(images) :]


def hog(files):
    """Histograms of oriented gradients (Dalal and Triggs, 2005): 9 unsigned directions, cells of 6
    pixels, blocks of 2 x 2 cells, L2 normalised and clipped at 0.2."""
    grey = np.stack(
        [
            255.0 - np.asarray(Image.open(path).convert("L").resize((SIZE, SIZE), Image.Resampling.BICUBIC), np.float32)
            for path in files
        ]
    )
    dy, dx = np.gradient(grey / 255.0, axis=(1, 2))
    strength = np.hypot(dx, dy)
    angle = (np.arctan2(dy, dx) % np.pi) / np.pi * DIRECTIONS
    lower = np.floor(angle).astype(int) % DIRECTIONS
    share = angle - np.floor(angle)
    n = SIZE // CELL
    cells = np.zeros((len(grey), n, n, DIRECTIONS), np.float32)
    for k in range(DIRECTIONS):
        weight = strength * ((lower == k) * (1 - share) + ((lower + 1) % DIRECTIONS == k) * share)
        cells[..., k] = weight.reshape(len(grey), n, CELL, n, CELL).sum((2, 4))
    corners = [cells[:, i : n - 1 + i, j : n - 1 + j] for i in (0, 1) for j in (0, 1)]
    blocks = np.concatenate(corners, -1)
    blocks /= np.sqrt((blocks**2).sum(-1, keepdims=True) + 1e-2)
    return np.minimum(blocks, 0.2).reshape(len(grey), -1)


def split_of(petlab, root, pictures, fraction, seed):
    """True where a picture trains; every other one tests."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "split.csv"
        run(petlab, "datasets", "split", root, "--dataset", "icon-home", "--train-fraction", fraction,
            "--seed", seed, "--out", out)  # fmt: skip
        trains = np.zeros(len(pictures), bool)
        with open(out, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                trains[pictures.place[row["id"]]] = row["part"] == "train"
    return trains


def accuracies(features, labels, domains, trains, tests, strength, joint):
    """Share of right answers for each domain."""
    result = {}
    for group in [DOMAINS] if joint else [(domain,) for domain in DOMAINS]:
        inside = np.isin(domains, group)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = LogisticRegression(C=strength, max_iter=400).fit(
                features[trains & inside], labels[trains & inside]
            )
        for domain in group:
            chosen = tests & (domains == domain)
            result[domain] = float((model.predict(features[chosen]) == labels[chosen]).mean())
    return [result[domain] for domain in DOMAINS]


def halved(trains, labels, domains):
    """The training pictures in two halves, of each class of each domain as evenly as it goes."""
    rng = np.random.default_rng(0)
    first = np.zeros_like(trains)
    for domain in DOMAINS:
        for label in np.unique(labels):
            places = np.flatnonzero(trains & (domains == domain) & (labels == label))
            first[rng.permutation(places)[: (len(places) + 1) // 2]] = True
    return first, trains & ~first


def table_row(job):
    """One row of the table: name, chosen strength, accuracies [seeds, domains]."""
    name, kind, features, labels, domains, splits, joint = job
    fit, check = halved(splits[0], labels, domains)
    strength = max(
        STRENGTHS[kind],
        key=lambda c: np.mean(accuracies(features, labels, domains, fit, check, c, joint)),
    )
    values = [
        accuracies(features, labels, domains, trains, ~trains, strength, joint) for trains in splits
    ]
    return name, strength, np.array(values)


def interval(values):
    """Half the 95 % t-interval of a mean."""
    return T_95[len(values)] * np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) in T_95 else float("nan")


def line(name, values, note=""):
    """A table row; `values` [seeds, domains], or [1, domains] where nothing depends on a seed."""
    means = " | ".join(f"{100 * value:.1f}" for value in values.mean(0))
    of_seeds = values.mean(1)
    spread = f" ± {100 * interval(of_seeds):.1f}" if len(values) > 1 else ""
    print(f"| {name} | {means} | {100 * of_seeds.mean():.1f}{spread} | {note} |")


def zero_shot(images, texts, labels, domains):
    answers = (images @ texts.T).argmax(1) == labels
    return [float(answers[domains == domain].mean()) for domain in DOMAINS]


def shared_change(plain, changed):
    """Which part of what a sentence changes in the texts' features is the same for all classes: the
    square of the mean change, of the mean square. That part moves all classes alike, so it decides
    nothing between them; a shared context can only help through the rest."""
    change = changed - plain
    return float((change.mean(0) ** 2).sum() / (change**2).sum(1).mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", type=Path, required=True)
    parser.add_argument("--petlab", type=Path, default=Path("build/bin/petlab"))
    parser.add_argument("--data", type=Path, default=Path("datasets/data/icon-home"))
    parser.add_argument("--fractions", default="0.1,0.2")
    parser.add_argument("--seeds", default="1,2,3,4,5")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--out", type=Path, help="the numbers as JSON")
    arguments = parser.parse_args()
    fractions = [float(value) for value in arguments.fractions.split(",")]
    seeds = [int(value) for value in arguments.seeds.split(",")]

    pictures = Pictures(arguments.data)
    if not len(pictures):
        parser.error(f"no pictures in {arguments.data}; `make demo` builds Icon-Home")
    labels, domains = pictures.labels, pictures.domains
    images, _ = embed(arguments.petlab, arguments.backbone, images=pictures.files)
    print(f"{len(pictures)} pictures, {len(pictures.classes)} classes, seeds {arguments.seeds}\n")
    print("| | " + " | ".join(DOMAINS) + " | mean ± 95 % | C |\n|---|---|---|---|---|---|---|")
    numbers = {}

    def add(name, values, note=""):
        values = np.asarray(values)
        numbers[name] = values.tolist()
        line(name, values, note)

    def features_of(template):
        return embed(arguments.petlab, arguments.backbone, texts=[template.format(name) for name in pictures.names()])[1]

    plain = features_of(TEMPLATES[0])
    shared = {}
    for template in TEMPLATES:
        texts = plain if template == TEMPLATES[0] else features_of(template)
        add(f'zero-shot, "{template}"', [zero_shot(images, texts, labels, domains)])
        if template != TEMPLATES[0]:
            shared[template] = shared_change(plain, texts)
    matched = []
    for domain in DOMAINS:
        texts = features_of(DOMAIN_TEMPLATES[domain])
        matched.append(zero_shot(images, texts, labels, domains)[DOMAINS.index(domain)])
        shared[DOMAIN_TEMPLATES[domain]] = shared_change(plain, texts)
    add("zero-shot, a sentence with the domain's style", [matched])

    described = {"linear probe": images * 8.0, "HOG": hog(pictures.files)}
    jobs = []
    for fraction in fractions:
        splits = [split_of(arguments.petlab, arguments.data, pictures, fraction, seed) for seed in seeds]
        for joint in (False, True):
            for kind, features in described.items():
                name = f"{kind}, {'joint' if joint else 'per task'}, {100 * fraction:.0f} %"
                jobs.append((name, kind, features, labels, domains, splits, joint))
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for name, strength, values in pool.map(table_row, jobs):
            add(name, values, f"{strength:g}")

    mean = {name: np.mean(values) * 100 for name, values in numbers.items()}
    best = max(mean[f'zero-shot, "{template}"'] for template in TEMPLATES[:2])
    print(f"\n- zero-shot mean at least 65 %: {'holds' if best >= 65 else 'does not hold'} ({best:.1f})")
    for fraction in fractions:
        share = f"{100 * fraction:.0f} %"
        ahead = mean[f"linear probe, joint, {share}"] - mean[f"HOG, joint, {share}"]
        verdict = "holds" if ahead >= 3 else "does not hold"
        print(f"- joint probe at least 3 points above joint HOG at {share}: {verdict} ({ahead:+.1f})")
    for template, part in shared.items():
        print(f'- "{template}": {100 * part:.0f} % of what it changes is the same for all classes')
    if arguments.out:
        arguments.out.write_text(json.dumps(numbers, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
