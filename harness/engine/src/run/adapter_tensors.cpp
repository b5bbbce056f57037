#include "run/adapter_tensors.hpp"

#include "petlab/base/error.hpp"

#include <ATen/ATen.h>

#include <utility>

namespace petlab::engine {
namespace {

using nlohmann::json;

// Elements after which a tensor's address is as round as a new one's: 64 bytes of fp32.
constexpr std::int64_t kRound = 16;
// Views into something much larger are kept without it.
constexpr std::int64_t kMostGaps = 64;

/// Elements from the first to the last; -1 for strides that no tensor has here.
std::int64_t span_of(at::IntArrayRef sizes, at::IntArrayRef strides, std::int64_t most) {
  std::int64_t span = 1;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (strides[i] < 0 || strides[i] > most) return -1;
    if (sizes[i] == 0) return 0;
    const std::int64_t steps = sizes[i] - 1;
    if (steps > 0 && strides[i] > (most - span) / steps) return -1;
    span += steps * strides[i];
  }
  return span;
}

std::int64_t most_span(std::int64_t values) {
  return kMostGaps * values + kMostGaps;
}

at::Tensor lie_as(const at::Tensor& value, const std::vector<std::int64_t>& strides,
                  std::int64_t offset) {
  const auto refuse = [] {
    throw base::Error(base::ErrorKind::data, "a tensor of it has strides that cannot be");
  };
  if (strides.size() != static_cast<std::size_t>(value.dim()) || offset < 0 || offset >= kRound)
    refuse();
  const std::int64_t span = span_of(value.sizes(), strides, most_span(value.numel()));
  if (span < 0) refuse();
  const at::Tensor room = at::zeros({offset + span}, value.options());
  at::Tensor to = room.as_strided(value.sizes(), strides, offset);
  const at::Tensor whole = to;
  at::Tensor from = value;
  for (std::int64_t d = 0; d < value.dim(); ++d)  // what is expanded stands in memory once
    if (strides[static_cast<std::size_t>(d)] == 0 && value.size(d) > 1) {
      to = to.narrow(d, 0, 1);
      from = from.narrow(d, 0, 1);
    }
  to.copy_(from);
  if (!at::equal(whole, value)) refuse();
  return whole;
}

}  // namespace

json TensorsToFile::keep(const at::Tensor& tensor, const std::string& name) {
  const auto [known, is_new] = names_.emplace(tensor.unsafeGetTensorImpl(), name);
  if (is_new) list_.push_back({name, tensor});
  const std::int64_t offset =
      tensor.numel() > 0 ? tensor.storage_offset() % kRound : std::int64_t{0};
  const bool is_plain = tensor.is_contiguous() && offset == 0;
  if (is_plain || tensor.numel() == 0 ||
      span_of(tensor.sizes(), tensor.strides(), most_span(tensor.numel())) < 0)
    return known->second;
  return {{"tensor", known->second}, {"strides", tensor.strides().vec()}, {"offset", offset}};
}

TensorsOfFile::TensorsOfFile(std::vector<sdk::NamedTensor> tensors) {
  for (sdk::NamedTensor& tensor : tensors)
    tensors_.emplace(std::move(tensor.name), std::move(tensor.value));
}

at::Tensor TensorsOfFile::find(const json& place) const {
  const auto name =
      place.is_string() ? place.get<std::string>() : place.at("tensor").get<std::string>();
  const auto found = tensors_.find(name);
  if (found == tensors_.end())
    throw base::Error(base::ErrorKind::data, "it has no tensor '" + name + "'");
  if (place.is_string()) return found->second;
  return lie_as(found->second, place.at("strides").get<std::vector<std::int64_t>>(),
                place.at("offset").get<std::int64_t>());
}

}  // namespace petlab::engine
