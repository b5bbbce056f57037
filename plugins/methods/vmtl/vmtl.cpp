#include "vmtl.hpp"

#include "petlab/sdk/device_copy.hpp"
#include "petlab/sdk/head_support.hpp"
#include "petlab/sdk/module_support.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/argsort.h>
#include <ATen/ops/bernoulli.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/index.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/softplus.h>

namespace petlab::plugins::vmtl {
namespace {

/// Independent normal variables of any shape.
struct Moments {
  at::Tensor mean;
  at::Tensor variance;
};

/// A trained Gaussian: mean, and rho with standard deviation softplus(rho).
struct Posterior {
  Posterior(sdk::ParameterList& parameters, const std::string& name, at::IntArrayRef sizes,
            at::Generator& generator)
      : mean(parameters.add(name + ".mean", sdk::draw_normal(sizes, 0.1, generator))),
        rho(parameters.add(name + ".rho", sdk::draw_normal(sizes, 0.1, generator) - 3.0)) {}

  [[nodiscard]] Moments moments() const { return {mean, at::softplus(rho).square()}; }

  /// The mean, in training plus noise.
  [[nodiscard]] at::Tensor sample(const sdk::ChangeRequest& request) const {
    if (!request.training) return mean;
    const at::Tensor noise = sdk::draw_normal(mean.sizes(), 1.0, *request.noise);
    return mean + at::softplus(rho) * sdk::to_device(noise, mean.device());
  }

  at::Tensor mean;
  at::Tensor rho;
};

/// KL(q | p) of each row, summed over its columns; 1e-6 as in the repository.
at::Tensor divergence(const Moments& q, const Moments& p) {
  const at::Tensor a = q.variance + 1e-6;
  const at::Tensor b = p.variance + 1e-6;
  return 0.5 * (b.log() - a.log() - 1 + a / b + (p.mean - q.mean).square() / b).sum(-1);
}

/// Training features of a task, sorted by class.
struct Examples {
  at::Tensor features;  ///< [n, embed_dim]
  at::Tensor first;     ///< [n_classes]: where a class begins
  at::Tensor count;     ///< [n_classes]

  /// One random feature of each class: [n_classes, embed_dim]; that of a class without examples is
  /// not to be used.
  [[nodiscard]] at::Tensor pick(at::Generator& generator) const {
    const at::Tensor part = at::rand({count.size(0)}, generator, at::TensorOptions(at::kFloat));
    const at::Tensor index =
        (first + (part * count).floor().to(at::kLong)).clamp(0, features.size(0) - 1);
    return features.index_select(0, sdk::to_device(index, features.device()));
  }
};

Examples sort_by_class(const sdk::LabelledFeatures& examples, std::int64_t n_classes) {
  const at::Tensor labels = examples.labels.to(at::kCPU);
  const at::Tensor order = at::argsort(labels, /*stable=*/true, 0, /*descending=*/false);
  const at::Tensor count = at::bincount(labels, {}, n_classes);
  return {at::index(examples.features, {order.to(examples.features.device())}),
          count.cumsum(0) - count, count};
}

/// What the adapter of several tasks is.
struct Model {
  Posterior latent;                 ///< [embed_dim, n_latent]
  Posterior latent_bias;            ///< [n_latent]
  std::vector<Posterior> weights;   ///< of each task: [n_classes, n_latent]
  at::Tensor feature_gates;         ///< [n_tasks, n_tasks - 1], or undefined for one task
  at::Tensor weight_gates;          ///< the same
  std::vector<Examples> examples;   ///< of each task
  std::vector<at::Tensor> classes;  ///< of each task: names of its classes, as numbers
  double feature_scale;
  double temperature;
  double weight_kl;
  double weight_kl_growth;
  double feature_kl;
  double dropout;

