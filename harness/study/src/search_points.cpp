#include "search_points.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/engine/seeds.hpp"
#include "petlab/engine/setting_table.hpp"
#include "petlab/sdk/method.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <span>

namespace petlab::study {
namespace {

const sdk::OptionSpec* find_option(const sdk::MethodEntry& method, const std::string& name) {
  for (const sdk::OptionSpec& option : std::span(method.options, method.option_count))
    if (name == option.name) return &option;
  return nullptr;
}

double parse_number(const std::string& text, const std::string& message) {
  const auto value = base::parse_number<double>(text);
  if (!value) base::throw_config_error(message);
  return *value;
}

/// What a row has at a key without a search: what the file says, else its publication's.
double own_value(const Row& row, const sdk::MethodEntry& method, const SearchSpace& space) {
  const std::string where = space.origin + ": row '" + row.label + "': " + space.key + " is ";
  std::string text;
  if (space.key.starts_with("option.")) {
    const std::string name = space.key.substr(7);
    if (const auto given = row.method_options.find(name); given != row.method_options.end())
      text = given->second;
    else if (const sdk::OptionSpec* option = find_option(method, name))
      text = option->default_value;
  } else if (const auto given = row.training.find(space.key); given != row.training.end()) {
    text = given->second;
  } else if (const auto& published = engine::row_setting(space.key)->publication) {
    text = published(method.training);
  }
  return parse_number(text, where + "'" + text + "', and x is for factors of a number");
}

std::string draw(const SearchSpace& space, base::SplitMix64& random) {
  if (space.kind == SearchSpace::Kind::list) return space.values[random.below(space.values.size())];
  const double u = random.uniform();
  const double value =
      space.kind == SearchSpace::Kind::uniform
          ? space.low + u * (space.high - space.low)
          : std::exp(std::log(space.low) + u * (std::log(space.high) - std::log(space.low)));
  return rounded_text(value, "%.3g");
}

}  // namespace

std::string rounded_text(double value, const char* format) {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return base::number_text(std::strtod(text, nullptr));
}

KeyKind key_kind(const std::string& key, const sdk::MethodEntry& method) {
  if (!key.starts_with("option.")) {
    const std::string& values = engine::row_setting(key)->values;
    if (values.starts_with("integer")) return KeyKind::integers;
    return values.starts_with("number") ? KeyKind::reals : KeyKind::words;
  }
  const sdk::OptionSpec* option = find_option(method, key.substr(7));
  if (option != nullptr && option->type == sdk::OptionType::integer) return KeyKind::integers;
  return option != nullptr && option->type == sdk::OptionType::real ? KeyKind::reals
                                                                    : KeyKind::words;
}

bool trains(const sdk::MethodEntry& method) {
  return method.training.learning_rate > 0.0;
}

std::vector<SearchSpace> row_spaces(const SearchSpec& search, const Row& row,
                                    const sdk::MethodEntry& method) {
  std::vector<SearchSpace> spaces;
  if (trains(method)) spaces = search.general;
  if (const auto own = search.methods.find(row.method); own != search.methods.end())
    for (const SearchSpace& space : own->second) {
      const auto same = std::find_if(spaces.begin(), spaces.end(),
                                     [&](const auto& s) { return s.key == space.key; });
      if (same != spaces.end())
        *same = space;
      else
        spaces.push_back(space);
    }
  for (SearchSpace& space : spaces) {
    if (space.relative) {
      const double own = own_value(row, method, space);
      space.low *= own;
      space.high *= own;
    }
    for (std::string& value : space.values)
      if (value.starts_with('x') && value.size() > 1 &&
          value.find_first_not_of("0123456789.eE+-", 1) == std::string::npos)
        value = rounded_text(own_value(row, method, space) *
                             parse_number(value.substr(1), space.origin + ": '" + value +
                                                               "' is no factor such as x3"));
  }
  return spaces;
}

std::vector<results::NamedValues> grid_points(const std::vector<SearchSpace>& spaces) {
  std::vector<results::NamedValues> points = {{}};
  for (const SearchSpace& space : spaces) {
    std::vector<results::NamedValues> longer;
    for (const results::NamedValues& point : points)
      for (const std::string& value : space.values) {
        longer.push_back(point);
        longer.back().emplace_back(space.key, value);
      }
    points = std::move(longer);
  }
  return points;
}

std::vector<results::NamedValues> drawn_points(const std::vector<SearchSpace>& spaces,
                                               std::int64_t count, std::uint64_t seed,
                                               const std::string& method,
                                               const std::string& where) {
  base::SplitMix64 random(engine::derive_seed(seed, {"search", method}));
  std::vector<results::NamedValues> points;
  // A space may be small: give up where nothing new has come for long.
  constexpr int kPatience = 1000;
  for (int repeated = 0; points.size() < static_cast<std::size_t>(count);) {
    results::NamedValues point;
    for (const SearchSpace& space : spaces)
      point.emplace_back(space.key, draw(space, random));
    if (std::find(points.begin(), points.end(), point) == points.end()) {
      points.push_back(std::move(point));
      repeated = 0;
    } else if (++repeated == kPatience) {
      base::throw_config_error(where + ": the space holds " + std::to_string(points.size()) +
                               " settings, expected " + std::to_string(count) +
                               " different trials");
    }
  }
  return points;
}

}  // namespace petlab::study
