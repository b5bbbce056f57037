#include "join_plans.hpp"

#include "petlab/base/text.hpp"

#include <algorithm>
#include <sstream>
#include <tuple>
#include <utility>
#include <vector>

namespace petlab::results {
namespace {

constexpr const char* kStudy = "study";  ///< its name, words about it, and the seeds
constexpr const char* kSeeds = "seeds";
constexpr const char* kRow = "row.";

/// A section of a resolved protocol: the lines "key = value" by their keys.
using Section = std::map<std::string, std::string>;

struct Protocol {
  std::vector<std::string> names;  ///< of the sections, in their order
  std::map<std::string, Section> sections;
  std::map<std::string, std::string> texts;  ///< of the sections, with their heads
};

Protocol parse(const std::string& text) {
  Protocol protocol;
  std::istringstream lines(text);
  std::string name;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('[') && line.ends_with(']')) {
      name = line.substr(1, line.size() - 2);
      protocol.names.push_back(name);
    } else {
      const auto equals = line.find(" =");
      protocol.sections[name][line.substr(0, equals)] =
          equals == std::string::npos ? "" : line.substr(equals + 2);
    }
    protocol.sections[name];
    protocol.texts[name] += line + "\n";
  }
  return protocol;
}

/// The first setting of a section in which two protocols differ; "" where they do not.
std::string difference_in(const std::string& section, const Section& mine, const Section& theirs,
                          const std::set<std::string>& places) {
  std::set<std::string> keys;
  for (const Section* one : {&mine, &theirs})
    for (const auto& [key, value] : *one)
      keys.insert(key);
  const auto said = [](const Section& one, const std::string& key) {
    const auto found = one.find(key);
    return found == one.end() ? std::string(" is not said") : " =" + found->second;
  };
  for (const std::string& key : keys)
    if (places.count(section + "." + key) == 0 && said(mine, key) != said(theirs, key))
      return "in [" + section + "] the one has '" + base::message_line(key + said(mine, key), 200) +
             "', the other '" + base::message_line(key + said(theirs, key), 200) + "'";
  return "";
}

std::string protocol_difference(const Protocol& mine, const Protocol& theirs,
                                const std::set<std::string>& places) {
  std::set<std::string> names;
  for (const Protocol* one : {&mine, &theirs})
    names.insert(one->names.begin(), one->names.end());
  for (const std::string& name : names) {
    const auto a = mine.sections.find(name), b = theirs.sections.find(name);
    const bool in_both = a != mine.sections.end() && b != theirs.sections.end();
    if (name == kStudy || (name.starts_with(kRow) && !in_both)) continue;
    const std::string difference =
        difference_in(name, a == mine.sections.end() ? Section() : a->second,
                      b == theirs.sections.end() ? Section() : b->second, places);
    if (!difference.empty()) return difference;
  }
  return "";
}

std::string joined_protocol(const Protocol& mine, const Protocol& theirs, const StudyRecord& all) {
  std::set<std::uint64_t> seeds;
  for (const PlannedRun& run : all.plan)
    seeds.insert(run.seed);
  std::string list;
  for (const std::uint64_t seed : seeds)
    list += (list.empty() ? "" : ",") + std::to_string(seed);
  std::string text;
  for (const std::string& name : mine.names) {
    std::istringstream lines(mine.texts.at(name));
    for (std::string line; std::getline(lines, line);) {
      const bool is_seeds = name == kStudy && line.starts_with(std::string(kSeeds) + " =");
      text += (is_seeds ? std::string(kSeeds) + " = " + list : line) + "\n";
    }
  }
  for (const std::string& name : theirs.names)
    if (mine.texts.count(name) == 0) text += theirs.texts.at(name);
  return text;
}

std::string name_of(const PlannedRun& run) {
  return "row '" + run.row_label + "' seed " + std::to_string(run.seed);
}

/// Both are of one label.
bool is_same_row(const PlannedRun& a, const PlannedRun& b) {
  return std::tie(a.method, a.sharing, a.grouping) == std::tie(b.method, b.sharing, b.grouping);
}

}  // namespace

JoinedPlans join_plans(const StudyRecord& mine, const StudyRecord& theirs,
                       const std::set<std::string>& places) {
  JoinedPlans result;
  StudyRecord joined = mine;
  std::map<std::string, const PlannedRun*> rows;  // mine by label
  std::map<std::pair<std::string, std::uint64_t>, const PlannedRun*> runs;
  std::int64_t next_row = 0;
  for (const PlannedRun& run : mine.plan) {
    rows.emplace(run.row_label, &run);
    runs.emplace(std::pair(run.row_label, run.seed), &run);
    next_row = std::max(next_row, run.row_index + 1);
  }
  std::map<std::string, std::int64_t> new_rows;
  for (const PlannedRun& run : theirs.plan) {
    const auto row = rows.find(run.row_label);
    const auto same = runs.find({run.row_label, run.seed});
    if (same != runs.end() && same->second->hash != run.hash) {
      result.difference = "their runs of " + name_of(run) + " have different settings";
      return result;
    }
    if (row != rows.end() && !is_same_row(*row->second, run)) {
      result.difference = "their rows '" + run.row_label + "' have other methods or sharings";
      return result;
    }
    std::int64_t index = 0;
    if (row != rows.end()) {
      index = row->second->row_index;
    } else {
      const auto [place, is_new] = new_rows.emplace(run.row_label, next_row);
      next_row += is_new ? 1 : 0;
      index = place->second;
    }
    result.rows[run.row_index] = index;
    if (same == runs.end()) {
      joined.plan.push_back(run);
      joined.plan.back().row_index = index;
    }
  }
  const Protocol my_protocol = parse(mine.protocol), their_protocol = parse(theirs.protocol);
  result.difference = protocol_difference(my_protocol, their_protocol, places);
  if (!result.difference.empty()) return result;
  std::sort(joined.plan.begin(), joined.plan.end(), [](const PlannedRun& a, const PlannedRun& b) {
    return std::tie(a.row_index, a.seed) < std::tie(b.row_index, b.seed);
  });
  joined.protocol = joined_protocol(my_protocol, their_protocol, joined);
  result.study = std::move(joined);
  return result;
}

}  // namespace petlab::results
