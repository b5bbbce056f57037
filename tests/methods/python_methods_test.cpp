// Methods in Python, as the host runs them, against the same methods in C++.
#include "petlab/engine/losses.hpp"
#include "petlab/sdk/plugin.hpp"
#include "petlab/study/plugin_loader.hpp"
#include "tiny_bench.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace petlab::study {
namespace {

namespace fs = std::filesystem;
namespace testing = engine::testing;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const fs::path kPlugins = fs::path(PETLAB_BINARY_DIR) / "lib" / "petlab";
const fs::path kMethods = fs::path(PETLAB_SOURCE_DIR) / "tests" / "methods" / "python";

const PluginRegistry& registry() {
  static const auto& plugins = *new PluginRegistry({.folders = {kPlugins, kMethods}, .files = {}});
  return plugins;
}

bool has_python() {
  std::ifstream maps("/proc/self/maps");
  const std::string text{std::istreambuf_iterator<char>(maps), {}};
  return text.find("libpython") != std::string::npos;
}

/// A folder of method files that a test writes.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("petlab-python-" + std::to_string(getpid()))) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  void write(const fs::path& name, const std::string& text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// A method that trains nothing, around the lines of a test.
std::string method_text(const std::string& lines) {
  return "import petlab\nimport torch\n\n\n"
         "class Method(petlab.Method):\n"
         "    summary = 'a test'\n"
         "    def text_template(self):\n        return 'a photo of a {}.'\n"
         "    def make_adapter(self, context):\n        return Adapter(context)\n\n\n"
         "class Adapter(petlab.Adapter):\n"
         "    def __init__(self, context):\n"
         "        self.w = petlab.trainable(torch.ones(2, context.shape.text.width), "
         "context.device)\n"
         "        self.context = context\n"
         "    def parameters(self):\n        return {'w': self.w}\n"
         "    def changes(self, request):\n" +
         lines;
}

std::string error_of_opening(const fs::path& folder, const std::string& method) {
  const PluginRegistry plugins({.folders = {kPlugins, folder}, .files = {}});
  try {
    (void)plugins.method(method);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::plugin);
    return error.what();
  }
  return "";
}

// First: nothing has started Python yet.
TEST(PythonMethods, NoPythonIsInAProcessThatUsesNone) {
  EXPECT_FALSE(has_python());
  const std::vector<std::string> names = registry().method_names();
  EXPECT_THAT(names, ::testing::Contains("coop-py"));
  EXPECT_THAT(names, Not(::testing::Contains("text-distance")));
  const sdk::MethodEntry& entry = *registry().method("coop").entry;
  (void)testing::run_well(testing::tiny_spec("coop", engine::Sharing::joint, 1),
                          testing::tiny_inputs(entry));
  EXPECT_FALSE(has_python());
  EXPECT_STREQ(registry().method("coop-py").entry->name, "coop-py");
  EXPECT_TRUE(has_python());
}

TEST(PythonMethods, DeclareWhatMethodsInCppDeclare) {
  const MethodRef coop = registry().method("coop-py");
  EXPECT_EQ(coop.plugin->file, kMethods / "coop_py.py");
  EXPECT_EQ(coop.plugin->host.filename(), "petlab_python.so");
  EXPECT_STREQ(coop.plugin->descriptor->licence, "MIT");
  EXPECT_EQ(std::string(coop.plugin->descriptor->source_hash).size(), 64U);
  ASSERT_EQ(coop.entry->option_count, 2U);
  const sdk::OptionSpec& count = coop.entry->options[0];
  EXPECT_STREQ(count.name, "n-ctx");
  EXPECT_EQ(count.type, sdk::OptionType::integer);
  EXPECT_STREQ(count.default_value, "16");
  EXPECT_EQ(count.maximum, 1024);
  EXPECT_STREQ(coop.entry->options[1].choices, "end|middle|front");
  EXPECT_TRUE(coop.entry->composable);
  EXPECT_EQ(registry().method("lora-py").entry->training.learning_rate, 2e-4);
}

struct Pair {
  const char* cpp;
  const char* python;
};
const Pair kPairs[] = {{"coop", "coop-py"}, {"lora", "lora-py"}, {"kgcoop", "kgcoop-py"}};

