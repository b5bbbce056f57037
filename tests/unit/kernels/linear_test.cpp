#include "petlab/kernels/linear.hpp"

#include "petlab/kernels/activation.hpp"
#include "petlab/kernels/threads.hpp"
#include "tensors.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace petlab::kernels {
namespace {

/// A layer with what comes in from both sides.
struct Layer {
  at::Tensor x;
  at::Tensor weight;
  at::Tensor bias;
  at::Tensor upstream;
};

Layer layer_of(std::int64_t m, std::int64_t n, std::int64_t k) {
  return {test::drawn({m, k}, 1), test::drawn({n, k}, 2), test::drawn({n}, 3),
          test::drawn({m, n}, 4)};
}

/// y, dX, dW and db.
struct Results {
  at::Tensor y, dx, dw, db;

  [[nodiscard]] std::vector<at::Tensor> all() const { return {y, dx, dw, db}; }
};

template <class Linear>
Results results_of(const Layer& layer, const Linear& compute) {
  const auto leaf = [](const at::Tensor& t) { return t.detach().requires_grad_(); };
  const at::Tensor x = leaf(layer.x), weight = leaf(layer.weight), bias = leaf(layer.bias);
  const at::Tensor y = compute(x, weight, bias);
  y.backward(layer.upstream);
  return {y.detach(), x.grad(), weight.grad(), bias.grad()};
}

Results of_library(const Layer& layer) {
  return results_of(layer, [](const at::Tensor& x, const at::Tensor& w, const at::Tensor& b) {
    return at::linear(x, w, b);
  });
}

Results of_double(const Layer& layer) {
  return of_library({layer.x.to(at::kDouble), layer.weight.to(at::kDouble),
                     layer.bias.to(at::kDouble), layer.upstream.to(at::kDouble)});
}

double error(const at::Tensor& result, const at::Tensor& exact) {
  return (result.to(at::kDouble) - exact).norm().item<double>() / exact.norm().item<double>();
}

/// The error may be 1.5 times that of LibTorch, or what rounding the exact result comes to.
void expect_accurate(const Layer& layer) {
  const auto ours = results_of(layer, linear).all();
  const auto library = of_library(layer).all(), exact = of_double(layer).all();
  const char* const names[] = {"y", "dX", "dW", "db"};
  for (std::size_t i = 0; i < ours.size(); ++i) {
    EXPECT_EQ(ours[i].sizes(), exact[i].sizes());
    EXPECT_LE(error(ours[i], exact[i]), std::max(1.5 * error(library[i], exact[i]), 1e-7))
        << names[i] << " of " << layer.x.sizes() << " x " << layer.weight.sizes();
  }
}

TEST(Linear, IsAsAccurateAsTheLibrary) {
  for (const auto& [m, n, k] : std::vector<std::array<std::int64_t, 3>>{{1, 1, 1},
                                                                        {3, 5, 7},
                                                                        {16, 64, 48},
                                                                        {33, 47, 65},
                                                                        {64, 64, 64},
                                                                        {100, 130, 170},
                                                                        {257, 96, 31},
                                                                        {31, 257, 96},
                                                                        {96, 31, 257},
                                                                        {201, 768, 64},
                                                                        {65, 193, 1601},
                                                                        {2100, 40, 50},
                                                                        {150, 140, 5000},
                                                                        {128, 2400, 33}}) {
    expect_accurate(layer_of(m, n, k));
  }
}

TEST(Linear, IsAccurateForWeightsThatWereStoredInHalfPrecision) {
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16}) {
    Layer layer = layer_of(130, 100, 300);
    layer.weight = layer.weight.to(type).to(at::kFloat);
    expect_accurate(layer);
    layer.x = layer.x.to(type).to(at::kFloat);
    expect_accurate(layer);
  }
}

// Columns of x from 1e-20 to 1e20 with weights the other way round, rows of any size.
TEST(Linear, IsAccurateForNumbersOfAllSizes) {
  Layer layer = layer_of(170, 190, 110);
  const at::Tensor sizes = at::pow(10.0, at::linspace(-20, 20, 110, at::kDouble));
  layer.x = (layer.x * sizes).to(at::kFloat);
  layer.weight = (layer.weight / sizes).to(at::kFloat);
  const at::Tensor y = kernels::linear(layer.x, layer.weight, {});
  const at::Tensor exact = at::linear(layer.x.to(at::kDouble), layer.weight.to(at::kDouble));
  EXPECT_LE(error(y, exact), 1.5 * error(at::linear(layer.x, layer.weight), exact));

  const at::Tensor rows = at::pow(10.0, at::linspace(-25, 25, 170, at::kDouble)).unsqueeze(1);
  const Layer plain = layer_of(170, 190, 110);
  const at::Tensor x = (plain.x * rows).to(at::kFloat);
  const at::Tensor wide = at::linear(x.to(at::kDouble), plain.weight.to(at::kDouble));
  const at::Tensor relative = (kernels::linear(x, plain.weight, {}) - wide) / rows;
  EXPECT_LE(relative.norm().item<double>(), 1e-6 * (wide / rows).norm().item<double>());
}

