#include "modules.hpp"

#include "petlab/base/error.hpp"
#include "petlab/kernels/activation.hpp"
#include "petlab/kernels/layer_norm.hpp"
#include "petlab/kernels/linear.hpp"
#include "petlab/sdk/device_copy.hpp"

#include <ATen/ATen.h>

#include <string>

namespace petlab::clip {

namespace {

at::Tensor activate(const at::Tensor& x, sdk::Nonlinearity nonlinearity) {
  switch (nonlinearity) {
    case sdk::Nonlinearity::none:
      return x;
    case sdk::Nonlinearity::relu:
      return at::relu(x);
    case sdk::Nonlinearity::gelu:
      return at::gelu(x);
    case sdk::Nonlinearity::quick_gelu:
      return kernels::quick_gelu(x);
  }
  throw base::Error(base::ErrorKind::internal, "a nonlinearity without a meaning");
}

std::optional<at::Tensor> maybe(const at::Tensor& tensor) {
  return tensor.defined() ? std::optional(tensor) : std::nullopt;
}

/// work(set, part of x) for the samples of each set, put together again.
template <typename Work>
at::Tensor for_each_set(const at::Tensor& x, const std::vector<std::int64_t>& sizes, Work work) {
  if (sizes.size() <= 1) return work(std::size_t{0}, x);
  std::vector<at::Tensor> parts;
  std::int64_t first = 0;
  for (std::size_t set = 0; set < sizes.size(); ++set) {
    parts.push_back(work(set, x.narrow(0, first, sizes[set])));
    first += sizes[set];
  }
  return at::cat(parts);
}

at::Tensor apply(const sdk::Bottleneck& m, const at::Tensor& h, double norm_eps) {
  const at::Tensor in =
      m.norm_weight.defined() ? kernels::layer_norm(h, m.norm_weight, m.norm_bias, norm_eps) : h;
  const at::Tensor hidden = activate(kernels::linear(in, m.down, m.down_bias), m.nonlinearity);
  at::Tensor out = kernels::linear(hidden, m.up, m.up_bias);
  if (m.out_norm_weight.defined())
    out = kernels::layer_norm(out, m.out_norm_weight, m.out_norm_bias, norm_eps);
  return m.scale.defined() ? out * m.scale : out;
}

/// The change of a map's output for its input x.
at::Tensor apply(const sdk::LowRank& m, at::Tensor x) {
  if (m.dropout > 0 && m.noise != nullptr) {
    const at::Tensor kept = at::full(x.sizes(), 1 - m.dropout, at::kFloat);
    x = x * sdk::to_device(at::bernoulli(kept, *m.noise) / kept, x.device()).to(x.scalar_type());
  }
  return kernels::linear(kernels::linear(x, m.down, {}), m.up, {}) * m.scale;
}

at::Tensor apply(const sdk::Affine& a, at::Tensor z) {
  if (a.scale.defined()) z = z * a.scale;
  if (a.shift.defined()) z = z + a.shift;
  return z;
}

template <typename Change>
void put(PerSet<Change>& place, std::size_t n_sets, std::size_t set, const Change& change) {
  if (place.empty()) place.resize(n_sets);
  place[set].push_back(&change);
}

template <typename Enum>
std::size_t index(Enum value) {
  return static_cast<std::size_t>(value);
}

}  // namespace

BlockModules::BlockModules(std::size_t n_sets, const std::vector<std::int64_t>& set_sizes)
    : n_sets_(n_sets) {
  if (n_sets > 1) set_sizes_ = set_sizes;
}

void BlockModules::add(std::size_t set, const sdk::Bottleneck& module) {
  put(bottlenecks_.at(index(module.site)), n_sets_, set, module);
}
void BlockModules::add(std::size_t set, const sdk::LowRank& change) {
  put(low_ranks_.at(index(change.map)), n_sets_, set, change);
}
void BlockModules::add(std::size_t set, const sdk::Affine& change) {
  put(affines_.at(index(change.place)), n_sets_, set, change);
}

bool BlockModules::has(sdk::LinearMap map) const {
  return !low_ranks_[index(map)].empty();
}
bool BlockModules::has(sdk::AffinePlace place) const {
  return !affines_[index(place)].empty();
}

at::Tensor BlockModules::changed(const at::Tensor& y, const at::Tensor& x,
                                 sdk::LinearMap map) const {
  if (!has(map)) return y;
  const at::Tensor delta = for_each_set(x, set_sizes_, [&](std::size_t set, const at::Tensor& in) {
    at::Tensor sum;
    for (const sdk::LowRank* change : low_ranks_[index(map)][set]) {
      const at::Tensor one = apply(*change, in);
      sum = sum.defined() ? sum + one : one;
    }
    return sum;
  });
  return y + delta;
}

at::Tensor BlockModules::changed_qkv(const at::Tensor& y, const at::Tensor& x,
                                     std::initializer_list<sdk::LinearMap> maps) const {
  const auto place_of = [](sdk::LinearMap map) {
    return map == sdk::LinearMap::q   ? sdk::AffinePlace::q
           : map == sdk::LinearMap::k ? sdk::AffinePlace::k
                                      : sdk::AffinePlace::v;
  };
  bool any = false;
  for (const sdk::LinearMap map : maps)
    any = any || has(map) || has(place_of(map));
  if (!any) return y;
  std::vector<at::Tensor> parts = y.chunk(static_cast<std::int64_t>(maps.size()), -1);
  std::size_t i = 0;
  for (const sdk::LinearMap map : maps) {
    parts[i] = changed(changed(parts[i], x, map), place_of(map));
    ++i;
  }
  return at::cat(parts, -1);
}

at::Tensor BlockModules::changed(const at::Tensor& z, sdk::AffinePlace place) const {
  if (!has(place)) return z;
  return for_each_set(z, set_sizes_, [&](std::size_t set, at::Tensor part) {
    for (const sdk::Affine* change : affines_[index(place)][set])
      part = apply(*change, part);
    return part;
  });
}

at::Tensor BlockModules::bottlenecks(const at::Tensor& h, sdk::BottleneckSite site,
                                     double norm_eps) const {
  const PerSet<sdk::Bottleneck>& modules = bottlenecks_[index(site)];
  if (modules.empty()) return {};
  return for_each_set(h, set_sizes_, [&](std::size_t set, const at::Tensor& part) {
    at::Tensor sum;
    for (const sdk::Bottleneck* module : modules[set]) {
      const at::Tensor one = apply(*module, part, norm_eps);
      sum = sum.defined() ? sum + one : one;
    }
    return sum;
  });
}

ModulePlan::ModulePlan(const TowerBatch& batch, const std::vector<std::int64_t>& set_sizes,
                       const sdk::TowerShape& shape, const char* tower)
    : tower_(batch.sets.size(), set_sizes) {
  const auto n_layers = static_cast<std::size_t>(shape.layers);
  const auto check_sizes = [&] {
    if (batch.sets.size() > 1 && set_sizes.size() != batch.sets.size())
      throw base::Error(
          base::ErrorKind::internal,
          "a batch with modules of several sets does not say how many samples each has");
  };
  const auto layer_of = [&](std::int64_t layer) {
    if (layer < 0 || layer >= shape.layers)
      throw base::Error(base::ErrorKind::config, "an adapter changes layer " +
                                                     std::to_string(layer) + " of the " + tower +
                                                     " tower, which has the layers 0 to " +
                                                     std::to_string(shape.layers - 1));
    if (blocks_.empty()) {
      blocks_.assign(n_layers, BlockModules(batch.sets.size(), set_sizes));
      used_.assign(n_layers, false);
    }
    used_[static_cast<std::size_t>(layer)] = true;
    return static_cast<std::size_t>(layer);
  };
  for (std::size_t set = 0; set < batch.sets.size(); ++set) {
    for (const sdk::TowerChanges* changes : batch.sets[set]) {
      sdk::visit_modules(*changes, [&](const auto& module) {
        check_sizes();
        const sdk::ModuleSite site = site_of(module);
        if (site.is_outside_blocks) {
          tower_.add(set, module);
          changes_tower_ = true;
        } else {
          blocks_[layer_of(site.layer)].add(set, module);
        }
      });
    }
  }
}

const BlockModules* ModulePlan::block(std::int64_t layer) const {
  const auto place = static_cast<std::size_t>(layer);
  return place < used_.size() && used_[place] ? &blocks_[place] : nullptr;
}

bool ModulePlan::changes_below(std::int64_t layers) const {
  bool changes = changes_tower_;
  for (std::int64_t layer = 0; layer < layers; ++layer)
    changes = changes || block(layer) != nullptr;
  return changes;
}

at::Tensor ModulePlan::changed(const at::Tensor& z, sdk::AffinePlace place) const {
  return tower_.changed(z, place);
}

at::Tensor adapt_features(const at::Tensor& features, const TowerBatch& batch) {
  const auto has_adapters = [](const std::vector<const sdk::TowerChanges*>& set) {
    for (const sdk::TowerChanges* changes : set)
      if (!changes->feature_adapters.empty()) return true;
    return false;
  };
  bool any = false;
  for (const auto& set : batch.sets)
    any = any || has_adapters(set);
  if (!any) return features;
  const std::vector<std::int64_t> one;
  return for_each_set(features, batch.sets.size() > 1 ? batch.set_sizes : one,
                      [&](std::size_t set, const at::Tensor& f) {
                        at::Tensor result = f;
                        for (const sdk::TowerChanges* changes : batch.sets[set]) {
                          for (const sdk::FeatureAdapter& a : changes->feature_adapters) {
                            const at::Tensor hidden =
                                activate(at::linear(f, a.down, maybe(a.down_bias)), a.nonlinearity);
                            at::Tensor out = at::linear(hidden, a.up, maybe(a.up_bias));
                            if (a.activate_output) out = activate(out, a.nonlinearity);
                            result = result + (out - f) * a.ratio;
                          }
                        }
                        return result;
                      });
}

}  // namespace petlab::clip