TEST(PythonMethods, GiveTheLogitsAndGradientsOfThoseInCpp) {
  for (const Pair& pair : kPairs) {
    std::vector<std::vector<at::Tensor>> all;
    for (const char* name : {pair.cpp, pair.python}) {
      const sdk::MethodEntry& entry = *registry().method(name).entry;
      // The bench makes a method without options: with their defaults here.
      const auto defaults = [&entry](const sdk::Options&) {
        return entry.make(sdk::Options({entry.options, entry.option_count}, {}, entry.name));
      };
      static std::function<std::unique_ptr<sdk::Method>(const sdk::Options&)> make;
      make = defaults;
      sdk::MethodEntry with_defaults = entry;
      with_defaults.make = [](const sdk::Options& options) { return make(options); };
      testing::Bench bench(with_defaults, engine::Sharing::joint_specific);
      const std::vector<engine::TaskImages> inputs{bench.batch(0), bench.batch(1), bench.batch(2)};
      std::vector<at::Tensor> labels;
      for (std::int64_t task = 0; task < 3; ++task)
        labels.push_back(bench.images.labels({task, {0, 1, 2}}));
      const auto prepared = bench.backbone.prepare({0, 1, 2});
      std::vector<at::Tensor> seen = bench.backbone.logits(prepared, inputs);
      const auto losses = bench.backbone.losses(prepared, inputs, labels);
      engine::combine(losses, engine::TaskLoss::sum).backward();
      for (const at::Tensor& parameter : bench.adapters.trainable())
        seen.push_back(parameter.grad());
      all.push_back(seen);
    }
    ASSERT_EQ(all[0].size(), all[1].size());
    for (std::size_t i = 0; i < all[0].size(); ++i)
      EXPECT_TRUE(at::equal(all[0][i], all[1][i])) << pair.cpp << " " << i;
  }
}

TEST(PythonMethods, TrainToTheBitsOfThoseInCpp) {
  for (const Pair& pair : kPairs) {
    for (const auto sharing : {engine::Sharing::joint, engine::Sharing::per_task}) {
      const auto record = [&](const char* name) {
        engine::RunSpec spec = testing::tiny_spec(name, sharing, 3);
        spec.training.augmentation = engine::Augmentation::flip;
        return testing::run_well(spec, testing::tiny_inputs(*registry().method(name).entry));
      };
      const auto cpp = record(pair.cpp);
      const auto python = record(pair.python);
      EXPECT_EQ(cpp.trained_hash, python.trained_hash) << pair.cpp;
      ASSERT_EQ(cpp.epochs.size(), python.epochs.size());
      for (std::size_t e = 0; e < cpp.epochs.size(); ++e)
        EXPECT_EQ(cpp.epochs[e].loss, python.epochs[e].loss) << pair.cpp << " " << e;
      for (std::size_t t = 0; t < cpp.tasks.size(); ++t)
        EXPECT_EQ(cpp.tasks[t].loss, python.tasks[t].loss) << pair.cpp << " " << t;
    }
  }
}

TEST(PythonMethods, AnExceptionIsAFailedRowWithItsTraceback) {
  const Folder folder;
  folder.write("raises.py", method_text("        return self.missing_thing\n"));
  folder.write("wrong_type.py", method_text("        return {'text': 1}\n"));
  folder.write("late.py", method_text("        self.context.text_features(['a'])\n"));
  folder.write("wrong_shape.py",
               method_text("        return petlab.Changes(text=petlab.Tower(prompts=["
                           "petlab.Prompt(0, self.w[:, :3])]))\n"));
  const std::string head =
      "import petlab\n\n\nclass Method(petlab.Method):\n    summary = 'a test'\n";
  folder.write("no_template.py", head + "    def text_template(self):\n        pass\n");
  folder.write("no_adapter.py",
               head +
                   "    def text_template(self):\n        return 'a photo of a {}.'\n"
                   "    def make_adapter(self, context):\n        pass\n");
  const PluginRegistry plugins({.folders = {kPlugins, folder.path()}, .files = {}});
  const auto error = [&](const std::string& name) {
    const auto record = testing::run(testing::tiny_spec(name, engine::Sharing::joint),
                                     testing::tiny_inputs(*plugins.method(name).entry));
    EXPECT_EQ(record.status, results::RunStatus::failed);
    return record.error;
  };
  EXPECT_THAT(error("raises"), AllOf(HasSubstr("Traceback (most recent call last)"),
                                     HasSubstr("raises.py\", line 20"), HasSubstr("AttributeError"),
                                     HasSubstr("missing_thing")));
  EXPECT_THAT(error("wrong-type"),
              HasSubstr("changes() returned a dict, expected a petlab.Changes"));
  EXPECT_THAT(error("late"), HasSubstr("asked when the call is over"));
  EXPECT_THAT(error("wrong-shape"), HasSubstr("method 'wrong-shape'"));
  EXPECT_THAT(error("no-template"), HasSubstr("text_template() returned NoneType, expected a str"));
  EXPECT_THAT(error("no-adapter"),
              HasSubstr("make_adapter() returned NoneType, expected an object"));
}