TEST(Linear, IsRightNearTheLargestNumbers) {
  Layer layer = layer_of(140, 150, 60);
  layer.x = layer.x * 1e-3;
  layer.x[3][4] = std::numeric_limits<float>::max();
  layer.weight = layer.weight * 1e-3;
  const at::Tensor exact = at::linear(layer.x.to(at::kDouble), layer.weight.to(at::kDouble));
  EXPECT_LE(error(kernels::linear(layer.x, layer.weight, {}), exact), 1e-6);
}

TEST(Linear, PassesOnWhatIsNotFinite) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float odd : {infinity, -infinity, std::numeric_limits<float>::quiet_NaN()}) {
    Layer layer = layer_of(140, 150, 60);
    layer.weight = layer.weight.to(at::kBFloat16).to(at::kFloat);
    layer.x[7][11] = odd;
    const at::Tensor y = kernels::linear(layer.x, layer.weight, layer.bias);
    const at::Tensor expected = at::linear(layer.x, layer.weight, layer.bias);
    EXPECT_TRUE(at::allclose(y, expected, 1e-5, 1e-5, /*equal_nan=*/true)) << odd;
    EXPECT_FALSE(at::isfinite(y[7]).any().item<bool>());
    EXPECT_TRUE(at::isfinite(y[8]).all().item<bool>());
    std::swap(layer.x, layer.weight);
    layer.upstream = test::drawn({150, 140}, 5);
    layer.bias = test::drawn({140}, 6);
    const at::Tensor dx = results_of(layer, linear).dx;
    EXPECT_TRUE(at::allclose(dx, of_library(layer).dx, 1e-5, 1e-5, /*equal_nan=*/true)) << odd;
  }
}

