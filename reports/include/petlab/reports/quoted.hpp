#pragma once

#include "petlab/reports/report.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace petlab::reports {

/// True if `study` is `pattern`, in which each * stands for any text: "office-home-10/*".
bool matches_study(const std::string& pattern, const std::string& study);

/// Puts the numbers into the rows that they are about: those whose study pattern matches, whose row
/// has that label, and whose quantity is one that the report knows. A number that the row has
/// already, equal in all that is said of it, is not added again. Returns for each number whether it
/// found its row.
std::vector<bool> add_quoted(Report& report, const std::vector<QuotedNumber>& numbers);

/// Something of a row that can be quoted.
struct Quantity {
  std::string name;   ///< in files of quoted numbers: "mean"
  std::string title;  ///< of a column: "mean %"
  /// What the report's runs measured, in the unit of the quoted number; nothing where they did not.
  std::function<std::optional<double>(const Row&)> measured;
};

/// All of a report, in its order: accuracies in % on each domain, their mean, on new classes and
/// the harmonic mean; trainable parameters, and their share of the backbone in %. A domain that has
/// the name of one of the others cannot be quoted: the name is that of the quantity.
std::vector<Quantity> quantities_of(const Report& report);

/// Those that are quoted anywhere in the report.
std::vector<Quantity> quoted_quantities(const Report& report);

/// "~0.09", "149,620,737": the number in a printed value; nothing where it is none. A comma parts
/// thousands, in front of three digits each: "36,67" is no number.
std::optional<double> quoted_value(std::string text);

/// A sentence for each source that numbers of the report are quoted from.
std::vector<std::string> quoted_sources(const Report& report);

}  // namespace petlab::reports
