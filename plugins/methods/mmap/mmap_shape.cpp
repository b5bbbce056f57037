#include "mmap_shape.hpp"

#include "petlab/sdk/error.hpp"

#include <algorithm>
#include <string>

namespace petlab::plugins::mmap {
namespace {

[[noreturn]] void refuse(const char* option, std::int64_t value, const std::string& expected) {
  throw sdk::Error(sdk::ErrorKind::config, std::string("method 'mmap': option '") + option +
                                               "' is " + std::to_string(value) + ", expected " +
                                               expected);
}

void check_divides(const char* option, std::int64_t value, std::int64_t whole,
                   const std::string& whole_name) {
  if (whole % value != 0)
    refuse(option, value, "a divisor of " + whole_name + ", " + std::to_string(whole));
}

}  // namespace

std::int64_t MmapShape::source_layers() const {
  return std::max(text_layers, vision_layers);
}

MmapShape resolve_shape(const sdk::Options& options, const sdk::BackboneShape& backbone) {
  const std::string& modalities = options.text("modalities");
  const bool text = modalities != "vision";
  const bool vision = modalities != "text";

  MmapShape shape;
  shape.b = options.integer("b");
  shape.m = options.integer("m") == 0 ? shape.b : options.integer("m");
  shape.n = options.integer("n");
  shape.d_l = backbone.text.width;
  shape.d_v = backbone.vision.width;
  shape.share_k = options.boolean("share-k");
  check_divides("m", shape.m, shape.b, "option 'b'");
  if (text) check_divides("n", shape.n, shape.d_l, "the width of the text tower");
  if (vision) check_divides("n", shape.n, shape.d_v, "the width of the image tower");

  const std::int64_t deepest = std::max(text ? backbone.text.layers : 0,  //
                                        vision ? backbone.vision.layers : 0);
  const std::int64_t depth = options.integer("depth") == 0 ? deepest : options.integer("depth");
  if (depth > deepest)
    refuse("depth", depth,
           "at most " + std::to_string(deepest) +
               ", the layers of the deepest prompted tower (0 stands for all)");
  // Towers of different depths: the shallower one is prompted at all its layers.
  shape.text_layers = text ? std::min(depth, backbone.text.layers) : 0;
  shape.vision_layers = vision ? std::min(depth, backbone.vision.layers) : 0;
  return shape;
}

}  // namespace petlab::plugins::mmap
