#include "train_size_studies.hpp"

#include "petlab/base/numbers.hpp"
#include "protocol_text.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

namespace petlab::reports {
namespace {

// By the size as a number.
using Sized = std::map<double, std::pair<std::string, const Report*>>;

// The size of a study that has one; nothing for others.
std::optional<std::string> size_of(const Report& report) {
  if (!report.train_sizes.empty()) return std::nullopt;
  const std::string split =
      protocol_setting(report.protocol, "dataset", "split").value_or("percent");
  if (split == "percent") return protocol_setting(report.protocol, "dataset", "train-fraction");
  if (split == "shots") return protocol_setting(report.protocol, "dataset", "train-shots");
  return std::nullopt;
}

bool says_size(const std::string& line) {
  return line.starts_with("train-fraction = ") || line.starts_with("train-shots = ");
}

// What the studies of a family have in common.
std::string family_of(const Report& report) {
  std::istringstream lines(report.protocol);
  std::string family;
  bool counts = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('['))
      counts = line == "[dataset]" || line == "[backbone]" || line == "[train]";
    if (counts && !says_size(line)) family += line + "\n";
  }
  for (const Row& row : report.rows)
    family += row.label + "\n" + row.method + "\n" + row.sharing + "\n" + row.grouping + "\n";
  return family;
}

TrainSizes sizes_of(const Sized& studies) {
  TrainSizes result;
  const Report& first = *studies.begin()->second.second;
  // A size that decides what tests is the same in all of them.
  result.one_test_set =
      protocol_setting(first.protocol, "dataset", "largest-train-size").has_value();
  for (const Row& row : first.rows)
    result.lines.push_back({row.label, row.sharing, /*trains=*/false, {}});
  for (const auto& [number, study] : studies) {
    const auto& [size, report] = study;
    result.sizes.push_back(size);
    for (std::size_t r = 0; r < report->rows.size(); ++r) {
      const Row& row = report->rows[r];
      result.lines[r].rows.push_back(&row);
      if (row.trainable && row.trainable->second > 0) result.lines[r].trains = true;
    }
  }
  return result;
}

}  // namespace

std::vector<TrainSizes> train_sizes_over(const std::vector<Report>& studies) {
  std::vector<std::pair<std::string, Sized>> families;
  for (const Report& report : studies) {
    const auto size = report.finished > 0 ? size_of(report) : std::nullopt;
    const auto number = size ? base::parse_number<double>(*size) : std::nullopt;
    if (!number) continue;
    const std::string name = family_of(report);
    auto family = std::find_if(families.begin(), families.end(),
                               [&](const auto& one) { return one.first == name; });
    if (family == families.end()) family = families.emplace(families.end(), name, Sized());
    family->second.try_emplace(*number, *size, &report);
  }
  std::vector<TrainSizes> result;
  for (const auto& [name, sized] : families)
    if (sized.size() > 1) result.push_back(sizes_of(sized));
  return result;
}

}  // namespace petlab::reports
