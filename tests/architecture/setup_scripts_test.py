"""The set-up scripts, as far as they run without building or installing anything.

    PETLAB_SOURCE=PROJECT setup_scripts_test.py
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

PROJECT = pathlib.Path(os.environ.get("PETLAB_SOURCE", pathlib.Path(__file__).parents[2]))


class Scripts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.project = pathlib.Path(folder.name) / "petlab"
        self.setup = self.project / "harness" / "setup"
        shutil.copytree(PROJECT / "harness" / "setup", self.setup)

    def run_script(self, name, *arguments, code=0, **environment):
        outcome = subprocess.run([str(self.setup / name), *map(str, arguments)], capture_output=True, text=True,
                                 env={**os.environ, **environment})
        self.assertEqual(outcome.returncode, code, outcome.stdout + outcome.stderr)
        return outcome.stdout, outcome.stderr

    def write(self, path, text="x\n"):
        file = self.project / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def test_bash_reads_them(self):
        for script in self.setup.glob("*.sh"):
            subprocess.run(["bash", "-n", str(script)], check=True)

    def test_packages_of_each_system(self):
        for release, name in (('ID=debian\nVERSION_ID="12"\n', "pkg-config"), ('ID=debian\nVERSION_ID="13"\n', "pkgconf"),
                              ('ID=ubuntu\nVERSION_ID="24.04"\n', "pkg-config")):
            file = self.write("os-release", release)
            said, _ = self.run_script("system_packages.sh", "--list", PETLAB_OS_RELEASE=str(file))
            names = said.split()
            self.assertIn(name, names)
            self.assertEqual(len(names), len(set(names)))
            self.assertIn("libhwy-dev", names)

    def test_ubuntu_has_no_chromium_to_install(self):
        file = self.write("os-release", 'ID=ubuntu\nVERSION_ID="24.04"\n')
        tools = self.project / "bin"
        tools.mkdir()
        for tool in ("bash", "dirname", "python3", "npm"):
            (tools / tool).symlink_to(shutil.which(tool) or "/bin/true")
        _, error = self.run_script("system_packages.sh", "--list", "tests", code=1, PATH=str(tools),
                                   PETLAB_OS_RELEASE=str(file), PETLAB_CHROMIUM="")
        self.assertIn("PETLAB_CHROMIUM", error)

    def test_plugins_that_a_study_needs(self):
        self.write("plugins/methods/one/plugin.cpp", '    {.name = "one-deep",\n')
        self.write("plugins/methods/one/CMakeLists.txt", "petlab_add_plugin(NAME one SOURCES plugin.cpp)\n")
        study = self.write("study.ini", "[row.a]\nmethod = one-deep\n[row.b]\nmethod=one-deep  # again\n")
        said, _ = self.run_script("plugins_of.sh", study)
        self.assertEqual(said, "petlab_plugin_one\n")
        study = self.write("study.ini", "[row.a]\nmethod = two\n")
        _, error = self.run_script("plugins_of.sh", study, code=1)
        self.assertIn("names 'two', and no plugin in plugins/ has it", error)

    def test_the_demo_has_the_plugins_of_its_study(self):
        said = subprocess.run([PROJECT / "harness/setup/plugins_of.sh", PROJECT / "harness/protocols/demo.ini"],
                              check=True, capture_output=True, text=True).stdout.split()
        self.assertIn("petlab_plugin_mmap", said)
        self.assertIn("petlab_plugin_gradient_grouping", said)
        self.assertNotIn("petlab_plugin_lora", said)

    def test_clean_says_what_it_removes_and_keeps(self):
        for path in ("build/a.o", "build-asan/a.o", "results/demo.sqlite", "results/schema/1.sql", ".venv/bin/python"):
            self.write(path)
        _, said = self.run_script("clean.sh")
        self.assertIn("Removed build build-asan (", said)
        self.assertRegex(said, r"K +results: stores and checkpoints +rm -r results/demo.sqlite\n")
        self.assertRegex(said, r"K +Python environment, LibTorch +rm -r .venv\n")
        self.assertNotIn("reports", said)
        self.assertFalse((self.project / "build").exists())
        self.assertFalse((self.project / "build-asan").exists())
        for path in ("results/demo.sqlite", "results/schema/1.sql", ".venv/bin/python"):
            self.assertTrue((self.project / path).exists(), path)
        _, said = self.run_script("clean.sh")
        self.assertIn("No build tree to remove", said)

    def test_uninstall_removes_what_was_listed(self):
        prefix = self.project / "there"
        listed = prefix / "lib/cmake/petlab/installed_files.txt"
        _, error = self.run_script("install.sh", "--remove", prefix, code=1)
        self.assertIn("nothing is removed", error)
        self.write("there/bin/petlab")
        self.write("there/bin/other")
        outside = self.write("outside")
        for wrong in ("../outside", "/etc/hostname", ""):
            self.write(listed, f"bin/petlab\n{wrong}\n")
            _, error = self.run_script("install.sh", "--remove", prefix, code=1)
            self.assertIn(f"'{wrong}', which is not inside", error)
            self.assertTrue((prefix / "bin/petlab").exists())
        self.write(listed, "bin/petlab\nlib/cmake/petlab/installed_files.txt\n")
        self.run_script("install.sh", "--remove", prefix)
        left = sorted(path.relative_to(prefix).as_posix() for path in prefix.rglob("*"))
        self.assertEqual(left, ["bin", "bin/other"])
        self.assertTrue(outside.exists())

    def test_the_container_calls_scripts_that_exist(self):
        text = (PROJECT / "Dockerfile").read_text()
        scripts = re.findall(r"harness/setup/\w+\.sh", text)
        self.assertGreater(len(scripts), 2)
        for script in scripts:
            self.assertTrue((PROJECT / script).is_file(), script)


if __name__ == "__main__":
    unittest.main()