/// Sets the number of threads, and back.
class Threads {
 public:
  explicit Threads(int number) : before_(at::get_num_threads()) { set_threads(number); }
  ~Threads() { set_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

TEST(Linear, IsTheSameToTheBitWithAnyNumberOfThreads) {
  for (const auto& [m, n, k] : std::vector<std::array<std::int64_t, 3>>{{500, 300, 200},
                                                                        {140, 1000, 100},
                                                                        {150, 100, 4000},
                                                                        {165, 170, 75},
                                                                        {3, 65, 128},
                                                                        {2, 64, 192},
                                                                        {7, 192, 768},
                                                                        {1, 512, 512}}) {
    const Layer layer = layer_of(m, n, k);
    std::optional<std::vector<at::Tensor>> first;
    for (const int threads : {1, 2, 3, 4, 1}) {
      const Threads set(threads);
      Results results = results_of(layer, linear);
      results.db = results.y;  // a sum of LibTorch's
      if (!first) first = results.all();
      for (std::size_t i = 0; i < first->size(); ++i)
        EXPECT_TRUE(at::equal((*first)[i], results.all()[i])) << threads << " threads, " << i;
    }
  }
}

TEST(Linear, TakesAnyShapeAndLayout) {
  const at::Tensor weight = test::drawn({64, 40}, 1), bias = test::drawn({64}, 2);
  const at::Tensor x = test::drawn({3, 57, 40}, 3);
  const at::Tensor expected = at::linear(x, weight, bias);
  EXPECT_TRUE(at::allclose(kernels::linear(x, weight, bias), expected, 1e-5, 1e-5));
  EXPECT_TRUE(at::allclose(kernels::linear(x[0][0], weight, bias), expected[0][0], 1e-5, 1e-5));
  EXPECT_TRUE(at::allclose(kernels::linear(x, weight, {}), at::linear(x, weight), 1e-5, 1e-5));
  const at::Tensor swapped = x.transpose(0, 1).contiguous().transpose(0, 1);
  EXPECT_TRUE(at::allclose(kernels::linear(swapped, weight, bias), expected, 1e-5, 1e-5));
  const at::Tensor strided = at::cat({x, x}, -1).slice(-1, 0, 80, 1).slice(-1, 40, 80);
  EXPECT_TRUE(at::allclose(kernels::linear(strided, weight, bias), expected, 1e-5, 1e-5));
  const at::Tensor sparse = x.repeat_interleave(2, -1).slice(-1, 0, 80, 2);
  EXPECT_TRUE(at::allclose(kernels::linear(sparse, weight, bias), expected, 1e-5, 1e-5));
  const at::Tensor columns = weight.t().contiguous().t();
  EXPECT_TRUE(at::allclose(kernels::linear(x, columns, bias), expected, 1e-5, 1e-5));
  const at::Tensor slice = at::cat({weight, weight}, 0).slice(0, 64);
  EXPECT_TRUE(at::equal(kernels::linear(x, slice, bias), kernels::linear(x, weight, bias)));
}

TEST(Linear, TakesNoRows) {
  const at::Tensor weight = test::drawn({64, 40}, 1).requires_grad_();
  const at::Tensor y = kernels::linear(at::empty({0, 40}), weight, {});
  EXPECT_EQ(y.sizes(), (std::vector<std::int64_t>{0, 64}));
  y.sum().backward();
  EXPECT_TRUE(at::equal(weight.grad(), at::zeros({64, 40})));
}

TEST(Linear, RefusesShapesThatDoNotFit) {
  EXPECT_THROW((void)kernels::linear(test::drawn({40, 41}, 1), test::drawn({50, 40}, 2), {}),
               c10::Error);
}

TEST(Linear, ComputesOnlyTheGradientsThatAreWanted) {
  const Layer layer = layer_of(160, 150, 140);
  const Results all = results_of(layer, linear);
  for (int wanted = 1; wanted < 8; ++wanted) {
    const at::Tensor x = layer.x.detach().requires_grad_((wanted & 1) != 0);
    const at::Tensor weight = layer.weight.detach().requires_grad_((wanted & 2) != 0);
    const at::Tensor bias = layer.bias.detach().requires_grad_((wanted & 4) != 0);
    kernels::linear(x, weight, bias).backward(layer.upstream);
    EXPECT_EQ(x.grad().defined(), (wanted & 1) != 0);
    EXPECT_EQ(weight.grad().defined(), (wanted & 2) != 0);
    EXPECT_EQ(bias.grad().defined(), (wanted & 4) != 0);
    if (x.grad().defined()) {
      EXPECT_TRUE(at::equal(x.grad(), all.dx));
    }
    if (weight.grad().defined()) {
      EXPECT_TRUE(at::equal(weight.grad(), all.dw));
    }
    if (bias.grad().defined()) {
      EXPECT_TRUE(at::equal(bias.grad(), all.db));
    }
  }
}

// A frozen layer keeps nothing of the size of its input.
TEST(Linear, AFrozenLayerKeepsNoInput) {
  at::Tensor x = test::drawn({160, 40}, 1).requires_grad_();
  at::Tensor hidden = x * 2;
  const at::Tensor weight = test::drawn({50, 40}, 2);
  const auto uses = hidden.use_count();
  const at::Tensor y = kernels::linear(hidden, weight, {});
  EXPECT_EQ(hidden.use_count(), uses);
  EXPECT_TRUE(y.requires_grad());
}

TEST(Linear, TakesExpandedGradients) {
  const at::Tensor x = test::drawn({160, 40}, 1).requires_grad_(),
                   weight = test::drawn({50, 40}, 2);
  kernels::linear(x, weight, {}).sum().backward();
  EXPECT_TRUE(at::allclose(x.grad(), weight.sum(0).expand({160, 40}), 1e-4, 1e-4));
}

// The gradient of |dX|^2 with respect to W, as the plain operations give it.
TEST(Linear, IsDifferentiableTwice) {
  const Layer layer = layer_of(160, 150, 140);
  const auto second = [&layer](const auto& compute) {
    const at::Tensor x = layer.x.detach().requires_grad_();
    const at::Tensor weight = layer.weight.detach().requires_grad_();
    const at::Tensor y = compute(x, weight, at::Tensor());
    const auto first = torch::autograd::grad({y}, {x}, {layer.upstream}, /*retain_graph=*/true,
                                             /*create_graph=*/true);
    first[0].square().sum().backward();
    return weight.grad();
  };
  const at::Tensor expected = second(
      [](const at::Tensor& x, const at::Tensor& w, const at::Tensor&) { return at::linear(x, w); });
  EXPECT_TRUE(at::allclose(second(linear), expected, 1e-4, 1e-3));
}

/// bf16 autocast, as long as the object lives.
class Autocast {
 public:
  Autocast() : before_(at::autocast::is_autocast_enabled(at::kCPU)) {
    at::autocast::set_autocast_enabled(at::kCPU, true);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::increment_nesting();
  }
  ~Autocast() {
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, before_);
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  bool before_;
};

// Types as LibTorch's; errors, which come from rounding operands and results to bf16, not larger.
TEST(Linear, UnderAutocastIsAsTheLibrarys) {
  for (const auto& [m, n, k] :
       std::vector<std::array<std::int64_t, 3>>{{160, 150, 140}, {804, 192, 130}, {7, 300, 300}}) {
    Layer layer = layer_of(m, n, k);
    const auto exact = of_double(layer).all();
    layer.upstream = layer.upstream.to(at::kBFloat16);
    const auto cast = [](const auto& compute) {
      return [compute](const at::Tensor& x, const at::Tensor& w, const at::Tensor& b) {
        const Autocast autocast;
        return compute(x, w, b);
      };
    };
    const auto library = [](const at::Tensor& x, const at::Tensor& w, const at::Tensor& b) {
      return at::linear(x, w, b);
    };
    const auto expected = results_of(layer, cast(library)).all();
    const auto ours = results_of(layer, cast(linear)).all();
    for (std::size_t i = 0; i < ours.size(); ++i) {
      EXPECT_EQ(ours[i].scalar_type(), expected[i].scalar_type()) << i;
      EXPECT_LE(error(ours[i], exact[i]), 1.2 * error(expected[i], exact[i])) << i;
    }
    const auto gelu = [](const at::Tensor& x, const at::Tensor& w, const at::Tensor& b) {
      return quick_gelu(at::linear(x, w, b));
    };
    const auto active = results_of(layer, cast(gelu)).all();
    const auto fused = results_of(layer, cast(linear_quick_gelu)).all();
    for (std::size_t i = 0; i < ours.size(); ++i) {
      EXPECT_EQ(fused[i].scalar_type(), active[i].scalar_type()) << i;
      EXPECT_LE(error(fused[i], active[i].to(at::kDouble)), 0.02) << i;
    }
  }
}

TEST(Linear, TakesBf16Tensors) {
  Layer layer = layer_of(170, 190, 110);
  for (at::Tensor* t : {&layer.x, &layer.weight, &layer.bias, &layer.upstream})
    *t = t->to(at::kBFloat16);
  const auto exact = of_double(layer).all();
  const auto expected = of_library(layer).all(), ours = results_of(layer, linear).all();
  for (std::size_t i = 0; i < ours.size(); ++i) {
    EXPECT_EQ(ours[i].scalar_type(), at::kBFloat16);
    EXPECT_LE(error(ours[i], exact[i]), 1.2 * error(expected[i], exact[i])) << i;
  }
}

TEST(LinearQuickGelu, IsTheActivationOfTheLayer) {
  Layer layer = layer_of(170, 190, 110);
  layer.weight = layer.weight * 0.2;
  const auto with = [](const auto& gelu, const auto& compute) {
    return [&](const at::Tensor& x, const at::Tensor& w, const at::Tensor& b) {
      return gelu(compute(x, w, b));
    };
  };
  const auto formula = [](const at::Tensor& h) { return h * at::sigmoid(1.702 * h); };
  const auto library = [](const at::Tensor& x, const at::Tensor& w, const at::Tensor& b) {
    return at::linear(x, w, b);
  };
  const Layer wide{layer.x.to(at::kDouble), layer.weight.to(at::kDouble),
                   layer.bias.to(at::kDouble), layer.upstream.to(at::kDouble)};
  const auto exact = results_of(wide, with(formula, library)).all();
  const auto plain = results_of(layer, with(formula, library)).all();
  const auto ours = results_of(layer, linear_quick_gelu).all();
  for (std::size_t i = 0; i < ours.size(); ++i)
    EXPECT_LE(error(ours[i], exact[i]), std::max(1.5 * error(plain[i], exact[i]), 2e-7)) << i;
  const at::Tensor without = linear_quick_gelu(layer.x, layer.weight, layer.bias);
  EXPECT_TRUE(at::equal(without, ours[0]));
}

}  // namespace
}  // namespace petlab::kernels
