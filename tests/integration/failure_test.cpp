#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>

namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
using results::OpenMode;
using results::RunStatus;
using results::RunStore;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;

const fs::path kBroken = fs::path(PETLAB_BINARY_DIR) / "lib" / "petlab-test-plugins";

TEST(Failure, AFailingMethodIsARowAndTheStudyGoesOn) {
  const Workshop workshop;
  const std::map<std::string, std::vector<std::string>> cases = {
      {"throws_in_factory", {"the factory gave up"}},
      {"throws_in_make_adapter", {"the adapter gave up"}},
      {"throws_in_changes", {"the changes gave up"}},
      {"returns_nan", {"fixture-returns-nan", "finite"}},
      {"wrong_shape", {"32", "33"}},
      {"writes_frozen_weight", {"frozen"}},
      {"aborts", {"SIGABRT"}},
      {"crashes", {"SIGSEGV"}},
      {"exits", {"exit code 0", "without a result"}},
  };
  std::string rows = "[row.first]\nmethod = zero-shot\nsharing = joint\n";
  std::vector<std::string> arguments = {"run",         "",      "--store", "a.sqlite",
                                        "--cache-dir", "cache", "--seeds", "1"};
  for (const auto& [name, texts] : cases) {
    std::string method = "fixture-" + name;
    std::replace(method.begin(), method.end(), '_', '-');
    rows += "[row." + name + "]\nmethod = " + method + "\nsharing = joint\n";
    arguments.insert(arguments.end(), {"--plugin-dir", (kBroken / name).string()});
  }
  rows += "[row.last]\nmethod = coop\nsharing = joint\noption.n-ctx = 4\n";
  arguments[1] = workshop.write_study(rows);

  const Output output = run_petlab(arguments, workshop.folder());
  EXPECT_EQ(output.exit_code, 1) << output.out << output.err;
  EXPECT_THAT(output.err, HasSubstr("9 of 11 runs failed"));
  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  for (const results::StudyRun& run : store.runs("small")) {
    const auto found = cases.find(run.plan.row_label);
    if (found == cases.end()) {
      EXPECT_EQ(run.status, RunStatus::done) << run.plan.row_label << ": " << run.error;
      continue;
    }
    EXPECT_EQ(run.status, RunStatus::failed) << run.plan.row_label;
    for (const std::string& text : found->second)
      EXPECT_THAT(run.error, HasSubstr(text)) << run.plan.row_label;
  }
  const Output report = run_petlab({"report", "--store", "a.sqlite"}, workshop.folder());
  EXPECT_EQ(report.exit_code, 0) << report.err;
  EXPECT_THAT(report.out, HasSubstr("throws_in_factory"));
}

TEST(Failure, AHangAndGreedForMemoryEndThatRunOnly) {
  const Workshop workshop;
  const std::string study = workshop.write_study(
      "[row.hangs]\nmethod = fixture-hangs\nsharing = joint\n"
      "[row.hoards]\nmethod = fixture-hoards-memory\nsharing = joint\n"
      "[row.last]\nmethod = zero-shot\nsharing = joint\n");
  const Output output = run_petlab(
      run_arguments(study, "a.sqlite",
                    {"--seeds", "1", "--threads", "1", "--run-timeout", "10", "--memory-limit",
                     "1.5G", "--plugin-dir", (kBroken / "hangs").string(), "--plugin-dir",
                     (kBroken / "hoards_memory").string()}),
      workshop.folder());
  EXPECT_EQ(output.exit_code, 1) << output.out << output.err;
  const RunStore store(workshop.folder() / "a.sqlite", OpenMode::read_only);
  const auto runs = store.runs("small");
  ASSERT_EQ(runs.size(), 3U);
  EXPECT_THAT(runs[0].error, HasSubstr("longer than the limit of 10 s (--run-timeout)"));
  EXPECT_THAT(runs[1].error, HasSubstr("more memory than the limit of 1536 MiB"));
  EXPECT_EQ(runs[1].error_kind, "device");
  EXPECT_EQ(runs[2].status, RunStatus::done) << runs[2].error;
}

