"""Methods that put modules into the towers or stand behind them, from their papers.

LoRA and (IA)^3 are those of peft, with petlab's parameters in the place of its own. Two adapters of a
task: modules, low-rank changes and feature changes add up, scales follow one another.
"""

import copy
import math

import torch
import torch.nn.functional as F
from peft import IA3Config, LoraConfig, inject_adapter_in_model

from hooked_clip import HookedClip, hooks, unit
from towers import TOWERS, Bottleneck, behind, beside, layers, norm_eps, tower, with_modules

LINEAR = {"q": "self_attn.q_proj", "k": "self_attn.k_proj", "v": "self_attn.v_proj",
          "out": "self_attn.out_proj", "fc1": "mlp.fc1", "fc2": "mlp.fc2"}


def zero_shot(clip, task, options):
    templates = {"": [task.template]}.get(options["templates"], options["templates"].split("|"))
    with torch.no_grad():
        per_template = [unit(clip.text_features([t.replace("{}", c) for c in task.classes]))
                        for t in templates]
        texts = torch.stack(per_template).mean(0)
        return clip.similarity(clip.image_features(task.pixels), texts)


def with_weights(clip, task, options):
    """Full fine-tuning, BitFit, layer-norm tuning: CLIPModel with these weights."""
    output = torch.func.functional_call(
        clip.model, task.adapters[0],
        kwargs=dict(input_ids=clip.padded(clip.token_ids(task.texts)), pixel_values=task.pixels))
    return output.logits_per_image


# ---- peft

def path(name, layer, linear):
    return f"{name}_model.encoder.layers.{layer}.{linear}"


def with_peft(clip, task, options, config, places, put):
    """`put(layer of peft, adapter's name, its parameters, place)` sets petlab's parameters."""
    changed = copy.copy(clip)
    model = copy.deepcopy(clip.model)
    names = [f"a{i}" for i in range(len(task.adapters))]
    for name in names:
        model = inject_adapter_in_model(config, model, adapter_name=name)
    changed.model, changed.text, changed.vision = model, model.text_model, model.vision_model
    for place in places:
        layer = model.get_submodule(place[-1])
        for name, parameters in zip(names, task.adapters):
            put(layer, name, parameters, place)
        layer.set_adapter(names)
    return changed.similarity(changed.image_features(task.pixels), changed.text_features(task.texts))


def set_plain(module, name, value):
    """A tensor with a history in the place of a parameter."""
    del module._parameters[name]
    setattr(module, name, value)


def in_dict(parameters, key, value):
    """The same in a ParameterDict."""
    parameters._parameters.pop(key, None)
    parameters._keys[key] = None
    setattr(parameters, key, value)


def lora(clip, task, options):
    maps = options["maps"].split(",")
    places = [(name, layer, m, path(name, layer, LINEAR[m])) for name in TOWERS[options["towers"]]
              for layer in range(len(layers(clip, name))) for m in maps]
    config = LoraConfig(
        r=int(options["rank"]), lora_alpha=float(options["alpha"]), lora_dropout=0.0,
        use_rslora=options["scaling"] == "sqrt-rank", target_modules=[p[-1] for p in places])

    def put(layer, adapter, parameters, place):
        name = f"{place[0]}.{place[1]}.{place[2]}"
        set_plain(layer.lora_A[adapter], "weight", parameters[name + ".down"])
        set_plain(layer.lora_B[adapter], "weight", parameters[name + ".up"])

    return with_peft(clip, task, options, config, places, put)


def ia3(clip, task, options):
    linear = {"k": LINEAR["k"], "v": LINEAR["v"], "hidden": LINEAR["fc2"]}
    places = [(name, layer, p, path(name, layer, linear[p])) for name in TOWERS[options["towers"]]
              for layer in range(len(layers(clip, name))) for p in options["places"].split(",")]
    config = IA3Config(target_modules=[p[-1] for p in places],
                       feedforward_modules=[p[-1] for p in places if p[2] == "hidden"])

    def put(layer, adapter, parameters, place):
        value = parameters[f"{place[0]}.{place[1]}.{place[2]}"]
        in_dict(layer.ia3_l, adapter, value.view(layer.ia3_l[adapter].shape))

    return with_peft(clip, task, options, config, places, put)


# ---- SSF

def ssf(clip, task, options):
    outputs = []

    def scaled(key, channels=-1):
        def change(z):
            for adapter in task.adapters:
                shape = [1] * z.dim()
                shape[channels] = -1
                z = z * adapter[key + ".scale"].view(shape) + adapter[key + ".shift"].view(shape)
            return z

        return lambda output: (change(output[0]), *output[1:]) if isinstance(output, tuple) else change(output)

    for name in TOWERS[options["towers"]]:
        model = tower(clip, name)
        if name == "vision":
            outputs.append((model.embeddings.patch_embedding, scaled("vision.embeddings", 1)))
            outputs.append((model.pre_layrnorm, scaled("vision.pre_norm")))
            outputs.append((model.post_layernorm, scaled("vision.final_norm")))
        else:
            outputs.append((model.embeddings.token_embedding, scaled("text.embeddings")))
            outputs.append((model.final_layer_norm, scaled("text.final_norm")))
        for i, block in enumerate(model.encoder.layers):
            for place, module in {
                "norm1": block.layer_norm1, "q": block.self_attn.q_proj, "k": block.self_attn.k_proj,
                "v": block.self_attn.v_proj, "attention": block.self_attn,
                "norm2": block.layer_norm2, "fc1": block.mlp.fc1, "mlp": block.mlp,
            }.items():
                outputs.append((module, scaled(f"{name}.{i}.{place}")))
    with hooks((), outputs):
        return clip.similarity(clip.image_features(task.pixels), clip.text_features(task.texts))


