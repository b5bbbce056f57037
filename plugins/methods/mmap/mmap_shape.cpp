#include "mmap_shape.hpp"

#include "petlab/sdk/error.hpp"

#include <algorithm>
#include <string>

namespace petlab::plugins::mmap {
namespace {

/// Option `preset`: what holds where an option is 0.
enum class Preset { balanced, rank_1, paper };

Preset preset_of(const sdk::Options& options) {
  const std::string& name = options.text("preset");
  if (name == "rank-1") return Preset::rank_1;
  return name == "paper-0.09" ? Preset::paper : Preset::balanced;
}

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

/// The largest r with r^2 <= b that divides b and the widths: with m = n = r, and r^2 = b, an MmAP
/// has as many parameters as with rank 1 and prompts of rank b.
std::int64_t balanced_side(std::int64_t b, std::int64_t width, std::int64_t other_width) {
  std::int64_t side = 1;
  for (std::int64_t r = 2; r * r <= b; ++r)
    if (b % r == 0 && width % r == 0 && other_width % r == 0) side = r;
  return side;
}

}  // namespace

std::int64_t MmapShape::source_layers() const {
  return std::max(text_layers, vision_layers);
}

std::int64_t prompt_tokens(const sdk::Options& options) {
  if (options.integer("b") != 0) return options.integer("b");
  return preset_of(options) == Preset::paper ? 4 : 16;  // 16 is chosen: CoOp's length
}

MmapShape resolve_shape(const sdk::Options& options, const sdk::BackboneShape& backbone) {
  const std::string& modalities = options.text("modalities");
  const bool text = modalities != "vision";
  const bool vision = modalities != "text";
  const Preset preset = preset_of(options);
  const auto given_or = [&](const char* name, std::int64_t otherwise) {
    return options.integer(name) != 0 ? options.integer(name) : otherwise;
  };

  MmapShape shape;
  shape.d_l = backbone.text.width;
  shape.d_v = backbone.vision.width;
  shape.share_k = options.boolean("share-k");
  shape.b = prompt_tokens(options);
  // Without a tower its width restricts nothing.
  const std::int64_t side =
      balanced_side(shape.b, text ? shape.d_l : shape.d_v, vision ? shape.d_v : shape.d_l);
  shape.m = given_or("m", preset == Preset::rank_1  ? shape.b
                          : preset == Preset::paper ? std::min<std::int64_t>(2, shape.b)
                                                    : side);
  shape.n = given_or("n", preset == Preset::balanced ? side : 1);
  check_divides("m", shape.m, shape.b, "option 'b'");
  if (text) check_divides("n", shape.n, shape.d_l, "the width of the text tower");
  if (vision) check_divides("n", shape.n, shape.d_v, "the width of the image tower");

  const std::int64_t deepest = std::max(text ? backbone.text.layers : 0,  //
                                        vision ? backbone.vision.layers : 0);
  const std::int64_t depth =
      given_or("depth", preset == Preset::paper ? std::min<std::int64_t>(9, deepest) : deepest);
  if (depth > deepest)
    refuse("depth", depth,
           "at most " + std::to_string(deepest) +
               ", the layers of the deepest prompted tower (0 stands for the preset's)");
  // Towers of different depths: the shallower one is prompted at all its layers.
  shape.text_layers = text ? std::min(depth, backbone.text.layers) : 0;
  shape.vision_layers = vision ? std::min(depth, backbone.vision.layers) : 0;
  return shape;
}

}  // namespace petlab::plugins::mmap
