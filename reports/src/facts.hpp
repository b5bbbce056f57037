#pragma once

#include "petlab/reports/report.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace petlab::reports {

/// Different values in the order of their first appearance, empty ones left out.
class Distinct {
 public:
  void add(const std::string& value);
  bool empty() const { return values_.empty(); }
  std::size_t size() const { return values_.size(); }
  const std::vector<std::string>& values() const { return values_; }
  std::string join(const std::string& separator) const;

 private:
  std::set<std::string> known_;
  std::vector<std::string> values_;
};

/// Smallest and largest of the numbers that were given.
template <class Number>
struct Extent {
  std::optional<Number> low;
  std::optional<Number> high;

  void add(Number value) {
    low = low ? std::min(*low, value) : value;
    high = high ? std::max(*high, value) : value;
  }
};

/// What the finished runs of a study say about themselves, taken from one run after the other: so
/// that the runs need not stand in memory together.
class RunFacts {
 public:
  void add(const results::RunRecord& run);

  int runs = 0;
  std::int64_t backbone_parameters = 0;                     // of the first run
  std::vector<std::pair<std::string, std::string>> splits;  // hashes of split and data set
  Distinct backbones;  // with their numbers of parameters, in words
  Distinct precisions;
  Distinct protocols;  // as text; no more than two are kept
  Distinct determinism;
  std::map<std::string, Distinct> environment;  // values of the names of results::environment
  Distinct data_notes;                          // sentences about data set and split
  Distinct class_names;  // of the files that say what classes are called in prompts
  Extent<std::int64_t> test_evaluations;
  Extent<double> step_flops;
  Extent<double> image_flops;
  int kept_features = 0;  // whose image features were computed in set-up, or read
  int unclean = 0;        // done by a petlab of changed or unknown sources

  const Distinct& of_environment(const std::string& name) const;
};

/// What was equal for all runs, in words. Where runs differ, all values are named.
std::vector<std::pair<std::string, std::string>> collect_facts(
    const Report& report, const std::vector<std::uint64_t>& seeds, const RunFacts& runs);

/// The splits of the runs, each once, in the order of first use.
std::vector<results::SplitRecord> splits_of(const results::RunStore& store, const RunFacts& runs);

/// What stands in the way of comparing the rows of a report that is otherwise complete.
std::vector<Note> collect_notes(const Report& report, const RunFacts& runs);

}  // namespace petlab::reports
