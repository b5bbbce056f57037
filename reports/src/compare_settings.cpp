#include "compare_settings.hpp"

#include "numbers.hpp"
#include "petlab/base/text.hpp"
#include "petlab/results/named_values.hpp"
#include "table_model.hpp"

#include <algorithm>
#include <set>

namespace petlab::reports {
namespace {

using results::RunRecord;

constexpr std::size_t kHashDigits = 64;

// Hashes are cut to the digits that other tables show.
std::string shown(const std::string& value) {
  if (value.empty()) return "(empty)";
  const bool hash = value.size() == kHashDigits &&
                    value.find_first_not_of("0123456789abcdef") == std::string::npos;
  return hash ? base::short_hash(value) : value;
}

std::optional<std::string> named(const results::NamedValues& values, const std::string& name) {
  const std::string* value = results::find_value(values, name);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

// Identity and machine of a run under the names that are printed.
results::NamedValues settings_of(const RunRecord& run) {
  results::NamedValues settings = run.identity.parts;
  for (const char* name : {results::environment::kDevice, results::environment::kCpu,
                           results::environment::kCpuLevel, results::environment::kThreads,
                           results::environment::kPetlabVersion, results::environment::kSources}) {
    if (const std::string* value = results::find_value(run.environment, name))
      settings.emplace_back(std::string("machine: ") + name, *value);
  }
  settings.emplace_back("trainable parameters", grouped_digits(run.trainable()));
  return settings;
}

class Values {
 public:
  void add(const std::optional<std::string>& value) {
    const std::string text = value ? shown(*value) : kNothing;
    if (std::find(values_.begin(), values_.end(), text) == values_.end()) values_.push_back(text);
  }
  std::string text() const {
    constexpr std::size_t kMax = 3;
    std::string result;
    for (std::size_t i = 0; i < std::min(kMax, values_.size()); ++i)
      result += (i == 0 ? "" : " / ") + values_[i];
    return values_.size() > kMax ? result + " / ..." : result;
  }

 private:
  std::vector<std::string> values_;
};

}  // namespace

void compare_settings(CompareResult& result, const std::vector<RunPair>& pairs) {
  std::vector<std::pair<results::NamedValues, results::NamedValues>> settings;
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const auto& [a, b] : pairs) {
    settings.emplace_back(settings_of(*a), settings_of(*b));
    for (const auto* side : {&settings.back().first, &settings.back().second}) {
      for (const auto& [name, value] : *side) {
        if (seen.insert(name).second) names.push_back(name);
      }
    }
  }
  for (const std::string& name : names) {
    Values a, b;
    bool differs = false;
    for (const auto& [first, second] : settings) {
      const auto of_a = named(first, name);
      const auto of_b = named(second, name);
      differs |= of_a != of_b;
      a.add(of_a);
      b.add(of_b);
    }
    if (differs) {
      result.settings.push_back({name, a.text(), b.text()});
    } else {
      ++result.equal_settings;
    }
  }
}

}  // namespace petlab::reports
