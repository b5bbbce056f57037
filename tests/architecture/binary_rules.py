"""Rules about built files: what a plugin exports, which LibTorch is linked, who is free of it.

    binary_rules.py symbols      NM PLUGIN...            exports petlab_plugin_v1 (or beside it
                                                 petlab_method_files_v1) and no code of its own
    binary_rules.py one_libtorch PROGRAM_OR_PLUGIN...    all of them load the same libtorch_cpu
    binary_rules.py torch_free   NM ARCHIVE...           refers to no symbol of LibTorch
    binary_rules.py never_unloaded READELF PLUGIN...     stays in its process (DF_1_NODELETE)
    binary_rules.py run_path READELF FILE...             loads libraries from absolute folders alone
    binary_rules.py hardened READELF PROGRAM...          PIE, RELRO, bound at start, guards on the stack
"""

import re
import subprocess
import sys

ENTRY = "petlab_plugin_v1"
# Of a plugin that hosts methods in files of another language.
OPTIONAL_ENTRY = "petlab_method_files_v1"
# Marks that the linker itself puts into every library.
LINKER = {"__bss_start", "_edata", "_end", "_init", "_fini"}
# Typeinfo and vtables of the SDK's types, and of base's error: they must be visible for exceptions and
# dynamic_cast across the boundary. g++ emits them weak in every library that uses them.
BOUNDARY_TYPE = re.compile(r"^(typeinfo|typeinfo name|vtable) for petlab::(sdk|base)::")
OURS = re.compile(r"\bpetlab\b|\(anonymous namespace\)")
TORCH = re.compile(r"\b(at|c10|torch|caffe2)::")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def symbols(nm, *plugins):
    """Weak code of std:: and torch's headers is visible by their own attributes; ours never is."""
    for plugin in plugins:
        entries = 0
        for line in run(nm, "-D", "-C", "--defined-only", plugin).splitlines():
            _, kind, name = line.split(maxsplit=2)
            if name == ENTRY:
                entries += 1
            elif name == OPTIONAL_ENTRY or name in LINKER or kind in "VWuvw" and (BOUNDARY_TYPE.match(name) or not OURS.search(name)):
                continue
            else:
                yield f"{plugin}: exports {name} ({kind})"
        if entries != 1:
            yield f"{plugin}: exports {ENTRY} {entries} times"


def one_libtorch(*files):
    """Two copies of LibTorch in one process are two dispatchers, two allocators, two of each type."""
    seen = {}
    for file in files:
        found = re.findall(r"libtorch_cpu\S* => (\S+)", run("ldd", file))
        if len(found) != 1:
            yield f"{file}: loads {found or 'no libtorch_cpu'}"
        seen.setdefault(tuple(found), file)
    if len(seen) > 1:
        yield "not one LibTorch: " + "; ".join(f"{file} loads {lib}" for lib, file in seen.items())


def torch_free(nm, *archives):
    for archive in archives:
        for line in run(nm, "-C", "--undefined-only", archive).splitlines():
            if TORCH.search(line):
                yield f"{archive}: needs {line.strip()}"


def never_unloaded(readelf, *plugins):
    """Tensors may outlive what loaded a plugin, and their autograd nodes are its code."""
    for plugin in plugins:
        if not re.search(r"FLAGS_1.*\bNODELETE\b", run(readelf, "-d", plugin)):
            yield f"{plugin}: can be unloaded; link it with -Wl,-z,nodelete"


def run_path(readelf, *files):
    """An empty element of the path is the current directory, as is a relative one."""
    for file in files:
        for path in re.findall(r"\(R(?:UN)?PATH\).*\[(.*)\]", run(readelf, "-d", file)):
            for element in path.split(":"):
                if not element.startswith(("/", "$ORIGIN")):
                    yield f"{file}: loads libraries from '{element}' of its path '{path}'"


def hardened(readelf, *programs):
    for program in programs:
        dynamic, headers = run(readelf, "-d", program), run(readelf, "-W", "-l", program)
        if not re.search(r"FLAGS.*\bNOW\b|\(BIND_NOW\)", dynamic):
            yield f"{program}: functions are bound when they are called first (-z now is missing)"
        if "GNU_RELRO" not in headers:
            yield f"{program}: tables of the loader stay writable (-z relro is missing)"
        if re.search(r"GNU_STACK.*\bRWE\b", headers):
            yield f"{program}: its stack can be executed"
        if not re.search(r"__stack_chk_fail", run(readelf, "-W", "--dyn-syms", program)):
            yield f"{program}: no function guards its stack (-fstack-protector-strong is missing)"


RULES = {"symbols": symbols, "one_libtorch": one_libtorch, "torch_free": torch_free,
         "never_unloaded": never_unloaded, "run_path": run_path, "hardened": hardened}


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in RULES:
        sys.exit(__doc__)
    offences = list(RULES[sys.argv[1]](*sys.argv[2:]))
    print("\n".join(offences) or f"{sys.argv[1]}: no offence in {len(sys.argv) - 2} files")
    sys.exit(1 if offences else 0)


if __name__ == "__main__":
    main()
