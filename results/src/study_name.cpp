#include "petlab/results/study_name.hpp"

#include "petlab/base/numbers.hpp"
#include "petlab/base/text.hpp"

#include <algorithm>
#include <string_view>

namespace petlab::results {
namespace {

constexpr const char* kVariant = " [";
constexpr const char* kEarlier = " (earlier ";
constexpr const char* kSearch = "/search";
constexpr const char* kRung = "/rung-";

}  // namespace

std::string variant_name(const std::string& study, const std::vector<std::string>& settings) {
  return settings.empty() ? study : study + kVariant + base::joined(settings) + "]";
}

std::string earlier_name(const std::string& study, std::int64_t number) {
  return study + kEarlier + std::to_string(number) + ")";
}

std::string base_study(const std::string& name) {
  const std::string plain = name.substr(0, std::min(name.find(kVariant), name.find(kEarlier)));
  return is_search(plain) ? plain.substr(0, plain.rfind(kSearch)) : plain;
}

bool is_search(const std::string& name) {
  return name.ends_with(kSearch) || rung_of(name) > 0;
}

std::string search_name(const std::string& name) {
  return name + kSearch;
}

std::size_t rung_of(const std::string& name) {
  const auto at = name.rfind(kRung);
  if (at == std::string::npos || !name.substr(0, at).ends_with(kSearch)) return 0;
  return base::parse_number<std::size_t>(name.substr(at + std::string_view(kRung).size()))
      .value_or(0);
}

std::string rung_name(const std::string& name, std::size_t number) {
  return search_name(name) + kRung + std::to_string(number);
}

}  // namespace petlab::results
