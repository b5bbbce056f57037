#pragma once

#include "petlab/pretrain/pool.hpp"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

namespace petlab::pretrain {

/// Renders the pool (96 px, then reduced as CLIP's preprocessing does) into `file`, on `threads`
/// threads, and maps it: uint8 [N, size, size, 3] on white. A file of the same pool is used again.
/// Drawings that librsvg refuses stay white; their number is added to `*refused`.
[[nodiscard]] at::Tensor load_pictures(
    const std::filesystem::path& package_dir, const std::vector<PoolIcon>& pool, int size,
    const std::filesystem::path& file, int threads, std::int64_t* refused,
    const std::function<void(std::size_t, std::size_t)>& progress);

/// The pictures of the evaluation, rendered from its recipe's manifest as the pool is: uint8
/// [N, size, size, 3] in the manifest's order. For comparing, never for training.
[[nodiscard]] at::Tensor render_evaluation(const std::filesystem::path& package_dir,
                                           const std::filesystem::path& recipe_dir, int size,
                                           int threads);

}  // namespace petlab::pretrain
