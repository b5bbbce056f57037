// Times linear layers as LibTorch computes them and as petlab::kernels does, by turns, and prints
// GFLOP/s of both and their ratio: forward, with the gradient of the input, with all gradients.
//
//   bench_linear [THREADS [SECONDS]]
//
// SECONDS (default 0.3) are spent on each of the two ways of a line; the fastest call counts.
// Weights are numbers that were stored in half precision, as those of published backbones.

#include "petlab/kernels/linear.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

namespace {

using petlab::kernels::linear;
using petlab::kernels::linear_quick_gelu;

struct Shape {
  const char* what;
  std::int64_t rows, outputs, inputs;
};

// ViT-B/16: 4 or 16 images of 201 tokens, 65 texts of 16; the embedded backbone.
const std::vector<Shape> kShapes = {{"qkv, 4 images", 804, 2304, 768},
                                    {"out, 4 images", 804, 768, 768},
                                    {"fc1, 4 images", 804, 3072, 768},
                                    {"fc2, 4 images", 804, 768, 3072},
                                    {"qkv, 16 images", 3216, 2304, 768},
                                    {"out, 16 images", 3216, 768, 768},
                                    {"fc1, 16 images", 3216, 3072, 768},
                                    {"fc2, 16 images", 3216, 768, 3072},
                                    {"qkv, 65 texts", 1040, 1536, 512},
                                    {"fc1, 65 texts", 1040, 2048, 512},
                                    {"fc2, 65 texts", 1040, 512, 2048},
                                    {"embedded qkv", 1040, 384, 128},
                                    {"embedded fc1", 1040, 512, 128},
                                    {"embedded fc2", 1040, 128, 512},
                                    {"embedded qkv, wide", 4160, 576, 192},
                                    {"one prompt", 16, 768, 768},
                                    {"few rows", 64, 768, 768},
                                    {"few, narrow", 64, 128, 128}};

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The shortest call of each, called by turns.
std::pair<double, double> fastest(const std::function<void()>& first,
                                  const std::function<void()>& second, double limit) {
  std::pair<double, double> best = {1e9, 1e9};
  first();
  second();
  const double end = seconds() + 2 * limit;
  do {
    const double start = seconds();
    first();
    const double middle = seconds();
    second();
    best.first = std::min(best.first, middle - start);
    best.second = std::min(best.second, seconds() - middle);
  } while (seconds() < end);
  return best;
}

using Layer = at::Tensor (*)(const at::Tensor&, const at::Tensor&, const at::Tensor&);

at::Tensor of_library(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return at::linear(x, weight, bias);
}

at::Tensor gelu_of_library(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const at::Tensor h = at::linear(x, weight, bias);
  return h * at::sigmoid(1.702 * h);
}

void compare(const char* what, const Shape& shape, Layer theirs, Layer ours, bool input_gradient,
             bool weight_gradient, double limit) {
  const at::Tensor x = at::randn({shape.rows, shape.inputs}).requires_grad_(input_gradient);
  const at::Tensor weight = at::randn({shape.outputs, shape.inputs})
                                .to(at::kHalf)
                                .to(at::kFloat)
                                .requires_grad_(weight_gradient);
  const at::Tensor bias = at::randn({shape.outputs}).requires_grad_(weight_gradient);
  const at::Tensor upstream = at::randn({shape.rows, shape.outputs});
  const auto call = [&](Layer layer) {
    const at::Tensor y = layer(x, weight, bias);
    if (y.requires_grad()) y.backward(upstream.to(y.scalar_type()));
    for (const at::Tensor& leaf : {x, weight, bias})
      leaf.mutable_grad().reset();
  };
  const auto [a, b] = fastest([&] { call(theirs); }, [&] { call(ours); }, limit);
  const double work = 2e-9 * static_cast<double>(shape.rows * shape.outputs * shape.inputs) *
                      (1 + (input_gradient ? 1 : 0) + (weight_gradient ? 1 : 0));
  std::printf("%-20s %-26s %8.0f %8.0f %7.2f\n", shape.what, what, work / a, work / b, a / b);
  std::fflush(stdout);
}

class Autocast {
 public:
  Autocast() {
    at::autocast::set_autocast_enabled(at::kCPU, true);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::set_autocast_cache_enabled(false);  // a weight that is frozen is never kept
  }
  ~Autocast() { at::autocast::set_autocast_enabled(at::kCPU, false); }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;
};

void bench(double limit) {
  std::printf("products of fp32: %s; %d threads\n", petlab::kernels::matmul_name().c_str(),
              at::get_num_threads());
  std::printf("%-20s %-26s %8s %8s %7s\n", "layer", "what", "library", "ours", "ratio");
  for (const Shape& shape : kShapes) {
    compare("forward", shape, of_library, linear, false, false, limit);
    compare("and input gradient", shape, of_library, linear, true, false, limit);
    compare("and all gradients", shape, of_library, linear, true, true, limit);
    if (shape.outputs > 2 * shape.inputs) {
      compare("with gelu", shape, gelu_of_library, linear_quick_gelu, false, false, limit);
      compare("with gelu, input gradient", shape, gelu_of_library, linear_quick_gelu, true, false,
              limit);
    }
    const Autocast autocast;
    compare("bf16", shape, of_library, linear, false, false, limit);
    compare("bf16 and input gradient", shape, of_library, linear, true, false, limit);
    compare("bf16 and all gradients", shape, of_library, linear, true, true, limit);
  }
}

}  // namespace

int main(int argc, char** argv) {
  // As a run does it: memory that was given back is used again, without fresh pages.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  if (argc > 1) at::set_num_threads(std::atoi(argv[1]));
  bench(argc > 2 ? std::atof(argv[2]) : 0.3);
}
