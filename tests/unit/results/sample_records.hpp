#pragma once

#include "petlab/results/run_store.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

/// Small, consistent records for tests.
namespace petlab::results::sample {

/// A folder of its own that is removed with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// A split of two tasks, "line" and "emoji", with `images` test images each and 4 classes.
SplitRecord split(std::uint64_t seed, std::int64_t images = 10);

/// What the sample runs differ in.
struct RunChoice {
  std::string method = "coop";
  std::string sharing = "joint";
  std::string grouping{};  // not empty: the run brings a grouping record of this strategy
  std::uint64_t seed = 1;
  std::int64_t trainable = 512;
  std::vector<std::int64_t> correct = {7, 5};  // of the split's test images, one a task
  double train_seconds = 10.0;
};

/// A finished run on `split`: the first `correct` test images of each task are right.
RunRecord done_run(const RunChoice& choice, const SplitRecord& split);

/// The same run as a failure.
RunRecord failed_run(const RunChoice& choice, const SplitRecord& split, const std::string& error);

/// The identity that done_run() and failed_run() give to the choice.
RunIdentity identity_of(const RunChoice& choice, const SplitRecord& split);

/// A study of the choices: row i holds the i-th label, one run for each choice.
struct Row {
  std::string label;
  std::vector<RunChoice> runs;
};
StudyRecord study(const std::string& name, const std::vector<Row>& rows);

}  // namespace petlab::results::sample
