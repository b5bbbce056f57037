#pragma once

#include "petlab/clip/backbone.hpp"

#include <ATen/core/Tensor.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace petlab::clip {

/// The modules of a batch at one place of one tower, for each set of adapters.
template <typename Change>
using PerSet = std::vector<std::vector<const Change*>>;

/// What the adapters of a batch change inside one block besides prompts. Samples of a set stand
/// together in the batch; where there is one set nothing is cut.
class BlockModules {
 public:
  BlockModules() = default;
  BlockModules(std::size_t n_sets, const std::vector<std::int64_t>& set_sizes);

  void add(std::size_t set, const sdk::Bottleneck& module);
  void add(std::size_t set, const sdk::LowRank& change);
  void add(std::size_t set, const sdk::Affine& change);

  /// y [B, L, out] of a linear map of x [B, L, in], with its low-rank changes.
  [[nodiscard]] at::Tensor changed(const at::Tensor& y, const at::Tensor& x,
                                   sdk::LinearMap map) const;

  /// The same for the fused maps q, k, v: y [B, L, 3 W], low-rank and affine changes of each.
  [[nodiscard]] at::Tensor changed_qkv(const at::Tensor& y, const at::Tensor& x,
                                       std::initializer_list<sdk::LinearMap> maps) const;

  /// z [B, L, width] scaled and shifted.
  [[nodiscard]] at::Tensor changed(const at::Tensor& z, sdk::AffinePlace place) const;

  /// Sum of the bottleneck modules of a site on h [B, L, W]; undefined without any.
  [[nodiscard]] at::Tensor bottlenecks(const at::Tensor& h, sdk::BottleneckSite site,
                                       double norm_eps) const;

 private:
  [[nodiscard]] bool has(sdk::LinearMap map) const;
  [[nodiscard]] bool has(sdk::AffinePlace place) const;

  std::vector<std::int64_t> set_sizes_;  ///< empty for one set
  std::array<PerSet<sdk::Bottleneck>, 4> bottlenecks_;
  std::array<PerSet<sdk::LowRank>, 6> low_ranks_;
  std::array<PerSet<sdk::Affine>, 12> affines_;
  std::size_t n_sets_ = 1;
};

/// The modules of one forward through one tower.
class ModulePlan {
 public:
  /// `batch` must outlive the plan.
  ModulePlan(const TowerBatch& batch, const sdk::TowerShape& shape, const char* tower)
      : ModulePlan(batch, batch.set_sizes, shape, tower) {}

  /// The same for tensors of which `set_sizes` (in rows of the first dimension) are of each set.
  ModulePlan(const TowerBatch& batch, const std::vector<std::int64_t>& set_sizes,
             const sdk::TowerShape& shape, const char* tower);

  /// Null where nothing is changed.
  [[nodiscard]] const BlockModules* block(std::int64_t layer) const;

  /// True where one of the first `layers` blocks or a place of the tower outside them is changed.
  [[nodiscard]] bool changes_below(std::int64_t layers) const;

  /// True where a place of the tower outside its blocks is changed.
  [[nodiscard]] bool changes_tower() const { return changes_tower_; }

  /// Affine change of a place of the tower (embeddings, pre_norm, final_norm).
  [[nodiscard]] at::Tensor changed(const at::Tensor& z, sdk::AffinePlace place) const;

 private:
  std::vector<BlockModules> blocks_;  ///< empty without modules
  std::vector<bool> used_;
  BlockModules tower_;
  bool changes_tower_ = false;
};

}  // namespace petlab::clip
