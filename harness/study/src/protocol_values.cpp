#include "protocol_values.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/results/study_name.hpp"

#include <algorithm>
#include <cctype>
#include <limits>

namespace petlab::study {

using engine::setting_error;

std::string name_value(const Setting& setting) {
  if (!is_plain_name(setting.value))
    setting_error(setting, "expected a name of letters, digits and - _ + .");
  return setting.value;
}

std::string study_name_value(const Setting& setting) {
  // A resolved protocol says the name of its variant.
  const bool is_variant = setting.value.ends_with("]");
  std::string rest = is_variant ? results::base_study(setting.value) : setting.value;
  for (auto slash = rest.find('/');; slash = rest.find('/')) {
    if (!is_plain_name(rest.substr(0, slash)))
      setting_error(setting, "expected names of letters, digits and - _ + . with / between");
    if (slash == std::string::npos) return setting.value;
    rest = rest.substr(slash + 1);
  }
}

bool is_plain_name(const std::string& text) {
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '+' || c == '.';
  };
  return !text.empty() && text.front() != '.' && std::all_of(text.begin(), text.end(), plain);
}

std::vector<std::uint64_t> parse_seeds(const std::string& text, const std::string& origin) {
  std::vector<std::uint64_t> seeds;
  const auto fail = [&] {
    throw base::Error(
        base::ErrorKind::config,
        origin + ": seeds are '" + text + "', expected different numbers such as 1,2,3 or 1-5");
  };
  std::string rest = text;
  while (!rest.empty() || seeds.empty()) {
    const auto comma = rest.find(',');
    std::string one = rest.substr(0, comma);
    std::erase(one, ' ');
    const auto dash = one.find('-');
    const auto first = base::parse_number<std::uint64_t>(one.substr(0, dash));
    const auto end =
        dash == std::string::npos ? first : base::parse_number<std::uint64_t>(one.substr(dash + 1));
    if (!first || !end) fail();
    const std::uint64_t last = end.value();
    // SQLite's integers are signed.
    if (last < *first || last - *first > 10000 || last > std::numeric_limits<std::int64_t>::max())
      fail();
    for (std::uint64_t seed = *first; seed <= last; ++seed) {
      if (std::find(seeds.begin(), seeds.end(), seed) != seeds.end()) fail();
      seeds.push_back(seed);
    }
    if (comma == std::string::npos) break;
    rest = rest.substr(comma + 1);
    if (rest.empty()) fail();
  }
  return seeds;
}

}  // namespace petlab::study
