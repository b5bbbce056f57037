#include "method_bench.hpp"

#include "petlab/engine/losses.hpp"
#include "petlab/sdk/plugin.hpp"
#include "reference.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <errno.h>

#include <algorithm>
#include <array>
#include <ostream>

namespace petlab::tests {
namespace {

at::Generator seeded(std::uint64_t seed) {
  return at::make_generator<at::CPUGeneratorImpl>(seed);
}

const std::filesystem::path& tokenizer_folder() {
  static const std::filesystem::path folder = [] {
    auto result = parity::fresh_folder("methods-tokenizer-" + program());
    const std::vector<std::pair<std::string, std::int64_t>> texts{{"a photo of a cup.", 9},
                                                                  {"a photo of an alarm clock.", 7},
                                                                  {"a photo of a bed", 5},
                                                                  {"a fan of a red bed", 3},
                                                                  {"seven cups and one fan", 3}};
    clip::train_tokenizer(texts, /*vocab_size=*/540, /*context_length=*/64, result);
    return result;
  }();
  return folder;
}

const study::PluginRegistry& registry() {
  static const study::PluginRegistry plugins(
      {.folders = {std::filesystem::path(PETLAB_BINARY_DIR) / "lib" / "petlab"}, .files = {}});
  return plugins;
}

engine::Arrangement arrangement(engine::Sharing sharing) {
  std::vector<std::string> names;
  for (const engine::Task& task : bench_tasks())
    names.push_back(task.name);
  return engine::arrange(sharing, names, {{0, 2}, {1}});
}

/// A task's images are its training images, too.
sdk::LabelledFeatures training_features(std::size_t task) {
  const at::NoGradGuard no_grad;
  const BenchImages& images = bench_images(static_cast<std::int64_t>(task));
  return {clip::unit_length(bench_backbone().encode_image(images.pixels)), images.labels};
}

sdk::Options options_of(const study::MethodRef& ref, const MethodCase& one) {
  return {std::span(ref.entry->options, ref.entry->option_count), one.options,
          "method '" + one.method + "'"};
}

}  // namespace

std::string program() {
  return program_invocation_short_name;
}

void PrintTo(const MethodCase& one, std::ostream* out) {
  *out << one.name;
}

std::string case_name(const ::testing::TestParamInfo<MethodCase>& info) {
  return info.param.name;
}

const std::filesystem::path& bench_model() {
  static const std::filesystem::path folder = [] {
    auto result = parity::fresh_folder("methods-model-" + program());
    clip::Tokenizer tokenizer = clip::Tokenizer::load(tokenizer_folder());
    clip::Config config;
    config.shape = {.vision = {.layers = 4, .width = 32, .heads = 4, .mlp_width = 64},
                    .text = {.layers = 3, .width = 24, .heads = 3, .mlp_width = 48},
                    .embed_dim = 16,
                    .image_size = 24,
                    .patch_size = 8,
                    .context_length = 64};
    config.vocab_size = tokenizer.vocab_size();
    config.bos_token_id = tokenizer.start_token();
    config.eos_token_id = tokenizer.end_token();
    at::Generator generator = seeded(20);
    const auto backbone =
        clip::Backbone::random(config, std::move(tokenizer), {.image_size = 24}, generator);
    for (const sdk::NamedTensor& weight : backbone->weights())
      if (weight.value.dim() == 1)
        weight.value.add_(at::empty(weight.value.sizes()).normal_(0, 0.1, generator));
    backbone->save(result, tokenizer_folder(), at::kFloat);
    return result;
  }();
  return folder;
}

const clip::Backbone& bench_backbone() {
  static const std::shared_ptr<clip::Backbone> backbone = clip::Backbone::load(bench_model());
  return *backbone;
}

const std::vector<engine::Task>& bench_tasks() {
  static const std::vector<engine::Task> tasks = {{"art", {"cup", "bed", "alarm clock"}, {}},
                                                  {"real", {"cup", "fan"}, {}},
                                                  {"sketch", {"cup", "bed", "alarm clock"}, {}}};
  return tasks;
}

const BenchImages& bench_images(std::int64_t task) {
  static const std::vector<BenchImages> all = [] {
    std::vector<BenchImages> result;
    at::Generator generator = seeded(21);
    for (std::size_t t = 0; t < bench_tasks().size(); ++t) {
      const auto count = std::array<std::int64_t, 3>{3, 2, 4}.at(t);
      const auto classes = static_cast<std::int64_t>(bench_tasks()[t].classes.size());
      result.push_back({at::empty({count, 3, 24, 24}).normal_(0, 1, generator),
                        at::arange(count, at::kLong).remainder(classes)});
    }
    return result;
  }();
  return all.at(static_cast<std::size_t>(task));
}

MethodBench::MethodBench(const MethodCase& one)
    : ref_(registry().method(one.method)),
      options_(options_of(ref_, one)),
      method_(ref_.entry->make(options_)),
      template_(method_->text_template()),
      checks_(one.method, bench_backbone()),
      adapters_(engine::make_adapters(*method_, one.method,
                                      {bench_backbone(), bench_tasks(), training_features},
                                      arrangement(one.sharing), /*seed=*/1, where_)),
      backbone_(bench_backbone(), adapters_, bench_tasks(), template_, ref_.entry->task_dependent,
                checks_, where_) {}

void MethodBench::move_parameters(double std) {
  const at::NoGradGuard no_grad;
  at::Generator generator = seeded(22);
  for (const at::Tensor& parameter : adapters_.trainable())
    parameter.add_(at::empty(parameter.sizes()).normal_(0, std, generator));
}

MethodBench::Step MethodBench::step(const std::vector<std::int64_t>& tasks) {
  std::vector<engine::TaskImages> inputs;
  std::vector<at::Tensor> labels;
  for (const std::int64_t task : tasks) {
    inputs.push_back({task, bench_images(task).pixels, {}});
    labels.push_back(bench_images(task).labels);
  }
  const auto prepared = backbone_.prepare(tasks);
  Step step{backbone_.logits(prepared, inputs), {}};
  step.loss = engine::combine(backbone_.losses(prepared, inputs, labels), engine::TaskLoss::sum);
  return step;
}

double relative_difference(const at::Tensor& ours, const at::Tensor& reference, double floor) {
  const double scale = std::max(reference.abs().max().item<double>(), floor);
  return (ours - reference).abs().max().item<double>() / scale;
}

void expect_mixed_equals_alone(const MethodCase& one) {
  const at::NoGradGuard no_grad;
  MethodBench bench(one);
  bench.move_parameters(0.1);
  const auto mixed = bench.step({0, 1, 2}).logits;
  for (std::int64_t task = 0; task < 3; ++task) {
    const at::Tensor alone = bench.step({task}).logits.front();
    EXPECT_LE(relative_difference(mixed[static_cast<std::size_t>(task)], alone), 1e-5)
        << one.name << ", task " << bench_tasks()[static_cast<std::size_t>(task)].name;
  }
}

void expect_zero_shot_start(const MethodCase& one, const std::string& zero_shot_template) {
  const at::NoGradGuard no_grad;
  const auto start = MethodBench(one).step({0, 1, 2}).logits;
  const auto frozen = MethodBench({"zero_shot", "zero-shot", {{"template", zero_shot_template}}})
                          .step({0, 1, 2})
                          .logits;
  for (std::size_t task = 0; task < 3; ++task)
    EXPECT_LE(relative_difference(start[task], frozen[task]), 1e-5)
        << one.name << ", task " << bench_tasks()[task].name;
}

}  // namespace petlab::tests
