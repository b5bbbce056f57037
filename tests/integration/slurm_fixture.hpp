#pragma once

#include "petlab/results/record.hpp"
#include "program.hpp"
#include "sample_study.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace petlab::tests {

struct Said {
  int code = -1;
  std::string text;  ///< of both outputs
};

/// What a line of shell says.
[[nodiscard]] Said shell(const std::string& line);

/// Those that hold something.
[[nodiscard]] std::vector<std::string> lines_of(const std::string& text);

/// Asks again and again, for so many minutes at most, while tasks that went back into the queue are
/// hastened: there they would wait for as long.
[[nodiscard]] bool wait_until(const std::function<bool()>& happened, int minutes = 2);

/// A cluster of two nodes (slurm_cluster.sh), which the tests share, and a workshop for each.
class SlurmTest : public testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  static Said cluster(const std::string& action);

  void SetUp() override;
  /// Nothing of a test is left to the next one: no job, no node that is down.
  void TearDown() override;

  /// `petlab COMMAND STUDY` on a.sqlite; `run` by Slurm.
  [[nodiscard]] static std::vector<std::string> arguments(
      const std::string& command, const std::string& study,
      const std::vector<std::string>& more = {});
  [[nodiscard]] Output call(const std::string& command, const std::string& study,
                            const std::vector<std::string>& more = {}) const;

  /// The study on this machine alone, in whole.sqlite.
  void run_undisturbed(const std::string& study, const std::vector<std::string>& more = {}) const;
  void expect_the_same_bits() const;

  /// "12_0" of the first task that runs and trains; "" when that does not happen.
  [[nodiscard]] std::string wait_for_training() const;

  /// Waits for the end of a program while requeued tasks are hastened.
  [[nodiscard]] static Output finish(Program& program);

  [[nodiscard]] results::RunRecord only_run() const;
  [[nodiscard]] std::string logs() const;

  Workshop workshop_;
  static std::filesystem::path folder_;  ///< of the cluster
  static bool is_up_;
};

}  // namespace petlab::tests