# ---- bottlenecks

def adapters(clip, task, options):
    parallel = "place" in options
    places = {"adapter-houlsby": ["attention", "mlp"], "adapter-pfeiffer": ["mlp"]}.get(
        options["method"]) or {"both": ["attention", "mlp"]}.get(options["place"], [options["place"]])
    modules = {}
    for name in TOWERS[options["towers"]]:
        for layer in range(len(layers(clip, name))):
            for place in places:
                key = f"{name}.{layer}.{place}."
                modules[name, layer, place] = [
                    Bottleneck(
                        options["activation"], p[key + "down"], p[key + "up"], p[key + "down_bias"],
                        p[key + "up_bias"], p.get(key + "scale", float(options["scale"])),
                        (p[key + "norm_weight"], p[key + "norm_bias"])
                        if options["norm"] == "true" else None, eps=norm_eps(clip))
                    for p in task.adapters]
    return with_modules(clip, task, modules, beside if parallel else behind)


def phm(rule, left, right):
    """W = sum_i A_i (x) (left_i right_i), written out element by element."""
    n, rows, columns = rule.shape[0], left.shape[1], right.shape[2]
    b = torch.einsum("nor,nri->noi", left, right)
    w = torch.einsum("nab,noi->aobi", rule, b)
    return w.reshape(rule.shape[1] * rows, rule.shape[2] * columns)


def compacter(clip, task, options):
    modules = {}
    for name in TOWERS[options["towers"]]:
        for layer in range(len(layers(clip, name))):
            for place in ["attention", "mlp"] if options["sites"] == "both" else ["mlp"]:
                key = f"{name}.{layer}.{place}."
                functions = []
                for p in task.adapters:
                    rule = p["rule"] if "rule" in p else p[key + "rule"]
                    functions.append(Bottleneck(
                        options["activation"],
                        phm(rule, p[key + "down.left"], p[key + "down.right"]),
                        phm(rule, p[key + "up.left"], p[key + "up.right"]),
                        p[key + "down_bias"], p[key + "up_bias"]))
                modules[name, layer, place] = functions
    return with_modules(clip, task, modules)


# ---- behind the towers

def feature_affine(clip, task, options):
    """f' = W f + b; two adapters add what each changes."""
    def mapped(f, name):
        if name not in TOWERS[options["towers"]]:
            return f
        changes = [f @ p[name + ".weight"].T + p[name + ".bias"] - f for p in task.adapters]
        return f + sum(changes)

    return clip.similarity(mapped(clip.image_features(task.pixels), "vision"),
                           mapped(clip.text_features(task.texts), "text"))


def clip_adapter(clip, task, options):
    def adapted(f, name, ratio):
        if name not in TOWERS[options["towers"]]:
            return f
        changed = f
        for p in task.adapters:
            x = F.relu(F.relu(f @ p[name + ".down"].T) @ p[name + ".up"].T)
            changed = changed + ratio * (x - f)  # of one adapter: ratio x + (1 - ratio) f
        return changed

    images = adapted(clip.image_features(task.pixels), "vision", float(options["ratio"]))
    texts = adapted(clip.text_features(task.texts), "text", float(options["text-ratio"]))
    return clip.similarity(images, texts)


def rows_of_classes(task):
    """Where the task's classes stand among all classes of the tasks that share its adapter."""
    names = list(dict.fromkeys(c for user in task.users[0] for c in user["classes"]))
    return [names.index(c) for c in task.classes]


def linear_probe(clip, task, options):
    p, rows = task.adapters[0], rows_of_classes(task)
    f = clip.image_features(task.pixels)
    if options["unit-features"] == "true":
        f = unit(f)
    scale = float(options["scale"]) or clip.logit_scale
    logits = scale * f @ p["weight"][rows].T
    return logits + p["bias"][rows] if "bias" in p else logits


METHODS = {
    "zero-shot": zero_shot, "full-fine-tuning": with_weights, "bitfit": with_weights,
    "layer-norm": with_weights, "lora": lora, "ia3": ia3, "ssf": ssf,
    "adapter-houlsby": lambda c, t, o: adapters(c, t, {**o, "method": "adapter-houlsby"}),
    "adapter-pfeiffer": lambda c, t, o: adapters(c, t, {**o, "method": "adapter-pfeiffer"}),
    "adapter-parallel": lambda c, t, o: adapters(c, t, {**o, "method": "adapter-parallel"}),
    "compacter": compacter, "clip-adapter": clip_adapter, "feature-affine": feature_affine,
    "linear-probe": linear_probe,
}
