#include "fixed_grouping.hpp"

#include "petlab/sdk/error.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <utility>

namespace petlab::plugins::fixed_grouping {
namespace {

sdk::GroupingResult only(sdk::Partition partition) {
  return {.affinity = {}, .partitions = {{std::move(partition), 0.0}}};
}

[[noreturn]] void refuse(const std::string& text, const std::string& what) {
  throw sdk::Error(sdk::ErrorKind::config,
                   "grouping 'given': option 'groups' is '" + text + "', which " + what);
}

std::string joined(const std::vector<std::string>& names) {
  std::string result;
  for (const std::string& name : names)
    result += (result.empty() ? "" : ", ") + name;
  return result;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

std::string trimmed(const std::string& text) {
  constexpr std::string_view kSpaces = " \t";
  const auto first = text.find_first_not_of(kSpaces);
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

}  // namespace

sdk::GroupingResult AllInOne::find(sdk::GroupingHost& host) const {
  std::vector<std::int64_t> all(host.tasks().size());
  std::iota(all.begin(), all.end(), 0);
  return only({all});
}

sdk::GroupingResult OneEach::find(sdk::GroupingHost& host) const {
  sdk::Partition partition;
  for (std::size_t task = 0; task < host.tasks().size(); ++task)
    partition.push_back({static_cast<std::int64_t>(task)});
  return only(std::move(partition));
}

sdk::Partition parse_partition(const std::string& text, const std::vector<std::string>& tasks) {
  sdk::Partition partition;
  std::vector<bool> used(tasks.size(), false);
  for (const std::string& group_text : split(text, ',')) {
    std::vector<std::int64_t> group;
    for (const std::string& part : split(group_text, '+')) {
      const std::string name = trimmed(part);
      if (name.empty())
        refuse(text, "has an empty name, expected groups like 'line+solid,flat+emoji'");
      const auto found = std::find(tasks.begin(), tasks.end(), name);
      if (found == tasks.end())
        refuse(text, "names '" + name + "', expected one of the tasks " + joined(tasks));
      const auto index = static_cast<std::size_t>(found - tasks.begin());
      if (used[index]) refuse(text, "names task '" + name + "' twice, expected each task once");
      used[index] = true;
      group.push_back(static_cast<std::int64_t>(index));
    }
    std::sort(group.begin(), group.end());
    partition.push_back(std::move(group));
  }
  for (std::size_t task = 0; task < tasks.size(); ++task)
    if (!used[task]) refuse(text, "lacks task '" + tasks[task] + "', expected each task once");
  std::sort(partition.begin(), partition.end());
  return partition;
}

Given::Given(const sdk::Options& options) : groups_(options.text("groups")) {
  if (trimmed(groups_).empty())
    refuse(groups_, "is empty, expected groups like 'line+solid,flat+emoji'");
}

sdk::GroupingResult Given::find(sdk::GroupingHost& host) const {
  return only(parse_partition(groups_, host.tasks()));
}

}  // namespace petlab::plugins::fixed_grouping
