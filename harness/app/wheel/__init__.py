"""The program petlab: `petlab` starts bin/petlab of this folder, on the LibTorch of the torch package."""

import importlib.metadata
import importlib.util
import os
import sys

WANTED = "2.13."


def torch_libraries():
    """The folder of LibTorch's libraries; torch itself is not imported."""
    found = importlib.util.find_spec("torch")
    version = importlib.metadata.version("torch") if found else "none"
    if not version.startswith(WANTED):
        sys.exit(f"petlab: this Python has torch {version}, expected {WANTED}x: pip install 'torch=={WANTED}*'")
    return os.path.join(next(iter(found.submodule_search_locations)), "lib")


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    libraries = torch_libraries()
    environment = dict(os.environ)
    # Where the program looks by itself; torch may be in another folder of packages.
    if libraries != os.path.join(os.path.dirname(here), "torch", "lib"):
        environment["LD_LIBRARY_PATH"] = ":".join(filter(None, [libraries, environment.get("LD_LIBRARY_PATH")]))
    program = os.path.join(here, "bin", "petlab")
    os.execve(program, [program, *sys.argv[1:]], environment)
