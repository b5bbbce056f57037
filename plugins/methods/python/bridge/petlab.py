"""What a method written in Python says to petlab: the data of petlab/sdk/changes.hpp.

A method is a file NAME.py in a plugin folder with a class Method(petlab.Method). The contract is
that of C++ methods: no data files, no optimizer, no seed, no clock; all randomness comes from
context.generator and request.noise. Tensors are torch's, in the same memory as the host's.
"""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Dict, List, Optional, Sequence

STEP_TENSORS = ("image_features", "text_features", "frozen_image_features",
                "frozen_text_features", "logits", "labels")


@dataclass
class Option:
    """An option of a method. Its type is the default's: bool, int, float or str; with choices, one of
    them."""

    name: str
    default: Any
    help: str
    minimum: Optional[float] = None
    maximum: Optional[float] = None
    choices: Sequence[str] = ()


@dataclass
class Training:
    """How the method's publication trains it: the defaults of the run's optimizer."""

    optimizer: str = "sgd"
    learning_rate: float = 0.002
    weight_decay: float = 5e-4
    momentum: float = 0.9
    source: str = ""


@dataclass
class Prompt:
    layer: int
    tokens: Any


@dataclass
class Condition:
    down: Any
    down_bias: Any
    up: Any
    up_bias: Any


@dataclass
class Bottleneck:
    layer: int
    down: Any
    up: Any
    site: str = "after_mlp"  # after_attention, after_mlp, parallel_attention, parallel_mlp
    down_bias: Any = None
    up_bias: Any = None
    nonlinearity: str = "relu"  # none, relu, gelu, quick_gelu
    scale: Any = None
    norm_weight: Any = None
    norm_bias: Any = None
    out_norm_weight: Any = None
    out_norm_bias: Any = None


@dataclass
class LowRank:
    layer: int
    map: str  # q, k, v, out, fc1, fc2
    down: Any
    up: Any
    scale: float = 1.0
    dropout: float = 0.0  # drawn by the host from its own noise, in training


@dataclass
class Affine:
    layer: int
    place: str  # norm1, q, k, v, attention, norm2, fc1, hidden, mlp, embeddings, pre_norm, final_norm
    scale: Any = None
    shift: Any = None


@dataclass
class FeatureAdapter:
    down: Any
    up: Any
    down_bias: Any = None
    up_bias: Any = None
    nonlinearity: str = "relu"
    activate_output: bool = True
    ratio: float = 0.2


@dataclass
class Tower:
    """What an adapter changes in one tower."""

    prompts: List[Prompt] = field(default_factory=list)
    prompt_composition: str = "concatenate"  # concatenate, add
    class_position: str = "end"  # end, middle, front; text only
    condition: Optional[Condition] = None
    bottlenecks: List[Bottleneck] = field(default_factory=list)
    low_ranks: List[LowRank] = field(default_factory=list)
    affines: List[Affine] = field(default_factory=list)
    feature_adapters: List[FeatureAdapter] = field(default_factory=list)


@dataclass
class Head:
    weight: Any
    bias: Any = None
    scale: float = 1.0  # 0: the backbone's own
    unit_features: bool = True


@dataclass
class Cache:
    keys: Any
    values: Any
    alpha: float = 1.0
    beta: float = 5.5


@dataclass
class Changes:
    """What an adapter changes in the backbone."""

    vision: Tower = field(default_factory=Tower)
    text: Tower = field(default_factory=Tower)
    weights: Dict[str, Any] = field(default_factory=dict)
    head: Optional[Head] = None
    caches: List[Cache] = field(default_factory=list)
    penalty: Any = None


class Method:
    """Base of a file's class Method. In an instance, `options` holds the values: options.n_ctx."""

    summary = ""
    version = "0.0.0"
    licence = "unknown"
    options: Any = ()
    training = Training()
    composable = False
    task_dependent = False

    def text_template(self):
        raise NotImplementedError("a method has a text_template()")

    def make_adapter(self, context):
        raise NotImplementedError("a method has a make_adapter(context)")


class Adapter:
    """Base of what make_adapter() returns; any object with parameters() and changes() will do."""

    step_tensors: Sequence[str] = ()  # of STEP_TENSORS; what loss(step) needs

    def parameters(self):
        raise NotImplementedError("an adapter has parameters(), a dict of tensors by name")

    def changes(self, request):
        raise NotImplementedError("an adapter has changes(request)")

    def loss(self, step):
        return None

    def epoch_weights(self, epochs):
        return []


def trainable(value, device):
    """`value` as a trainable leaf: fp32, contiguous, on `device`, a copy that shares no memory."""
    import torch
    copy = value.detach().to(device=device, dtype=torch.float32, copy=True,
                             memory_format=torch.contiguous_format)
    return copy.requires_grad_()


# What follows is the host's side.

_TYPES = {bool: "boolean", int: "integer", float: "real", str: "text"}


def _text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def _value(option, text):
    kind = type(option.default)
    return text == "true" if kind is bool else kind(text)


def _is_method(text):
    return any(line.startswith("class Method") and not line[12:13].isalnum()
               and line[12:13] != "_" for line in text.splitlines())