  /// The latent representation's distribution at features x [n, embed_dim].
  [[nodiscard]] Moments latent_of(const at::Tensor& features) const {
    const at::Tensor x = features * feature_scale;
    const Moments map = latent.moments();
    const Moments bias = latent_bias.moments();
    return {at::matmul(x, map.mean) + bias.mean,
            at::matmul(x.square(), map.variance) + bias.variance};
  }
};

/// Row i of the result is the row of `other` for class classes[i]; N(0, 1) where it has none.
Moments align(const Moments& other, const at::Tensor& other_classes, const at::Tensor& classes) {
  const std::int64_t n = other_classes.size(0);
  const at::Tensor same = classes.unsqueeze(1) == other_classes.unsqueeze(0);  // [n, n_other]
  const at::Tensor index = sdk::to_device(
      at::where(same.any(1), same.to(at::kLong).argmax(1), at::full({}, n, at::kLong)),
      other.mean.device());
  const at::Tensor none = at::zeros_like(other.mean.narrow(0, 0, 1));
  return {at::cat({other.mean, none}).index_select(0, index),
          at::cat({other.variance, none + 1}).index_select(0, index)};
}

/// Weights of the other tasks: softmax((log softmax(gates) + Gumbel noise) / temperature).
at::Tensor draw_mixture(const at::Tensor& gates, double temperature, at::Generator& generator) {
  const at::Tensor uniform = at::rand(gates.sizes(), generator, at::TensorOptions(at::kFloat));
  const at::Tensor gumbel = -(-(uniform + 1e-20).log() + 1e-20).log();
  return at::softmax(
      (at::log_softmax(gates, -1) + sdk::to_device(gumbel, gates.device())) / temperature, -1);
}

/// The prior of `task`: sum_i a_i mean_i, sum_i a_i^2 variance_i over the other tasks' posteriors,
/// which are not trained by it.
template <class MomentsOf>
Moments mixed_prior(const Model& model, std::int64_t task, const at::Tensor& mixture,
                    const MomentsOf& moments_of) {
  Moments prior;
  std::int64_t slot = 0;
  const at::Tensor& classes = model.classes.at(static_cast<std::size_t>(task));
  for (std::size_t other = 0; other < model.classes.size(); ++other) {
    if (static_cast<std::int64_t>(other) == task) continue;
    const Moments one = align(moments_of(other), model.classes[other], classes);
    const at::Tensor share = mixture.select(0, slot++);
    const at::Tensor mean = share * one.mean.detach();
    const at::Tensor variance = share.square() * one.variance.detach();
    prior = prior.mean.defined() ? Moments{prior.mean + mean, prior.variance + variance}
                                 : Moments{mean, variance};
  }
  return prior;
}

/// How often the repository's optimize_model() has added to the weight of the class weights'
/// divergence before it comes to a task of a step (both from 0). It is called for one task after
/// the other, n-th (from 1) with a counter at n; a call adds where 1 + (n + 1) / n_tasks, rounded
/// down, is a multiple of 10. So counted are the x <= n whose x mod 10 n_tasks is 9 n_tasks or
/// more.
std::int64_t growths_before(std::int64_t step, std::int64_t task, std::int64_t n_tasks) {
  const std::int64_t n = step * n_tasks + task + 1;
  const std::int64_t period = 10 * n_tasks;
  return n_tasks * ((n + 1) / period) + std::max<std::int64_t>(0, (n + 1) % period - 9 * n_tasks);
}

at::Tensor penalty_of(const Model& model, const sdk::ChangeRequest& request) {
  const auto task = static_cast<std::size_t>(request.task);
  const Moments weights = model.weights[task].moments();
  const at::Tensor present = sdk::to_device(model.examples[task].count > 0, weights.mean.device());
  const Moments latents = model.latent_of(model.examples[task].pick(*request.noise));
  const auto standard = [](const Moments& like) {
    return Moments{at::zeros_like(like.mean), at::ones_like(like.variance)};
  };
  Moments weight_prior = standard(weights);
  Moments latent_prior = standard(latents);
  if (model.weights.size() > 1) {
    const auto mixture = [&](const at::Tensor& gates) {
      return draw_mixture(gates.select(0, request.task), model.temperature, *request.noise);
    };
    weight_prior = mixed_prior(model, request.task, mixture(model.weight_gates),
                               [&](std::size_t other) { return model.weights[other].moments(); });
    latent_prior =
        mixed_prior(model, request.task, mixture(model.feature_gates), [&](std::size_t other) {
          return model.latent_of(model.examples[other].pick(*request.noise));
        });
  }
  const auto n_tasks = static_cast<std::int64_t>(model.weights.size());
  const double weight_kl =
      model.weight_kl + model.weight_kl_growth * static_cast<double>(growths_before(
                                                     request.step, request.task, n_tasks));
  return weight_kl * divergence(weights, weight_prior).sum() +
         model.feature_kl * divergence(latents, latent_prior).masked_select(present).mean();
}

}  // namespace

std::unique_ptr<sdk::Adapter> make_vmtl(const sdk::Options& options,
                                        const sdk::AdapterContext& context) {
  const std::int64_t width = context.backbone().shape().embed_dim;
  const std::int64_t n_latent = options.integer("n-latent");
  const auto n_tasks = static_cast<std::int64_t>(context.tasks().size());
  at::Generator& generator = context.generator();
  sdk::ParameterList parameters(sdk::device_of(context.backbone()));
  const double given_scale = options.real("feature-scale");
  Model model{
      .latent = Posterior(parameters, "latent", {width, n_latent}, generator),
      .latent_bias = Posterior(parameters, "latent_bias", {n_latent}, generator),
      .weights = {},
      .feature_gates = {},
      .weight_gates = {},
      .examples = {},
      .classes = sdk::ClassUnion(context.tasks()).rows_of_task,
      .feature_scale = given_scale > 0 ? given_scale : std::sqrt(static_cast<double>(width)),
      .temperature = options.real("temperature"),
      .weight_kl = options.real("weight-kl"),
      .weight_kl_growth = options.real("weight-kl-growth"),
      .feature_kl = options.real("feature-kl"),
      .dropout = options.real("dropout")};
  for (std::int64_t task = 0; task < n_tasks; ++task) {
    const auto n_classes = model.classes[static_cast<std::size_t>(task)].size(0);
    model.weights.emplace_back(parameters, "weights." + std::to_string(task),
                               at::IntArrayRef{n_classes, n_latent}, generator);
    model.examples.push_back(sort_by_class(context.training_features(task), n_classes));
  }
  if (n_tasks > 1) {
    model.feature_gates = parameters.add("feature_gates", sdk::fp32_zeros({n_tasks, n_tasks - 1}));
    model.weight_gates = parameters.add("weight_gates", sdk::fp32_zeros({n_tasks, n_tasks - 1}));
  }
  return sdk::make_function_adapter(parameters.take(), [model](const sdk::ChangeRequest& request) {
    at::Tensor map = model.latent.sample(request);
    if (request.training && model.dropout > 0) {
      const at::Tensor kept = at::full({map.size(0), 1}, 1 - model.dropout, at::kFloat);
      map = map * sdk::to_device(at::bernoulli(kept, *request.noise) / kept, map.device());
    }
    const at::Tensor weight =
        model.weights.at(static_cast<std::size_t>(request.task)).sample(request);
    sdk::BackboneChanges changes;
    changes.head = sdk::ClassHead{.weight = at::matmul(weight, map.t()),
                                  .bias = at::matmul(weight, model.latent_bias.sample(request)),
                                  .scale = model.feature_scale,
                                  .unit_features = true};
    if (request.training) changes.penalty = penalty_of(model, request);
    return changes;
  });
}

}  // namespace petlab::plugins::vmtl
