#pragma once

#include "petlab/reports/report.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace petlab::reports {

/// The one that runs.csv has as "loss" of a task.
inline constexpr const char* kLossMeasure = "negative_log_likelihood";

/// A number that says how well a run did, beside its mean accuracy.
struct Measure {
  std::string name;  // of its columns in CSV files
  std::string title;
  std::string unit;    // of the cells in tables
  double scale = 1.0;  // from the value to the unit
  int places = 2;      // after the point, in tables
  std::string reading;
  /// Of one task of a run; absent for a measure that is of all tasks together.
  std::optional<double> (*of_task)(const SeedResult& run, std::size_t task) = nullptr;
  /// Of a run. Absent: the mean of its tasks, each counting the same.
  std::optional<double> (*of_run)(const SeedResult& run) = nullptr;

  /// From 0 to 1, so that an interval cannot leave that.
  bool is_share() const { return unit == "%"; }
};

/// All measures, each said once: tables, CSV files, legends and Row::measures go by this list.
const std::vector<Measure>& measure_list();

/// Nothing where one of its tasks has no value, or where it has no tasks.
std::optional<double> value_of(const Measure& measure, const SeedResult& run);

/// The value as it stands in a cell, without its unit; "" for none.
std::string measure_text(const Measure& measure, const std::optional<double>& value);

}  // namespace petlab::reports
