#include "load_weights.hpp"

#include "checkpoint_names.hpp"
#include "petlab/base/error.hpp"
#include "shown_text.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <unordered_set>

namespace petlab::clip {

using base::Error;
using base::ErrorKind;

namespace {

constexpr std::int64_t kElementsAtOnce = 1 << 20;

/// The shape in which a weight is stored: joint tensors hold three of them, one below the other.
std::vector<std::int64_t> stored_shape(std::vector<std::int64_t> shape,
                                       const WeightSource& source) {
  if (source.third >= 0) shape[0] *= 3;
  if (source.transposed) std::reverse(shape.begin(), shape.end());
  return shape;
}

void check_tensor(const std::string& where, const StoredTensor& tensor,
                  const std::vector<std::int64_t>& expected) {
  // OpenCLIP has also stored the scale as a list of one, as transformers does for SigLIP.
  const bool is_scale = (tensor.name == "logit_scale" || tensor.name == "logit_bias") &&
                        tensor.shape == std::vector<std::int64_t>{1};
  if (tensor.shape != expected && !is_scale)
    throw Error(ErrorKind::data, where + ": tensor '" + shown(tensor.name) + "' has shape " +
                                     shape_text(tensor.shape) + ", expected " +
                                     shape_text(expected));
  if (!at::isFloatingType(tensor.type))
    throw Error(ErrorKind::data, where + ": tensor '" + shown(tensor.name) + "' has type " +
                                     at::toString(tensor.type) + ", expected a floating type");
}

/// `size` elements that lie one behind the other, from byte `offset` of the file, into `target`,
/// which is contiguous.
void copy_run(const base::MappedFile& file, std::size_t offset, at::ScalarType type,
              const at::Tensor& target) {
  const at::Tensor flat = target.view({-1});
  const std::size_t width = c10::elementSize(type);
  const bool is_same = flat.is_cpu() && flat.scalar_type() == type;
  at::Tensor staging;
  if (!is_same)
    staging = at::empty({std::min(kElementsAtOnce, flat.numel())}, at::TensorOptions().dtype(type));
  for (std::int64_t done = 0; done < flat.numel(); done += kElementsAtOnce) {
    const std::int64_t count = std::min(kElementsAtOnce, flat.numel() - done);
    const at::Tensor piece = flat.narrow(0, done, count);
    const at::Tensor into = is_same ? piece : staging.narrow(0, 0, count);
    const std::size_t start = offset + static_cast<std::size_t>(done) * width;
    const std::size_t bytes = static_cast<std::size_t>(count) * width;
    // A file may put its numbers at any address; memcpy asks for no alignment.
    std::memcpy(into.mutable_data_ptr(), file.bytes().data() + start, bytes);
    if (!is_same) piece.copy_(into);
    file.drop(start, bytes);
  }
}

/// All elements of a tensor with any strides, as it is stored.
at::Tensor copy_of(const base::MappedFile& file, const StoredTensor& tensor) {
  const at::Tensor numbers =
      at::empty({static_cast<std::int64_t>(tensor.bytes / c10::elementSize(tensor.type))},
                at::TensorOptions().dtype(tensor.type));
  if (tensor.bytes > 0)
    std::memcpy(numbers.mutable_data_ptr(), file.bytes().data() + tensor.offset, tensor.bytes);
  file.drop(tensor.offset, tensor.bytes);
  return numbers.as_strided(tensor.shape, tensor.strides);
}

void load_one(const at::Tensor& target, const StoredWeights::Place& place,
              const WeightSource& source) {
  const StoredTensor& tensor = *place.tensor;
  const bool is_plain =
      tensor.strides == row_strides(tensor.shape) && !source.transposed && target.is_contiguous();
  const std::int64_t rows = source.third < 0 ? 0 : target.size(0);
  const std::int64_t first = source.third < 0 ? 0 : source.third * rows;
  if (is_plain) {
    const std::size_t skipped = source.third < 0 ? 0
                                                 : static_cast<std::size_t>(source.third) *
                                                       static_cast<std::size_t>(target.numel()) *
                                                       c10::elementSize(tensor.type);
    copy_run(*place.file, tensor.offset + skipped, tensor.type, target);
    return;
  }
  at::Tensor all = copy_of(*place.file, tensor);
  if (source.transposed) all = all.t();
  if (source.third >= 0) all = all.narrow(0, first, rows);
  target.copy_(all.reshape(target.sizes()));
}

/// NaN and infinity would only show as accuracies by chance.
void check_finite(const at::Tensor& loaded, const StoredWeights::Place& place) {
  // A sum is finite only if every number is; where it is not, it may have overflowed.
  if (std::isfinite(loaded.sum().item<double>())) return;
  const std::int64_t wrong = loaded.numel() - at::isfinite(loaded).sum().item<std::int64_t>();
  if (wrong > 0)
    throw Error(ErrorKind::data, "the file '" + place.file->path().string() + "': tensor '" +
                                     shown(place.tensor->name) + "' holds " +
                                     std::to_string(wrong) + " of " +
                                     std::to_string(loaded.numel()) +
                                     " numbers that are not finite (NaN or infinity)");
}

/// "visual.transformer." of "visual.transformer.resblocks.3.ls_1.gamma".
std::string tower_of(const std::string& scale) {
  return scale.substr(0, scale.find("resblocks."));
}

/// The towers with LayerScale; where one factor is there, all must be.
std::unordered_set<std::string> scaled_towers(const StoredWeights& stored) {
  std::unordered_set<std::string> towers;
  for (const auto& [name, place] : stored.all())
    if (name.ends_with(".gamma") && name.find("resblocks.") != std::string::npos)
      towers.insert(tower_of(name));
  return towers;
}

/// x * factors + b of a map is a map with other numbers: LayerScale needs nothing of its own.
void fold_layer_scale(const at::Tensor& loaded, const StoredWeights::Place& place) {
  at::Tensor factors = at::empty(place.tensor->shape, at::kFloat);
  load_one(factors, place, {});
  check_finite(factors, place);
  factors = factors.to(loaded.device());
  loaded.mul_(loaded.dim() == 2 ? factors.unsqueeze(1) : factors);
}

}  // namespace

void check_stored_weights(const Config& config, const StoredWeights& stored) {
  const Naming naming = stored.naming();
  const std::string prefix = stored.text_prefix();
  std::unordered_set<std::string> needed;
  const std::unordered_set<std::string> scaled = scaled_towers(stored);
  const std::vector<WeightSpec> expected = expected_weights(config);
  std::string missing;
  const auto check = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
    needed.insert(name);
    if (const auto* place = stored.find(name))
      check_tensor("the file '" + place->file->path().string() + "'", *place->tensor, shape);
    else if (missing.empty())
      missing = name;
  };
  for (const WeightSpec& weight : expected) {
    const WeightSource source =
        source_of(weight.name, naming, prefix, config.has_text_projection_bias);
    check(source.name, stored_shape(weight.shape, source));
    const std::string scale = layer_scale_of(source.name);
    if (!scale.empty() && scaled.contains(tower_of(scale))) check(scale, {weight.shape[0]});
  }
  if (config.family == Family::siglip) check("logit_bias", {});
  if (!missing.empty())
    throw Error(ErrorKind::data, stored.where() + " lacks the tensor '" + missing + "'");
  std::string extra;
  for (const auto& [name, place] : stored.all())
    if (!needed.contains(name) && !is_passed_over(name, naming) && (extra.empty() || name < extra))
      extra = name;
  if (!extra.empty())
    throw Error(ErrorKind::data, "the file '" + stored.find(extra)->file->path().string() +
                                     "' holds the tensor '" + shown(extra) +
                                     "', which a model of its configuration does not have");
}

void load_weights(const Weights& weights, const StoredWeights& stored) {
  const Naming naming = stored.naming();
  const std::string prefix = stored.text_prefix();
  for (const sdk::NamedTensor& weight : weights.all()) {
    const WeightSource source =
        source_of(weight.name, naming, prefix, stored.has_linear_text_projection());
    const StoredWeights::Place& place = *stored.find(source.name);
    load_one(weight.value, place, source);
    check_finite(weight.value, place);
    if (const std::string scale = layer_scale_of(source.name); !scale.empty())
      if (const auto* factors = stored.find(scale)) fold_layer_scale(weight.value, *factors);
  }
}

double load_logit_bias(const StoredWeights& stored) {
  const StoredWeights::Place& place = *stored.find("logit_bias");
  const at::Tensor bias = at::empty({}, at::kFloat);
  load_one(bias, place, {});
  check_finite(bias, place);
  return bias.item<double>();
}

}  // namespace petlab::clip
