#include "selection.hpp"

#include "petlab/sdk/error.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>

namespace petlab::plugins::gradient_grouping {
namespace {

std::vector<std::string> patterns_of(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ',')
      parts.emplace_back();
    else if (c != ' ')
      parts.back() += c;
  }
  return parts;
}

}  // namespace

bool matches(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern.front() == '*')
    return matches(pattern.substr(1), name) || (!name.empty() && matches(pattern, name.substr(1)));
  return !name.empty() && name.front() == pattern.front() &&
         matches(pattern.substr(1), name.substr(1));
}

at::Tensor select_columns(const std::vector<sdk::SharedParameter>& parameters,
                          const std::string& patterns, std::int64_t layer) {
  std::vector<at::Tensor> columns;
  std::string names;
  bool all = layer < 0;
  for (const auto& [name, shape, offset] : parameters) {
    names += (names.empty() ? "" : ", ") + name;
    bool fits = false;
    for (const std::string& pattern : patterns_of(patterns))
      fits = fits || matches(pattern, name);
    all = all && fits;
    if (!fits) continue;
    std::int64_t size = 1;
    for (const std::int64_t extent : shape)
      size *= extent;
    if (layer < 0) {
      columns.push_back(at::arange(offset, offset + size, at::kLong));
      continue;
    }
    if (shape.size() < 2 || layer >= shape.front())
      throw sdk::Error(sdk::ErrorKind::config,
                       "grouping 'gradient': option 'layer' is " + std::to_string(layer) +
                           ", but parameter '" + name + "' has no such row in its first dimension");
    const std::int64_t row = size / shape.front();
    columns.push_back(at::arange(offset + layer * row, offset + (layer + 1) * row, at::kLong));
  }
  if (columns.empty())
    throw sdk::Error(sdk::ErrorKind::config,
                     "grouping 'gradient': option 'parameters' is '" + patterns +
                         "', which fits none of the adapter's parameters " + names);
  return all ? at::Tensor() : at::cat(columns);
}

}  // namespace petlab::plugins::gradient_grouping