TEST(PythonMethods, AFileThatIsNoMethodIsRefusedInOneSentence) {
  const Folder folder;
  folder.write("broken.py", "class Method\n    pass\n");
  folder.write("no_base.py", "import petlab\n\nclass Method:\n    pass\n");
  folder.write("imports_nothing.py", "import no_such_module\n\nclass Method:\n    pass\n");
  folder.write("bad_option.py",
               "import petlab\n\nclass Method(petlab.Method):\n"
               "    options = [petlab.Option('n', 5, 'many', minimum=7)]\n");
  folder.write("coop.py", "import petlab\n\nclass Method(petlab.Method):\n    pass\n");
  EXPECT_THAT(error_of_opening(folder.path(), "broken"),
              AllOf(HasSubstr("broken.py: line 1: SyntaxError: expected ':'"),
                    Not(HasSubstr("Traceback"))));
  EXPECT_THAT(error_of_opening(folder.path(), "no-base"),
              HasSubstr("class Method is not derived from petlab.Method"));
  EXPECT_THAT(error_of_opening(folder.path(), "imports-nothing"),
              HasSubstr("line 1: ModuleNotFoundError: No module named 'no_such_module'"));
  EXPECT_THAT(error_of_opening(folder.path(), "bad-option"),
              HasSubstr("a default breaks its own schema"));
  const PluginRegistry plugins({.folders = {kPlugins, folder.path()}, .files = {}});
  ASSERT_EQ(plugins.refused().size(), 1U);
  EXPECT_THAT(plugins.refused()[0].reason, HasSubstr("method 'coop' is already in a plugin"));
}

TEST(PythonMethods, SourcesAreTheFileAndTheModulesBesideIt) {
  const std::string text = method_text("        return petlab.Changes()\n");
  const auto hash = [](const std::string& own, const std::string& helper,
                       const std::string& other_method) {
    const Folder folder;
    folder.write("sources.py", own);
    folder.write("helper.py", helper);
    folder.write("package/inner.py", helper);
    folder.write("another.py", "class Method:\n    " + other_method + "\n");
    const PluginRegistry plugins({.folders = {kPlugins, folder.path()}, .files = {}});
    return std::string(plugins.method("sources").plugin->descriptor->source_hash);
  };
  const std::string first = hash(text, "a = 1\n", "pass");
  EXPECT_EQ(hash(text, "a = 1\n", "another = 1"), first);
  EXPECT_NE(hash(text + "\n", "a = 1\n", "pass"), first);
  EXPECT_NE(hash(text, "a = 2\n", "pass"), first);
}

TEST(PythonMethods, ANewOneIsWrittenAndWorks) {
  const Folder folder;
  const std::string petlab = std::string(PETLAB_BINARY_DIR) + "/bin/petlab";
  const auto status = [](const std::string& command) {
    return WEXITSTATUS(std::system((command + " > /dev/null 2>&1").c_str()));
  };
  const std::string write = petlab + " new-method my-gain --python --to " + folder.path().string();
  ASSERT_EQ(status(write), 0);
  EXPECT_EQ(status(write), 2) << "never over what is there";
  EXPECT_EQ(status(petlab + " new-method My_Gain --to " + folder.path().string()), 2);
  EXPECT_EQ(status("cd " + (folder.path() / "my-gain").string() + " && PETLAB=" + petlab + " " +
                   PETLAB_REFERENCE_PYTHON + " -m unittest test_my_gain"),
            0);
  const PluginRegistry plugins({.folders = {kPlugins, folder.path() / "my-gain"}, .files = {}});
  const auto record = testing::run_well(testing::tiny_spec("my-gain", engine::Sharing::joint),
                                        testing::tiny_inputs(*plugins.method("my-gain").entry));
  EXPECT_LT(record.epochs.back().loss, record.epochs.front().loss);
}

/// What `petlab describe coop-py` says with another Python.
std::string describe_with(const fs::path& python, int& code) {
  const fs::path out = fs::temp_directory_path() / ("petlab-describe-" + std::to_string(getpid()));
  const std::string command = "PETLAB_PYTHON=" + python.string() + " " + PETLAB_BINARY_DIR +
                              "/bin/petlab describe coop-py --plugin-dir " + kMethods.string() +
                              " > " + out.string() + " 2>&1";
  code = std::system(command.c_str());
  std::ifstream in(out);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  fs::remove(out);
  return text;
}

TEST(PythonMethods, APythonWithoutTorchOrWithAnotherIsRefusedInOneSentence) {
  const Folder folder;
  const fs::path python = folder.path() / "venv" / "bin" / "python3";
  ASSERT_EQ(std::system((std::string(PETLAB_REFERENCE_PYTHON) + " -m venv --without-pip " +
                         (folder.path() / "venv").string())
                            .c_str()),
            0);
  int code = 0;
  EXPECT_THAT(describe_with(python, code),
              AllOf(HasSubstr("has no torch; expected torch 2.13"), HasSubstr("PETLAB_PYTHON"),
                    Not(HasSubstr("Traceback"))));
  EXPECT_EQ(WEXITSTATUS(code), 4);
  for (const auto& entry : fs::directory_iterator(folder.path() / "venv" / "lib")) {
    const fs::path torch =
        fs::path("venv") / "lib" / entry.path().filename() / "site-packages" / "torch";
    folder.write(torch / "__init__.py", "raise SystemExit('never imported')\n");
    folder.write(torch / "version.py", "__version__ = '2.12.1+cpu'\n");
  }
  EXPECT_THAT(describe_with(python, code),
              AllOf(HasSubstr("is 2.12.1+cpu, expected 2.13"), Not(HasSubstr("never imported"))));
  EXPECT_EQ(WEXITSTATUS(code), 4);
}

}  // namespace
}  // namespace petlab::study
