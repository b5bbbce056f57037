#include "teacher.hpp"

#include "petlab/pretrain/losses.hpp"

#include <ATen/ATen.h>

#include <array>
#include <cmath>
#include <string>

namespace petlab::pretrain {

namespace {

/// Icons are mostly paper, which should be close to zero.
constexpr double kPaperValue = 0.9;
constexpr double kContrast = 2.0;
/// So that all subjects are about equally likely at first.
constexpr double kRowDeviation = 0.005;
constexpr double kBatchNormEpsilon = 1e-5;
constexpr std::int64_t kStemWidth = 48;

struct Block {
  std::int64_t width;
  std::int64_t stride;

  /// Whether what comes in, `from` channels wide, must change to be added to what goes out.
  [[nodiscard]] bool changes_shape(std::int64_t from) const { return stride != 1 || from != width; }
};
/// Behind a stem that halves the picture; at 48 pixels 24, 12 and 6 places a side.
constexpr std::array kBlocks = {Block{48, 1}, Block{96, 2}, Block{96, 1}, Block{192, 2},
                                Block{192, 1}};

/// Weights in the order in which they were made.
class Reader {
 public:
  Reader(const std::vector<sdk::NamedTensor>& values, c10::ScalarType type)
      : values_(values), type_(type) {}

  const at::Tensor& next() { return values_[place_++].value; }

  /// Convolution of the same size (or half of it) and batch normalisation.
  at::Tensor convolved(const at::Tensor& input, std::int64_t stride) {
    const at::Tensor weight = next().to(type_);
    const at::Tensor scale = next();
    const at::Tensor shift = next();
    const std::int64_t padding = weight.size(2) / 2;
    const at::Tensor output =
        at::conv2d(input, weight, /*bias=*/{}, {stride, stride}, {padding, padding});
    return at::batch_norm(output, scale, shift, /*running_mean=*/{}, /*running_var=*/{},
                          /*training=*/true, /*momentum=*/0.0, kBatchNormEpsilon,
                          /*cudnn_enabled=*/false);
  }

 private:
  const std::vector<sdk::NamedTensor>& values_;
  c10::ScalarType type_;
  std::size_t place_ = 0;
};

}  // namespace

Teacher::Teacher(std::int64_t n_rows, c10::Device device, at::Generator& generator) {
  const auto add = [&](const std::string& name, const at::Tensor& value) {
    parameters_.push_back({name, value.to(device).detach().contiguous().set_requires_grad(true)});
  };
  const auto add_convolution = [&](const std::string& name, std::int64_t from, std::int64_t to,
                                   std::int64_t side, double scale) {
    const double deviation = std::sqrt(2.0 / static_cast<double>(from * side * side));
    add(name + ".weight", at::randn({to, from, side, side}, generator, at::kFloat) * deviation);
    add(name + ".scale", at::full({to}, scale, at::kFloat));
    add(name + ".shift", at::zeros({to}, at::kFloat));
  };
  add_convolution("stem", 3, kStemWidth, 3, 1.0);
  std::int64_t from = kStemWidth;
  for (std::size_t i = 0; i < kBlocks.size(); ++i) {
    const Block& shape = kBlocks[i];
    const std::string block = "block" + std::to_string(i) + ".";
    add_convolution(block + "first", from, shape.width, 3, 1.0);
    // Each block begins as its own shortcut (Goyal et al., 2017).
    add_convolution(block + "second", shape.width, shape.width, 3, 0.0);
    if (shape.changes_shape(from)) add_convolution(block + "shortcut", from, shape.width, 1, 1.0);
    from = shape.width;
  }
  add("table", at::randn({n_rows, from}, generator, at::kFloat) * kRowDeviation);
}

at::Tensor Teacher::logits(const std::vector<sdk::NamedTensor>& values, const at::Tensor& planes,
                           c10::ScalarType type) {
  Reader weights(values, type);
  at::Tensor x =
      ((planes - kPaperValue) * kContrast).to(type).contiguous(at::MemoryFormat::ChannelsLast);
  x = weights.convolved(x, 2).relu();
  for (const Block& block : kBlocks) {
    const at::Tensor first = weights.convolved(x, block.stride).relu();
    const at::Tensor second = weights.convolved(first, 1);
    const at::Tensor shortcut =
        block.changes_shape(x.size(1)) ? weights.convolved(x, block.stride) : x;
    x = (second + shortcut).relu();
  }
  return table_logits(x.mean({2, 3}), weights.next(), type);
}

}  // namespace petlab::pretrain
