#pragma once

#include "program.hpp"
#include "sample_study.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace petlab::tests {

/// The finished runs of a small study, whose adapters are exported and loaded elsewhere.
class ExportedRuns {
 public:
  using Answers = std::vector<std::map<std::string, double>>;  ///< by picture and class

  /// Runs the study with these rows and one seed.
  explicit ExportedRuns(const std::string& rows);

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  /// All pictures of the data set, of all domains.
  [[nodiscard]] const std::vector<std::string>& pictures() const { return pictures_; }
  /// The identity of a row's run.
  [[nodiscard]] const std::string& run(const std::string& row) const { return runs_.at(row); }

  [[nodiscard]] Output petlab(const std::vector<std::string>& arguments) const;
  /// petlab export of the row's run into the folder of its name.
  [[nodiscard]] Output exported(const std::string& row) const;
  /// What petlab says of all pictures, as a task of the run or, without one, as any.
  [[nodiscard]] Answers answers(const std::string& row, const std::string& task = "") const;
  /// A file with a picture's probabilities a line, classes in the order of their names, says what
  /// petlab says, to 1e-3, and the same classes.
  void expect_same(const Answers& mine, const std::filesystem::path& file) const;

 private:
  Workshop workshop_;
  std::filesystem::path folder_ = workshop_.folder();
  std::map<std::string, std::string> runs_;
  std::vector<std::string> pictures_;
};

}  // namespace petlab::tests
