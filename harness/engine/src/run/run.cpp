#include "petlab/engine/run.hpp"

#include "petlab/base/error.hpp"
#include "petlab/engine/adapted_backbone.hpp"
#include "petlab/engine/adapter_checks.hpp"
#include "petlab/engine/costs.hpp"
#include "petlab/engine/environment.hpp"
#include "petlab/engine/evaluator.hpp"
#include "petlab/engine/grouping_host.hpp"
#include "petlab/engine/parameter_count.hpp"
#include "petlab/engine/precision.hpp"
#include "petlab/engine/run_checkpoint.hpp"
#include "petlab/engine/seeds.hpp"
#include "petlab/engine/train_images.hpp"
#include "petlab/engine/trainer.hpp"
#include "petlab/engine/truncated_prompts.hpp"
#include "petlab/kernels/threads.hpp"
#include "petlab/results/identity.hpp"
#include "run/run_execution.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <malloc.h>

#include <memory>
#include <optional>
#include <utility>

namespace petlab::engine {
namespace {

/// The same inputs give the same bits on the CPU; on a GPU that has a price, and is not asked for.
void set_up_torch(const RunSpec& spec) {
  // Nobody should draw from the default generators; who does gets the same in each process.
  const std::uint64_t seed = derive_seed(spec.seed, {"default"});
  at::Generator(at::detail::getDefaultCPUGenerator()).set_current_seed(seed);
  if (spec.device != DeviceKind::cpu)
    at::Generator(at::globalContext().defaultGenerator(parse_device(to_string(spec.device))))
        .set_current_seed(seed);
#ifdef __GLIBC__
  // Memory of one step serves the next. By default each large tensor is a fresh mapping, whose
  // pages the kernel clears one by one.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
  kernels::set_threads(spec.threads);
  if (spec.device == DeviceKind::cpu) {
    at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
    at::globalContext().setDeterministicFillUninitializedMemory(false);
  }
}

void check_inputs(const RunSpec& spec, const RunInputs& inputs) {
  const auto refuse = [](const std::string& what) {
    throw base::Error(base::ErrorKind::internal, what);
  };
  if (inputs.method == nullptr || inputs.backbone == nullptr)
    refuse("a run without its method or backbone");
  if (inputs.tasks.empty() || !inputs.load_test) refuse("a run without tasks or test set");
  if (has_groups(spec.sharing) != spec.grouping.has_value() ||
      has_groups(spec.sharing) != (inputs.grouping != nullptr)) {
    refuse("a grouping where the sharing has none, or none where it has");
  }
  if (inputs.backbone->device() != parse_device(to_string(spec.device))) {
    refuse("the backbone is on " + inputs.backbone->device().str() + ", the run on " +
           to_string(spec.device));
  }
  for (const Task& task : inputs.tasks) {
    if (task.train.size() == 0) {
      throw base::Error(base::ErrorKind::data, "task '" + task.name + "' has no training images");
    }
  }
}

std::vector<std::string> names_of(const std::vector<Task>& tasks) {
  std::vector<std::string> names;
  for (const Task& task : tasks)
    names.push_back(task.name);
  return names;
}

void note_cut_texts(const RunInputs& inputs, const std::string& text_template,
                    results::RunRecord& record, Progress& progress) {
  const std::int64_t length = inputs.backbone->shape().context_length;
  const TruncatedPrompts cut =
      find_cut_texts(inputs.backbone->tokenizer(), length, inputs.tasks, text_template);
  if (cut.count == 0) return;
  record.environment.emplace_back(results::environment::kCutTexts, cut.message(length));
  progress.note(cut.message(length));
}

/// Features that runs share, of the pictures of all tasks.
std::unique_ptr<ImageFeatures> shared_features(const RunSpec& spec, const RunInputs& inputs) {
  if (!inputs.features) return nullptr;
  std::vector<at::Tensor> pictures;
  for (const Task& task : inputs.tasks)
    pictures.push_back(task.train.images);
  return std::make_unique<ImageFeatures>(*inputs.backbone, std::move(pictures),
                                         spec.training.precision, *inputs.features);
}

/// What the image tower did not compute in this run.
void note_features(const ImageFeatures* features, results::RunRecord& record, Progress& progress) {
  if (features == nullptr || features->read() + features->computed() == 0) return;
  std::string text = std::to_string(features->read()) + " images read, " +
                     std::to_string(features->computed()) + " computed";
  if (!features->trouble().empty()) {
    text += "; no store: " + features->trouble();
    progress.note("image features are not kept for other runs: " + features->trouble());
  }
  record.environment.emplace_back(results::environment::kFeatureStore, text);
}

results::GroupingRecord to_record(const sdk::GroupingResult& result, const std::string& strategy,
                                  const std::vector<std::string>& tasks) {
  results::GroupingRecord record;
  record.strategy = strategy;
  record.tasks = tasks;
  if (result.affinity.defined()) {
    const at::Tensor values = result.affinity.to(at::kCPU, at::kDouble).contiguous();
    record.affinity.assign(values.const_data_ptr<double>(),
                           values.const_data_ptr<double>() + values.numel());
  }
  record.partition = named_partition(result.partitions.front().partition, tasks);
  record.score = result.partitions.front().score;
  for (std::size_t i = 1; i < result.partitions.size(); ++i) {
    record.runners_up.push_back(
        {named_partition(result.partitions[i].partition, tasks), result.partitions[i].score});
  }
  return record;
}

}  // namespace

void execute(const RunSpec& spec, const RunInputs& inputs, Progress& progress,
             RunExecution& execution) {
  results::RunRecord& record = execution.record;
  FailureContext& where = execution.where;
  const clip::Backbone& backbone = *inputs.backbone;
  const c10::Device device = backbone.device();
  const std::vector<std::string> names = names_of(inputs.tasks);
  CostLog costs(device, record.costs);

  costs.begin("setup");
  progress.begin("setup", 0);
  RunCheckpoint checkpoint(execution.checkpoint, record, progress);
  check_inputs(spec, inputs);
  record.method_trait = inputs.method->trait;
  check_sharing(*inputs.method, spec.sharing);
  set_up_torch(spec);
  record.environment = describe_environment(device, std::move(record.environment));
  record.split_hash = inputs.split_hash;
  record.total_backbone_parameters = backbone.parameter_count();
  // No plugin has worked yet: what was hashed after loading is what is there.
  record.frozen_hash_before =
      inputs.backbone_hash.empty() ? backbone.weight_hash() : inputs.backbone_hash;

  const sdk::Options options({inputs.method->options, inputs.method->option_count},
                             spec.method_options, "method '" + spec.method + "'");
  const auto method = where.in_plugin("make()", [&] { return inputs.method->make(options); });
  if (method == nullptr) {
    throw base::Error(base::ErrorKind::plugin, "method '" + spec.method + "' was not made");
  }
  const AdapterChecks checks(spec.method, backbone);
  const std::string text =
      where.in_plugin("text_template()", [&] { return method->text_template(); });
  checks.check_template(text);
  record.environment.emplace_back("text_template", text);
  note_cut_texts(inputs, text, record, progress);
  const std::unique_ptr<ImageFeatures> features = shared_features(spec, inputs);
  TrainImages images(backbone, inputs.tasks, spec.training.augmentation, spec.seed,
                     spec.training.precision, features.get());

  sdk::Partition partition;
  if (checkpoint.partition()) {
    partition = *checkpoint.partition();
  } else if (has_groups(spec.sharing)) {
    costs.end(0);
    where.enter_phase("warm-up");
    costs.begin("warm-up");
    const std::string& strategy = spec.grouping->strategy;
    const sdk::Options grouping_options({inputs.grouping->options, inputs.grouping->option_count},
                                        spec.grouping->options, "grouping '" + strategy + "'");
    const auto grouping = where.in_plugin("make() of grouping '" + strategy + "'",
                                          [&] { return inputs.grouping->make(grouping_options); });
    if (grouping == nullptr) {
      throw base::Error(base::ErrorKind::plugin, "grouping '" + strategy + "' was not made");
    }
    const WarmUpContext context{
        backbone, *method,      spec.method,   text,      inputs.method->task_dependent,
        checks,   inputs.tasks, spec.training, spec.seed, images,
        where,    progress,     record.epochs};
    WarmUpHost host(context);
    const sdk::GroupingResult result = find_grouping(*grouping, strategy, host, where);
    host.finish();
    partition = result.partitions.front().partition;
    record.grouping = to_record(result, strategy, names);
    costs.end(host.images_encoded() + images.images_encoded());
    record.grouping->seconds = record.costs.back().seconds;
    checkpoint.save_grouping(partition);
    costs.begin("setup");
    where.enter_phase("setup");
  }

  const std::int64_t cached_before = images.images_encoded();
  const AdapterSource source{backbone, inputs.tasks,
                             [&images](std::size_t task) { return images.plain_features(task); }};
  const Adapters adapters = make_adapters(
      *method, spec.method, source, arrange(spec.sharing, names, partition), spec.seed, where);
  record.parameters = count_parameters(adapters, backbone);
  AdaptedBackbone adapted(backbone, adapters, inputs.tasks, text, inputs.method->task_dependent,
                          checks, where);
  if (features != nullptr && !adapted.modifies_vision()) {
    // Here, so that training and evaluation cost the same whichever run fills the store. Where
    // held-out training pictures are tested on, most pictures of the data set are not needed.
    if (!spec.dataset.tests_on_validation()) features->complete(progress);
    images.keep_features();
  }
  const std::int64_t kept_layers =
      images.kept_layers(adapted.untouched_vision_layers(), spec.training.epochs);
  if (adapted.modifies_vision() && kept_layers > 0 && !adapters.trainable().empty())
    images.cache_hidden_states(kept_layers);
  const std::int64_t encoded_in_setup = images.images_encoded();
  costs.end(encoded_in_setup - cached_before);

  where.enter_phase("train");
  checkpoint.position() ? costs.resume(checkpoint.earlier_cost()) : costs.begin("train");
  const auto trained_on = [&] {
    return adapted.images_encoded() + images.images_encoded() - encoded_in_setup;
  };
  checkpoint.set_running_cost([&] { return costs.so_far(trained_on()); });
  std::vector<at::Tensor> parameters = adapters.trainable();
  if (!parameters.empty()) {
    train(adapted, images, inputs.tasks, spec.training, std::move(parameters), device, spec.seed,
          progress, record.epochs, {&record.step_flops, &checkpoint});
  }
  costs.end(trained_on());

  where.enter_phase("evaluate");
  costs.begin("evaluate");
  const std::int64_t encoded_before = adapted.images_encoded() + images.images_encoded();
  record.trained_hash = trained_hash(adapters);
  const std::vector<LabelledImages> test = inputs.load_test();
  if (test.size() != inputs.tasks.size())
    throw base::Error(base::ErrorKind::internal, "a run with other test sets than tasks");
  record.tasks = evaluate(adapted, backbone, inputs.tasks, test, spec.training.precision, progress,
                          &record.image_flops, features.get());
  note_features(features.get(), record, progress);
  // Validation pictures are training pictures that were held out: no test label was looked at.
  record.test_evaluations = spec.dataset.tests_on_validation() ? 0 : 1;
  record.frozen_hash_after = backbone.weight_hash();
  if (record.frozen_hash_after != record.frozen_hash_before) {
    throw base::Error(base::ErrorKind::plugin,
                      "method '" + spec.method + "' wrote to the frozen backbone");
  }
  costs.end(adapted.images_encoded() + images.images_encoded() - encoded_before);
}

}  // namespace petlab::engine