def _sources(file):
    """The file and the modules beside it, in packages too; other methods of the folder are none, and
    tests (test_*.py) are none."""
    from pathlib import Path
    folder = Path(file).parent
    found = [Path(file)]
    for path in sorted(folder.rglob("*.py")):
        hidden = any(part.startswith(".") or part == "__pycache__"
                     for part in path.relative_to(folder).parts)
        beside = path.parent == folder
        if path != Path(file) and not hidden and not path.name.startswith("test_") and not (
                beside and _is_method(path.read_text(encoding="utf-8", errors="replace"))):
            found.append(path)
    return folder, found


def _hash(file, of_host):
    import hashlib
    folder, found = _sources(file)
    total = hashlib.sha256(of_host.encode())
    for path in found:
        content = path.read_bytes()
        total.update(f"\0{path.relative_to(folder)}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()


def _open(file, of_host):
    """Imports the file, and says what its Method is: a dict of texts, numbers and lists."""
    import importlib.util
    import sys
    from pathlib import Path
    path = Path(file)
    source_hash = _hash(file, of_host)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # last: a file beside it hides no module of Python
    spec = importlib.util.spec_from_file_location("petlab_method_" + path.stem, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    _, sources = _sources(file)
    for beside in sources[1:]:
        loaded = sys.modules.get(beside.stem)
        origin = getattr(loaded, "__file__", None)
        if beside.parent == path.parent and origin and Path(origin) != beside:
            raise ImportError(f"module '{beside.stem}' is {origin}, not the file beside the method; "
                              "give it another name")
    method = module.Method
    if not issubclass(method, Method):
        raise TypeError("class Method is not derived from petlab.Method")
    options = []
    for option in method.options:
        if type(option.default) not in _TYPES:
            raise TypeError(f"option '{option.name}' has a default that is no bool, int, float or str")
        options.append({
            "name": option.name, "help": option.help, "default": _text(option.default),
            "type": "choice" if option.choices else _TYPES[type(option.default)],
            "minimum": option.minimum, "maximum": option.maximum,
            "choices": "|".join(option.choices)})
    training = method.training
    return {
        "class": method, "summary": method.summary, "version": method.version,
        "licence": method.licence, "options": options, "hash": source_hash,
        "optimizer": training.optimizer, "learning_rate": float(training.learning_rate),
        "weight_decay": float(training.weight_decay), "momentum": float(training.momentum),
        "source": training.source, "composable": bool(method.composable),
        "task_dependent": bool(method.task_dependent)}


def _make(method, texts):
    made = method.__new__(method)
    made.options = SimpleNamespace(**{
        option.name.replace("-", "_"): _value(option, texts[option.name])
        for option in method.options})
    made.__init__()
    return made


def _text_template(method):
    text = method.text_template()
    if not isinstance(text, str):
        raise TypeError(f"text_template() returned {type(text).__name__}, expected a str")
    return text


def _adapter(method, context):
    adapter = method.make_adapter(context)
    for name in ("parameters", "changes"):
        if not callable(getattr(adapter, name, None)):
            raise TypeError(f"make_adapter() returned {type(adapter).__name__}, expected an object with "
                            "parameters() and changes(request)")
    return adapter


def _part(adapter):
    """What the adapter wants of a step, as bits; 0 where it has no loss."""
    wanted = tuple(getattr(adapter, "step_tensors", ()))
    for name in wanted:
        if name not in STEP_TENSORS:
            raise ValueError(f"step_tensors has '{name}', expected some of {', '.join(STEP_TENSORS)}")
    return sum(1 << STEP_TENSORS.index(name) for name in set(wanted))


def _weights_of_epochs(adapter, epochs):
    weights = getattr(adapter, "epoch_weights", None)
    return [] if weights is None else [float(weight) for weight in weights(epochs)]


class Namespace(SimpleNamespace):
    """Values that petlab hands over: context, request, step."""


def _torch_folder():
    """Folder and version of the torch that would be imported; nothing of it is run."""
    import importlib.util
    import re
    from pathlib import Path
    spec = importlib.util.find_spec("torch")
    if spec is None or not spec.submodule_search_locations:
        return "", ""
    folder = Path(list(spec.submodule_search_locations)[0])
    version = folder / "version.py"
    text = version.read_text() if version.is_file() else ""
    found = re.search(r"^__version__ = ['\"]([^'\"]*)['\"]", text, re.M)
    return str(folder), found.group(1) if found else "unknown"


def _sentence(error, trace, file):
    """What is wrong with a file that cannot be imported."""
    import traceback
    lines = [frame.lineno for frame in traceback.extract_tb(trace)
             if frame.filename == file]
    if isinstance(error, SyntaxError) and error.filename == file:
        lines.append(error.lineno)
    where = f"line {lines[-1]}: " if lines else ""
    what = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{where}{type(error).__name__}: {' '.join(what.split())}"


def _traceback(kind, value, trace):
    import traceback
    return "".join(traceback.format_exception(kind, value, trace)).rstrip()