TEST(Failure, AFailedRunIsTriedAgainOnlyWhenAsked) {
  const Workshop workshop;
  const std::string study =
      workshop.write_study("[row.throws]\nmethod = fixture-throws-in-factory\nsharing = joint\n");
  const auto run = [&](const std::vector<std::string>& retry) {
    std::vector<std::string> more = {"--seeds", "1", "--no-table", "--plugin-dir",
                                     (kBroken / "throws_in_factory").string()};
    more.insert(more.end(), retry.begin(), retry.end());
    return run_petlab(run_arguments(study, "a.sqlite", more), workshop.folder());
  };
  const auto attempts = [&] {
    return RunStore(workshop.folder() / "a.sqlite", OpenMode::read_only)
        .runs("small")
        .at(0)
        .attempts;
  };
  EXPECT_EQ(run({}).exit_code, 1);
  const Output left = run({});
  EXPECT_EQ(left.exit_code, 1);
  EXPECT_THAT(left.out, HasSubstr("1 failed before, 0 to do"));
  EXPECT_THAT(left.err, HasSubstr("1 run failed before and was not tried again; --retry failed"));
  EXPECT_EQ(attempts(), 1);
  EXPECT_EQ(run({"--retry", "numeric,device"}).exit_code, 1);
  EXPECT_EQ(attempts(), 1);
  EXPECT_EQ(run({"--retry", "plugin"}).exit_code, 1);
  EXPECT_EQ(attempts(), 2);
  EXPECT_EQ(run({"--retry", "failed"}).exit_code, 1);
  EXPECT_EQ(attempts(), 3);
  const Output wrong = run({"--retry", "plugins"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("did you mean 'plugin'?"));
}

TEST(Failure, RefusedPluginsAreListedWithTheirReasons) {
  const Workshop workshop;
  std::vector<std::string> arguments = {"plugins"};
  const std::map<std::string, std::string> cases = {
      {"wrong_sdk_abi", "SDK ABI"},        {"wrong_torch", "LibTorch 1.12.0"},
      {"wrong_build_tag", "gcc 4.9"},      {"wrong_name", "somebody_else"},
      {"no_entry_symbol", "no symbol"},    {"undefined_symbol", "undefined symbol"},
      {"truncated", "cut short"},          {"truncated_header", "not a shared library"},
      {"not_elf", "not a shared library"}, {"duplicate_method", "already in plugin"},
      {"no_record", "no section"},         {"garbage_record", "magic number"},
  };
  for (const auto& [name, text] : cases)
    arguments.insert(arguments.end(), {"--plugin-dir", (kBroken / name).string()});
  const Output output = run_petlab(arguments, workshop.folder());
  EXPECT_EQ(output.exit_code, 4) << output.err;
  for (const auto& [name, text] : cases)
    EXPECT_THAT(output.out, HasSubstr(text)) << name;
  EXPECT_THAT(output.out, HasSubstr("method    mmap: "));
}

TEST(Failure, ADamagedPictureIsNamedBeforeAnyRun) {
  const Workshop workshop;
  const std::string study =
      workshop.write_study("[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n");
  const fs::path picture = workshop.folder() / "pictures" / "Photo" / "mug" / "picture2.jpg";
  fs::resize_file(picture, fs::file_size(picture) / 2);
  const Output output =
      run_petlab({"run", study, "--store", "a.sqlite", "--cache-dir", "cache"}, workshop.folder());
  EXPECT_EQ(output.exit_code, 3) << output.out << output.err;
  EXPECT_THAT(output.err, HasSubstr("Photo/mug/picture2"));
  const Output check = run_petlab({"datasets", "check", "pictures", "--strict"}, workshop.folder());
  EXPECT_EQ(check.exit_code, 3);
  EXPECT_THAT(check.out, HasSubstr("picture2"));
}

TEST(Failure, MissingThingsAreNamed) {
  const Workshop workshop;
  const std::string study =
      workshop.write_study("[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n");
  const Output no_data = run_petlab({"run", study, "--root", "nowhere"}, workshop.folder());
  EXPECT_EQ(no_data.exit_code, 3);
  EXPECT_THAT(no_data.err, HasSubstr("nowhere"));
  const Output no_model = run_petlab({"run", study, "--backbone", "nowhere"}, workshop.folder());
  EXPECT_EQ(no_model.exit_code, 3);
  EXPECT_THAT(no_model.err, HasSubstr("nowhere"));
  std::ofstream(workshop.folder() / "text.sqlite") << "this is not a database, but a longer text";
  const Output no_store = run_petlab({"run", study, "--store", "text.sqlite"}, workshop.folder());
  EXPECT_EQ(no_store.exit_code, 5);
  EXPECT_THAT(no_store.err, HasSubstr("text.sqlite"));
}

}  // namespace
}  // namespace petlab::tests
