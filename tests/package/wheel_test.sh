#!/usr/bin/env bash
# wheel_test.sh SOURCE BUILD: makes the wheel, installs it into a new Python environment with nothing else
# but torch, and runs a study there, with an empty environment and away from the source tree.
set -euo pipefail
source=$1 build=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() { echo "wheel_test: $*" >&2; exit 1; }

wheel=$(PETLAB_BUILD=$build "$source/harness/setup/wheel.sh" "$folder/wheel" 2>"$folder/said") ||
  { cat "$folder/said" >&2; fail "no wheel was made"; }
echo "$(basename "$wheel"), $(du -m "$wheel" | cut -f 1) MB"
# Of what it brings and of glibc alone; the rest is torch's.
"$source/.venv/bin/auditwheel" show "$wheel" >"$folder/audit" || { cat "$folder/audit" >&2; fail "auditwheel refuses the wheel"; }
case $(basename "$wheel") in
  petlab-*-py3-none-manylinux_*_x86_64.whl) ;;
  *) fail "the wheel's name says no oldest system: $(basename "$wheel")" ;;
esac

python3 -m venv "$folder/venv"
python=$folder/venv/bin/python
site=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
"$python" -m pip install --disable-pip-version-check -qq --no-deps "$wheel" || fail "pip refuses the wheel"
clean() { (cd "$folder" && env -i HOME="$folder/home" PATH="$folder/venv/bin:/usr/bin:/bin" "$@"); }
mkdir "$folder/home"

# Without torch, one sentence.
if clean petlab --version >"$folder/said" 2>&1; then fail "petlab ran without torch"; fi
grep -q "this Python has torch none, expected 2.13" "$folder/said" || fail "said: $(cat "$folder/said")"

# The torch that petlab was built with, as pip would have installed it.
torch=$(sed -n 's/^PETLAB_TORCH_ROOT:PATH=//p' "$build/CMakeCache.txt")
ln -s "$torch" "$site/torch"
ln -s "$(echo "$(dirname "$torch")"/torch-2.13*.dist-info)" "$site/"
clean petlab --version | head -n 3
clean petlab plugins >"$folder/said"
grep -q "mmap" "$folder/said" || fail "the wheel has no plugins: $(cat "$folder/said")"
clean petlab reproduce --list | grep -q "multi-task" || fail "the wheel has no tables"

# Two domains of two classes, four pictures each.
"$python" - "$folder/pictures" <<'END'
import pathlib, struct, sys, zlib

def png(color):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    rows = b"".join(b"\0" + bytes(color) * 32 for _ in range(32))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 32, 32, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))

root = pathlib.Path(sys.argv[1])
for d, domain in enumerate(("photo", "sketch")):
    for c, name in enumerate(("apple", "leaf")):
        (root / domain / name).mkdir(parents=True)
        for i in range(4):
            (root / domain / name / f"{i}.png").write_bytes(png((200 * (1 - c) + i, 200 * c + 9 * d, 40 * d + i)))
END
cat >"$folder/small.ini" <<END
[dataset]
name = folder
root = pictures
split = shots
train-shots = 1
[backbone]
dir = $site/petlab/share/petlab/harness/backbones/petlab-icon-clip
[train]
epochs = 1
warmup-epochs = 0
[row.zero-shot]
method = zero-shot
sharing = joint
[row.mmap]
method = mmap
sharing = joint
END
clean petlab run small.ini --store small.sqlite >"$folder/said" 2>&1 || { cat "$folder/said" >&2; fail "the study did not run"; }
grep -q "^.*mmap" "$folder/said" || fail "no table: $(cat "$folder/said")"
! grep -q "$source" "$folder/said" || fail "the program looks into the source tree: $(cat "$folder/said")"

# A plugin is built against the wheel's SDK.
"$(command -v cmake)" -S "$source/tests/package/found" -B "$folder/found" \
  -DCMAKE_PREFIX_PATH="$site/petlab" >"$folder/said" 2>&1 || { cat "$folder/said" >&2; fail "the wheel's SDK is not found"; }
"$python" -m pip uninstall --disable-pip-version-check -qq -y petlab
[ ! -e "$site/petlab" ] || fail "pip left something of the wheel: $(find "$site/petlab" | head)"
