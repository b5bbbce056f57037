#pragma once

#include <string>

namespace petlab::base {

/// How a picture of any shape becomes the square that an image tower takes.
struct SquareFit {
  enum class Shape {
    crop,    ///< shorter side to the size, then the central square (CLIP)
    squash,  ///< height and width to the size, whatever the aspect (SigLIP)
  };
  enum class Filter { bicubic, bilinear };  ///< both with anti-aliasing, as Pillow's

  Shape shape = Shape::crop;
  Filter filter = Filter::bicubic;

  friend bool operator==(const SquareFit&, const SquareFit&) = default;

  /// "" for CLIP's own, else e.g. "squash bilinear": part of hashes of what was made so.
  [[nodiscard]] std::string mark() const {
    if (*this == SquareFit{}) return "";
    return std::string(shape == Shape::squash ? "squash " : "crop ") +
           (filter == Filter::bilinear ? "bilinear" : "bicubic");
  }
};

}  // namespace petlab::base
