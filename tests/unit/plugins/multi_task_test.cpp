// Methods whose changes depend on the task: gates, priors, heads and caches of FakeContext's tasks.
#include "fake_backbone.hpp"
#include "loaded_plugin.hpp"
#include "logistic_regression.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <set>

namespace petlab::tests {
namespace {

/// The parameter of this name.
at::Tensor parameter(const sdk::Adapter& adapter, const std::string& name) {
  for (const sdk::NamedTensor& one : adapter.parameters())
    if (one.name == name) return one.value;
  throw std::runtime_error("no parameter " + name);
}

/// KL(N(m, s^2) | N(n, t^2)), summed; s and t are softplus of rho.
at::Tensor divergence(const at::Tensor& m, const at::Tensor& s2, const at::Tensor& n,
                      const at::Tensor& t2) {
  return (((t2 + 1e-6) / (s2 + 1e-6)).log() - 1 + (s2 + 1e-6) / (t2 + 1e-6) +
          (n - m).square() / (t2 + 1e-6))
             .sum() /
         2;
}

TEST(LinearProbe, StartsFromTheTextsOfTheTask) {
  const FakeBackbone backbone = FakeBackbone::small();
  const auto adapter = make_adapter(*make_method("linear_probe", "linear-probe"), backbone);
  const auto art = adapter->changes({.task = 0});
  const auto real = adapter->changes({.task = 1});
  ASSERT_TRUE(art.head && real.head);
  EXPECT_EQ(art.head->weight.sizes(), (std::vector<std::int64_t>{3, 12}));
  EXPECT_EQ(real.head->weight.sizes(), (std::vector<std::int64_t>{2, 12}));
  EXPECT_EQ(art.head->scale, 0);
  EXPECT_TRUE(art.head->unit_features);
  EXPECT_TRUE(at::allclose(art.head->weight.norm(2, -1), at::ones({3})));
  // Both tasks have cups, and share their row.
  EXPECT_TRUE(art.head->weight[0].equal(real.head->weight[0]));
  const auto gradient = torch::autograd::grad({art.head->weight.sum() + real.head->weight.sum()},
                                              {parameter(*adapter, "weight")})[0];
  EXPECT_TRUE(gradient.select(1, 0).equal(at::tensor({2.F, 1.F, 1.F, 1.F})));
}

TEST(LogisticRegression, IsTheMinimumOfItsObjective) {
  const FakeBackbone backbone = FakeBackbone::small();
  for (const std::string c : {"0.316", "10"}) {
    const auto adapter =
        make_adapter(*make_method("linear_probe", "logistic-regression", {{"c", c}}), backbone);
    const at::Tensor weight = parameter(*adapter, "weight");  // cup, bed, alarm clock, fan
    const at::Tensor bias = parameter(*adapter, "bias");
    ASSERT_EQ(weight.sizes(), (std::vector<std::int64_t>{4, 12}));
    const FakeContext context(backbone, 1);
    at::Tensor objective = weight.square().sum() / (2 * std::stod(c));
    for (std::int64_t task = 0; task < 2; ++task) {
      const auto head = adapter->changes({.task = task}).head;
      const auto examples = context.training_features(task);
      const at::Tensor logits =
          at::matmul(examples.features * std::sqrt(12.0), head->weight.t()) + head->bias;
      objective =
          objective + at::cross_entropy_loss(logits, examples.labels, {}, at::Reduction::Sum);
      EXPECT_NEAR(head->scale, std::sqrt(12.0), 1e-12);
    }
    const auto gradients = torch::autograd::grad({objective}, {weight, bias});
    for (const at::Tensor& gradient : gradients)
      EXPECT_LT(gradient.abs().max().item<double>(), 1e-4) << c;
    EXPECT_GT(weight.abs().max().item<double>(), 0.05);
  }
}

// Two classes, one number a feature: by symmetry W = (w, -w), b = 0 with w / c = 2 n s / (1 +
// exp(2 w s)) for n images at s and as many at -s.
TEST(LogisticRegression, OfTwoClassesIsTheRootOfOneEquation) {
  const double s = 1.5, c = 2.0, n = 3.0;
  double low = 0.0, high = 100.0;
  for (int i = 0; i < 200; ++i) {
    const double w = (low + high) / 2;
    (w / c < 2 * n * s / (1 + std::exp(2 * w * s)) ? low : high) = w;
  }
  const at::Tensor features = at::tensor({s, -s, s, -s, s, -s}, at::kDouble).view({6, 1});
  const at::Tensor labels = at::tensor({0, 1, 0, 1, 0, 1}, at::kLong);
  const auto found =
      plugins::linear_probe::fit({{features, labels, at::tensor({0, 1}, at::kLong)}}, 2, c, 1000);
  EXPECT_NEAR(found.weight[0][0].item<double>(), low, 1e-6);
  EXPECT_NEAR(found.weight[1][0].item<double>(), -low, 1e-6);
  EXPECT_NEAR(found.bias.abs().max().item<double>(), 0, 1e-6);
}

TEST(ZeroShot, AveragesUnitFeaturesOfItsTemplates) {
  const auto method = make_method("zero_shot", "zero-shot", {{"templates", "a {}.|the {}"}});
  const FakeBackbone backbone = FakeBackbone::small();
  const auto changes = make_adapter(*method, backbone)->changes({.task = 1});
  ASSERT_TRUE(changes.head.has_value());
  EXPECT_EQ(changes.head->weight.size(0), 2);
  // All rows of the fake texts point the same way.
  EXPECT_TRUE(at::allclose(changes.head->weight, at::full({2, 12}, 1 / std::sqrt(12.0))));
  EXPECT_EQ(changes.head->scale, 0);
}

TEST(TipAdapter, RemembersExamplesOfAllTasksByClassName) {
  for (const std::string name : {"tip-adapter", "tip-adapter-f"}) {
    const FakeBackbone backbone = FakeBackbone::small();
    const auto adapter =
        make_adapter(*make_method("tip_adapter", name, {{"alpha", "2"}, {"beta", "3"}}), backbone);
    const auto changes = adapter->changes({.task = 1});
    ASSERT_EQ(changes.caches.size(), 1U);
    const sdk::CacheHead& cache = changes.caches.front();
    EXPECT_EQ(cache.alpha, 2);
    EXPECT_EQ(cache.beta, 3);
    const FakeContext context(backbone, 1);
    EXPECT_TRUE(cache.keys.detach().narrow(0, 0, 6).equal(context.training_features(0).features));
    EXPECT_TRUE(cache.keys.detach().narrow(0, 6, 4).equal(context.training_features(1).features));
    EXPECT_EQ(cache.keys.requires_grad(), name == "tip-adapter-f");
    // Art's labels are cup, bed, alarm clock twice; real has cup and fan. Both tasks have cups, so
    // that each counts half.
    const std::vector<float> cups{0.5, 0, 0, 0.5, 0, 0, 0.5, 0, 0.5, 0};
    const std::vector<float> fans{0, 0, 0, 0, 0, 0, 0, 1, 0, 1};
    EXPECT_TRUE(cache.values.select(1, 0).equal(at::tensor(cups)));
    EXPECT_TRUE(cache.values.select(1, 1).equal(at::tensor(fans)));
  }
}

TEST(MoeAdapter, TasksUseTheExpertsOfTheirHighestGates) {
  const FakeBackbone backbone = FakeBackbone::small();
  const auto adapter = make_adapter(
      *make_method("experts", "moe-adapter", {{"reduction", "4"}, {"towers", "text"}}), backbone);
  {
    const at::NoGradGuard no_grad;
    const at::Tensor gates = parameter(*adapter, "gates");  // [3 layers, 2 tasks, 4 experts]
    gates.select(1, 0).copy_(at::tensor({1.F, 0.F, -1.F, 3.F}));
    gates.select(1, 1).copy_(at::tensor({0.F, 2.F, 2.5F, 0.F}));
  }
  const auto used = [&](std::int64_t task) {
    const auto changes = adapter->changes({.task = task});
    EXPECT_EQ(changes.text.bottlenecks.size(), 6U);
    EXPECT_FALSE(changes.penalty.defined());
    std::map<int, float> result;
    for (int expert = 0; expert < 4; ++expert)
      for (const sdk::Bottleneck& module : changes.text.bottlenecks)
        if (module.down.is_same(
                parameter(*adapter, "text.1.mlp." + std::to_string(expert) + ".down")))
          result[expert] = module.scale.item<float>();
    return result;
  };
  const auto art = used(0);
  ASSERT_EQ(art.size(), 2U);
  EXPECT_NEAR(art.at(3), 1 / (1 + std::exp(-2.0)), 1e-6);
  EXPECT_NEAR(art.at(0), 1 - art.at(3), 1e-6);
  const auto real = used(1);
  EXPECT_NEAR(real.at(2), 1 / (1 + std::exp(-0.5)), 1e-6);
  EXPECT_EQ(real.count(1), 1U);
}

TEST(MoeAdapter, PenaltyIsTheSquaredVariationOfTheShares) {
  const FakeBackbone backbone = FakeBackbone::small();
  const auto adapter = make_adapter(
      *make_method("experts", "moe-adapter",
                   {{"reduction", "4"}, {"n-experts", "2"}, {"top-k", "0"}, {"balance", "3"}}),
      backbone);
  {
    const at::NoGradGuard no_grad;
    // Shares of the first expert: 0.8 and 0.4, mean 0.6. Of mean 0.5 the shares vary by 0.1^2.
    parameter(*adapter, "gates")
        .copy_(at::tensor({std::log(4.F), 0.F, std::log(2.F / 3), 0.F}).view({1, 2, 2}));
  }
  at::Generator noise = make_generator(3);
  const auto changes = adapter->changes({.task = 0, .training = true, .noise = &noise});
  EXPECT_NEAR(changes.penalty.item<double>(), 3 * 0.01 / 0.25, 1e-5);
}

TEST(Vmtl, PriorOfTwoTasksIsTheOthersPosterior) {
  // With one other task the mixture is certain, so that the divergence has a closed form.
  const FakeBackbone backbone = FakeBackbone::small();
  const auto adapter = make_adapter(
      *make_method("vmtl", "vmtl", {{"n-latent", "5"}, {"weight-kl", "2"}, {"feature-kl", "0"}}),
      backbone);
  const auto moments = [&](const std::string& name) {
    return std::pair(parameter(*adapter, name + ".mean"),
                     at::softplus(parameter(*adapter, name + ".rho")).square());
  };
  const auto [mean, variance] = moments("weights.0");
  const auto [other_mean, other_variance] = moments("weights.1");
  // Only cups are in both tasks; the others' prior is N(0, 1).
  at::Tensor expected = divergence(mean[0], variance[0], other_mean[0], other_variance[0]);
  expected = expected + divergence(mean.narrow(0, 1, 2), variance.narrow(0, 1, 2),
                                   at::zeros({2, 5}), at::ones({2, 5}));
  at::Generator noise = make_generator(3);
  const auto changes = adapter->changes({.task = 0, .training = true, .noise = &noise});
  EXPECT_NEAR(changes.penalty.item<double>(), 2 * expected.item<double>(),
              1e-4 * expected.item<double>());
  // The prior is no one's to train; the posterior is.
  const auto gradients = torch::autograd::grad(
      {changes.penalty},
      {parameter(*adapter, "weights.0.mean"), parameter(*adapter, "weights.1.mean")}, {},
      /*retain_graph=*/true, /*create_graph=*/false, /*allow_unused=*/true);
  EXPECT_GT(gradients[0].abs().max().item<double>(), 0);
  EXPECT_FALSE(gradients[1].defined() && gradients[1].abs().max().item<double>() > 0);
}

/// The weight of the divergence as model_vmtl.py has it in each call of optimize_model(), of which
/// a round has one for each task.
std::vector<double> published_weights(int n_tasks, int rounds) {
  std::vector<double> weights;
  int counter = 1, iteration = 1;
  double beta = 0.0;
  for (int call = 0; call < n_tasks * rounds; ++call) {
    weights.push_back(beta);
    if (++counter % n_tasks == 0) ++iteration;
    if (iteration % 10 == 0) beta += 1e-6;
  }
  return weights;
}

TEST(Vmtl, WeightOfTheDivergenceGrowsAsInThePublication) {
  const FakeBackbone backbone = FakeBackbone::small();
  const auto adapter = make_adapter(
      *make_method("vmtl", "vmtl", {{"n-latent", "5"}, {"feature-kl", "0"}}), backbone);
  const auto constant = make_adapter(
      *make_method(
          "vmtl", "vmtl",
          {{"n-latent", "5"}, {"feature-kl", "0"}, {"weight-kl", "1"}, {"weight-kl-growth", "0"}}),
      backbone);
  const auto penalty = [](const sdk::Adapter& of, std::int64_t task, std::int64_t step) {
    at::Generator noise = make_generator(3);
    return of.changes({.task = task, .training = true, .noise = &noise, .step = step})
        .penalty.item<double>();
  };
  const std::vector<double> expected = published_weights(/*n_tasks=*/2, /*rounds=*/45);
  for (const std::int64_t task : {0, 1}) {
    const double divergence = penalty(*constant, task, 0);
    EXPECT_NEAR(penalty(*constant, task, 40), divergence, 1e-5 * divergence);
    for (std::int64_t step = 0; step < 45; ++step)
      EXPECT_NEAR(penalty(*adapter, task, step) / divergence,
                  expected[static_cast<std::size_t>(2 * step + task)], 1e-10)
          << "task " << task << ", step " << step;
  }
}

TEST(Vmtl, NoiseIsInTrainingAlone) {
  const FakeBackbone backbone = FakeBackbone::small();
  const auto adapter = make_adapter(*make_method("vmtl", "vmtl"), backbone);
  const auto head = [&](bool training, std::uint64_t seed) {
    at::Generator noise = make_generator(seed);
    const auto changes =
        adapter->changes({.task = 1, .training = training, .noise = training ? &noise : nullptr});
    EXPECT_EQ(changes.penalty.defined(), training);
    return changes.head->weight.detach();
  };
  EXPECT_TRUE(head(false, 1).equal(head(false, 2)));
  EXPECT_TRUE(head(true, 1).equal(head(true, 1)));
  EXPECT_FALSE(head(true, 1).equal(head(true, 2)));
  EXPECT_FALSE(head(true, 1).equal(head(false, 1)));
}

TEST(Hypernetworks, TasksHaveAdaptersOfTheirOwn) {
  const FakeBackbone backbone = FakeBackbone::small();
  for (const std::string name : {"hyperformer", "polyhistor"}) {
    const auto adapter = make_adapter(
        *make_method("hypernetworks", name, {{"reduction", "2"}, {"towers", "image"}}), backbone);
    const auto art = adapter->changes({.task = 0}).vision.bottlenecks;
    const auto real = adapter->changes({.task = 1}).vision.bottlenecks;
    ASSERT_EQ(art.size(), 8U);  // two places in four layers
    ASSERT_EQ(real.size(), 8U);
    for (std::size_t i = 0; i < art.size(); ++i) {
      EXPECT_FALSE(art[i].down.equal(real[i].down)) << name;
      EXPECT_EQ(art[i].down.sizes(), (std::vector<std::int64_t>{12, 24}));
      EXPECT_EQ(art[i].up.sizes(), (std::vector<std::int64_t>{24, 12}));
    }
    EXPECT_FALSE(art[0].down.equal(art[2].down)) << name << ": layers are alike";
  }
}

}  // namespace
}  // namespace petlab::tests
