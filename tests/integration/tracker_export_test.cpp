#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

// Runs for TensorBoard and MLflow. What these read is tested in
// tests/unit/results/python/petlab_trackers_test.py.
namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
namespace sample = results::sample;
using testing::AllOf;
using testing::HasSubstr;

class TrackerExport : public testing::Test {
 protected:
  TrackerExport() {
    results::RunStore store(folder_ / "demo.sqlite");
    store.set_study(sample::study("demo", {{"coop", {coop_}}, {"vpt", {vpt_}}}));
    for (const sample::RunChoice& run : {coop_, vpt_}) {
      store.register_split(sample::split(run.seed));
      store.record(sample::done_run(run, sample::split(run.seed)));
    }
  }

  /// petlab export with the Python of the references, unless another one is named.
  Output exported(const std::vector<std::string>& arguments,
                  std::vector<std::string> environment = {std::string("PETLAB_PYTHON=") +
                                                          PETLAB_REFERENCE_PYTHON}) const {
    std::vector<std::string> all = {"export", "--store", "demo.sqlite"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run_petlab(all, folder_ / ".", environment);
  }

  std::vector<fs::path> event_files() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "events"))
      if (entry.path().filename().string().starts_with("events.out.tfevents"))
        files.push_back(entry.path().lexically_relative(folder_ / "events"));
    std::sort(files.begin(), files.end());
    return files;
  }

  const sample::RunChoice coop_ = {.method = "coop"}, vpt_ = {.method = "vpt"};
  sample::TemporaryFolder folder_;
};

TEST_F(TrackerExport, WritesEachRunOnce) {
  const std::string coop = sample::identity_of(coop_, sample::split(1)).hash;
  const Output one = exported({coop.substr(0, 12), "--tensorboard", "events"});
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_THAT(one.out, HasSubstr("tensorboard: 1 new runs, 0 already there"));
  ASSERT_EQ(event_files().size(), 1U);
  EXPECT_EQ(event_files()[0].parent_path(), "demo/coop/seed-1-" + coop.substr(0, 12));

  const Output both = exported({"--tensorboard", "events", "--mlflow", "mlruns", "--out", "csv"});
  EXPECT_EQ(both.exit_code, 0) << both.err;
  EXPECT_THAT(both.out, AllOf(HasSubstr("wrote csv/ranking.csv"),
                              HasSubstr("tensorboard: 1 new runs, 1 already there"),
                              HasSubstr("mlflow: 2 new runs, 0 already there")));
  EXPECT_EQ(event_files().size(), 2U);
  EXPECT_TRUE(fs::is_directory(folder_ / "mlruns"));
}

TEST_F(TrackerExport, SaysInOneSentenceWhatIsMissing) {
  const auto refused = [&](const Output& output, int code, const std::string& sentence) {
    EXPECT_EQ(output.exit_code, code) << sentence;
    EXPECT_THAT(output.err, AllOf(testing::StartsWith("petlab: "), HasSubstr(sentence)));
    EXPECT_EQ(std::count(output.err.begin(), output.err.end(), '\n'), 1) << output.err;
  };
  refused(exported({"--tensorboard", "events"}, {"PETLAB_PYTHON=no-such-python"}), 2,
          "cannot start 'no-such-python'");
  // A package that is not there, for the interpreter that has all.
  fs::create_directories(folder_ / "shadow/tensorboard");
  std::ofstream(folder_ / "shadow/tensorboard/__init__.py")
      << "raise ImportError('none', name='tensorboard')\n";
  refused(exported({"--tensorboard", "events"},
                   {std::string("PETLAB_PYTHON=") + PETLAB_REFERENCE_PYTHON,
                    "PYTHONPATH=" + (folder_ / "shadow").string()}),
          2,
          std::string("has no package tensorboard: ") + PETLAB_REFERENCE_PYTHON +
              " -m pip install tensorboard");
  refused(exported({"--mlflow", "mlruns", "--study", "x"}), 5, "it holds: demo");
  refused(exported({"ffff", "--mlflow", "mlruns"}), 2, "holds no run 'ffff'");
  refused(exported({}), 2, "--tensorboard FOLDER");
  EXPECT_FALSE(fs::exists(folder_ / "events"));
}

}  // namespace
}  // namespace petlab::tests
