#include "petlab/results/study_name.hpp"

#include "petlab/base/text.hpp"

#include <algorithm>

namespace petlab::results {
namespace {

constexpr const char* kVariant = " [";
constexpr const char* kEarlier = " (earlier ";
constexpr const char* kSearch = "/search";

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
  return name.ends_with(kSearch);
}

std::string search_name(const std::string& name) {
  return name + kSearch;
}

}  // namespace petlab::results
