#pragma once

#include "petlab/results/record.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace petlab::results {

/// Number of the layout below, kept beside each packed text.
inline constexpr int kPredictionFormat = 1;

/// Format 1, little-endian: n times uint16 class, then n times uint16 probability in steps of
/// 1/65535. 4 bytes an image. Values must be in range (run_checks.hpp).
std::string pack_predictions(const std::vector<ImagePrediction>& predictions);

/// The inverse. Throws Error(store) when the length is not a multiple of 4 bytes.
std::vector<ImagePrediction> unpack_predictions(std::string_view packed);

}  // namespace petlab::results
