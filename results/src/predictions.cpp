#include "predictions.hpp"

#include "petlab/base/error.hpp"

#include <cmath>
#include <cstdint>

namespace petlab::results {
namespace {

constexpr double kProbabilitySteps = 65535.0;
constexpr std::size_t kBytesAnImage = 4;

void append_uint16(std::string& text, std::uint16_t value) {
  text.push_back(static_cast<char>(value & 0xFFU));
  text.push_back(static_cast<char>(value >> 8U));
}

std::uint16_t read_uint16(std::string_view text, std::size_t offset) {
  const auto low = static_cast<unsigned char>(text[offset]);
  const auto high = static_cast<unsigned char>(text[offset + 1]);
  return static_cast<std::uint16_t>(low | (high << 8U));
}

}  // namespace

std::string pack_predictions(const std::vector<ImagePrediction>& predictions) {
  std::string packed;
  packed.reserve(kBytesAnImage * predictions.size());
  for (const ImagePrediction& one : predictions) {
    append_uint16(packed, static_cast<std::uint16_t>(one.predicted));
  }
  for (const ImagePrediction& one : predictions) {
    const double steps = std::round(one.probability * kProbabilitySteps);
    append_uint16(packed, static_cast<std::uint16_t>(steps));
  }
  return packed;
}

std::vector<ImagePrediction> unpack_predictions(std::string_view packed) {
  if (packed.size() % kBytesAnImage != 0) {
    throw base::Error(base::ErrorKind::store, "packed predictions have " +
                                                  std::to_string(packed.size()) +
                                                  " bytes, which is not a multiple of 4");
  }
  const std::size_t count = packed.size() / kBytesAnImage;
  std::vector<ImagePrediction> predictions(count);
  for (std::size_t i = 0; i < count; ++i) {
    predictions[i].predicted = read_uint16(packed, 2 * i);
    predictions[i].probability = read_uint16(packed, 2 * (count + i)) / kProbabilitySteps;
  }
  return predictions;
}

}  // namespace petlab::results
