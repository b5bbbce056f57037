#pragma once

#include "petlab/reports/bootstrap.hpp"
#include "petlab/reports/paired_tests.hpp"
#include "petlab/reports/statistics.hpp"
#include "petlab/results/run_store.hpp"

#include <cstdint>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// Two rows of a study, or two runs, set against each other picture by picture.
namespace petlab::reports {

/// What is compared: the finished runs of a row, or one run.
struct Side {
  std::string name;                      // the row's label, or the first digits of a run's identity
  std::string study;                     // "" for a run that no study plans
  std::vector<results::RunRecord> runs;  // with predictions, by seed; at least one
  std::map<std::string, results::SplitRecord> splits;  // of the runs, by split_key()
  int planned = 0;                                     // runs of the row; 1 for a run
};

/// The hash of a run's split with that of its data set behind it.
std::string split_key(const results::RunRecord& run);

/// Finds a side: a row label of `study` (of any study where that is ""), STUDY:LABEL, or a run's
/// identity or the first digits of it (4 or more) if a study plans the run. Throws Error(config)
/// that names what there is, for a name that nothing or more than one thing has, and for a row
/// without finished runs.
Side find_side(const results::RunStore& store, const std::string& name, const std::string& study);

/// One thing that was not the same: a part of the identity, or of the machine.
struct DifferentSetting {
  std::string name;
  std::string a;  // "–" where the side has no such setting; several values are joined by " / "
  std::string b;
};

/// Answers, over all paired runs, where only one side was right.
struct Wins {
  std::int64_t a = 0;
  std::int64_t b = 0;
  double p = 1.0;  // clustered_mcnemar_p(): the answers to one picture count as one draw
};

struct TaskDifference {
  std::string task;
  double a = 0.0;  // accuracy, mean over the paired runs
  double b = 0.0;
  Estimate difference;  // a - b, over the paired runs
  Wins wins;
  double p_holm = 1.0;  // of wins.p, over the tasks
};

struct SeedDifference {
  std::string name;  // "3"; "1 / 2" for two runs with different seeds
  double a = 0.0;    // mean accuracy over tasks
  double b = 0.0;
  Wins wins;  // of this seed alone
};

/// What both sides said about one picture in one pair of runs.
struct AnswerPair {
  std::string seed;
  std::string a;  // class names
  std::string b;
  double a_probability = 0.0;  // that the side gave to its own answer
  double b_probability = 0.0;
  bool a_right = false;
  bool b_right = false;
};

/// A picture to which the sides gave different answers at least once.
struct Disagreement {
  std::string task;
  std::string picture;              // sample id
  std::string truth;                // class name
  std::vector<AnswerPair> answers;  // all pairs of runs that tested it, also those that agree
  int a_right = 0;
  int b_right = 0;
};

struct CompareResult {
  std::string a, b;  // names of the sides
  std::vector<DifferentSetting> settings;
  std::int64_t equal_settings = 0;
  std::vector<std::string> notes;  // runs left out, missing ones
  std::vector<SeedDifference> seeds;
  std::vector<TaskDifference> tasks;

  /// a - b of mean accuracies, over the paired runs; and its paired t-test.
  Estimate difference;
  std::optional<double> seeds_p;
  BootstrapInterval pictures;  // the same difference, pictures resampled with all their seeds
  Wins wins;                   // over all pictures
  /// Over tasks x seeds; nothing where no task differs with any seed.
  std::optional<SignedRanks> task_seeds;
  /// Those with the largest |a_right - b_right| first, then by confidence.
  std::vector<Disagreement> disagreements;
  std::int64_t tested_pictures = 0;
  /// Is it real? One to three sentences that start with the answer.
  std::string verdict;
};

/// Pairs the runs by seed (two single runs whatever their seeds) and compares them. Throws
/// Error(config) where they cannot be paired: no seed in common, the same runs on both sides, or
/// runs that were not tested on the same pictures with the same classes.
CompareResult compare(const Side& a, const Side& b);

/// Prints the verdict, where the sides differ, by how much, the tests and the first `pictures` of
/// the disagreements.
void print_comparison(std::ostream& out, const CompareResult& result, int pictures);

/// The same as JSON with all disagreements; reports/README.md says the shape.
std::string comparison_json(const CompareResult& result);

/// All disagreements: a line a picture and pair of runs.
std::string disagreements_csv(const CompareResult& result);

}  // namespace petlab::reports
