#pragma once

#include "compare_settings.hpp"
#include "petlab/reports/compare.hpp"

#include <map>
#include <string>
#include <vector>

namespace petlab::reports {

/// The run's result of a task of its split. Throws Error(store) where it has none.
const results::TaskResult& task_of(const results::RunRecord& run, const std::string& task);

/// "3"; "1 / 2" for two runs with different seeds.
std::string seed_name(const RunPair& pair);

/// An answer of one side to an image, over its runs.
struct GivenAnswer {
  std::string answer;
  int runs = 0;
  double probability = 0.0;  ///< mean over these runs
};

/// The answers of a side, the most frequent first, then in the order of the runs.
std::vector<GivenAnswer> given_answers(const Disagreement& image, std::string AnswerPair::* side,
                                       double AnswerPair::* probability);

/// What two sides answered on the same test images, run pair by run pair.
class PairedAnswers {
 public:
  /// By sample id; `answers` has every pair that tested the image.
  using Images = std::map<std::string, Disagreement>;

  /// Adds the answers of a pair of runs that were both tested on `split`, with the predictions of
  /// all its tasks; returns the wins of this pair alone.
  Wins add(const RunPair& pair, const results::SplitRecord& split);

  /// In the order in which splits had them.
  const std::vector<std::string>& tasks() const { return tasks_; }
  /// All images of a task, also those on which the sides agree.
  const Images& images(const std::string& task) const { return images_.at(task); }

  /// The images with different answers in at least one pair: those with the largest
  /// |a_right - b_right| first, then by confidence.
  std::vector<Disagreement> disagreements() const;

 private:
  std::vector<std::string> tasks_;
  std::map<std::string, Images> images_;
};

}  // namespace petlab::reports
