"""Writes the Parquet folders of parquet_test.cpp, as Hugging Face's `datasets` stores them.

    write_parquet.py PICTURES OUT

PICTURES holds 0.png to 5.png. Each folder of OUT is a data set, or one that must be refused.
"""

import json
import pathlib
import sys

import pyarrow as pa
import pyarrow.parquet as pq

pictures, out = map(pathlib.Path, sys.argv[1:])
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
CLASSES = ["mug", "alarm clock", "bowl"]


def picture(i, path="{}.png"):
    return {"bytes": (pictures / f"{i}.png").read_bytes(), "path": path and path.format(i)}


def class_label(names):
    return {"names": names, "_type": "ClassLabel"}


def write(file, columns, features=None, **options):
    """A table of name: (type, values), with the metadata that `datasets` adds for its features.

    A text of `features` is the metadata itself.
    """
    table = pa.table({name: pa.array(values, kind) for name, (kind, values) in columns.items()})
    if features is not None:
        info = features if isinstance(features, str) else json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": info})
    (out / file).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, out / file, **options)


IMAGE_AND_LABEL = {"image": {"_type": "Image"}, "label": class_label(CLASSES)}
WITH_DOMAIN = IMAGE_AND_LABEL | {"domain": {"dtype": "string", "_type": "Value"}}


def split(file, rows, **options):
    """Rows of (picture, label, domain)."""
    write(file, {"image": (IMAGE, [picture(i) for i, _, _ in rows]),
                 "domain": (pa.string(), [domain for _, _, domain in rows]),
                 "label": (pa.int64(), [label for _, label, _ in rows])}, WITH_DOMAIN, **options)


def one(folder, images, labels, features=IMAGE_AND_LABEL, kind=pa.int64(), **more):
    write(f"{folder}/train-00000-of-00001.parquet",
          {"image": (IMAGE, images), "label": (kind, labels)} | more, features)


split("hub/data/train-00000-of-00002-0123abcd.parquet",
      [(0, 0, "Photo"), (1, 1, "Photo"), (2, 2, "Art")], row_group_size=2, compression="zstd")
split("hub/data/train-00001-of-00002-0123abcd.parquet", [(3, 1, "Art")], use_dictionary=False)
split("hub/data/test-00000-of-00001.parquet", [(4, 0, "Art"), (5, 0, "Photo")], compression="none")

# Numbered domains, small integers, names of images left out, a column that says nothing.
write("numbered/validation/0000.parquet", {
    "image": (IMAGE, [picture(0, None), picture(1, None)]), "label": (pa.int8(), [2, 0]),
    "domain": (pa.int32(), [1, 0]), "note": (pa.list_(pa.string()), [["x"], []])},
    IMAGE_AND_LABEL | {"domain": class_label(["ink", "oil"])})

# As folders of images say it: texts, and classes in the order of their names.
write("texts/part.parquet", {
    "image": (IMAGE, [picture(i) for i in range(6)]),
    "label": (pa.dictionary(pa.int32(), pa.string()), ["mug", "bowl"] * 3),
    "domain": (pa.large_string(), ["art"] * 3 + ["ink"] * 3)}, row_group_size=4)

for name in ("Art", "Clipart"):
    one_file = [picture(0), picture(1)]
    write(f"by_file/data/{name}-00000-of-00001.parquet",
          {"image": (IMAGE, one_file), "label": (pa.int64(), [0, 1])}, IMAGE_AND_LABEL)

write("plain_bytes/train.parquet", {"image": (pa.binary(), [picture(0)["bytes"]]),
                                    "label": (pa.string(), ["mug"])})

# What must be refused.
one("out_of_range", [picture(0), picture(1)], [0, 3])
one("unlabelled", [picture(0)], [-1])
one("null_label", [picture(0), picture(1)], [0, None])
one("no_bytes", [picture(0), {"bytes": None, "path": "elsewhere/1.png"}], [0, 1])
one("null_image", [picture(0), None], [0, 1])
one("no_names", [picture(0)], [0], features=None)
one("double_names", [picture(0)], [0],
    features={"image": {"_type": "Image"}, "label": class_label(["mug", "bowl", "mug"])})
one("empty_names", [picture(0)], [0],
    features={"image": {"_type": "Image"}, "label": class_label([])})
one("double_key", [picture(0)], [0],
    features='{"info": {"features": {"image": {"_type": "Image"}, "label": '
             '{"names": ["mug", "bowl"], "names": ["bowl", "mug"], "_type": "ClassLabel"}}}}')
one("two_labels", [picture(0)], [0], coarse=(pa.int64(), [0]),
    features={"image": {"_type": "Image"}, "fine": class_label(["a"]), "coarse": class_label(["b"])})
deep = 0
for _ in range(200):
    deep = [deep]
one("deep_metadata", [picture(0)], [0], features=IMAGE_AND_LABEL | {"other": deep})
one("float_label", [picture(0)], [0.5], kind=pa.float64())
one("no_rows", [], [])
write("no_image/train.parquet", {"text": (pa.string(), ["x"]), "label": (pa.int64(), [0])},
      {"text": {"_type": "Value"}, "label": class_label(["a"])})
write("no_label/train.parquet", {"image": (IMAGE, [picture(0)])}, {"image": {"_type": "Image"}})
one("other_names", [picture(0)], [0])
write("other_names/train-00001.parquet",
      {"image": (IMAGE, [picture(1)]), "label": (pa.int64(), [0])},
      {"image": {"_type": "Image"}, "label": class_label(["other"])})
