#include "growth_world.hpp"

#include "petlab/engine/adapted_backbone.hpp"
#include "petlab/engine/failure_context.hpp"
#include "petlab/engine/progress.hpp"
#include "petlab/engine/trainer.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace petlab::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kImageSize = 64;
constexpr std::int64_t kContext = 77;
constexpr std::int64_t kStepsAnEpoch = 2;
constexpr std::int64_t kEpochs = 3;  // the first one warms up

// Two words, different for each of the first 4,096 numbers.
std::string class_name(std::int64_t number) {
  static const char* const kSyllables[] = {"ka", "lo", "mi", "ne", "pu", "ra", "so", "ti"};
  std::string name;
  for (int i = 0; i < 4; ++i, number /= 8) {
    if (i == 2) name += ' ';
    name += kSyllables[number % 8];
  }
  return name;
}

std::shared_ptr<const clip::Backbone> make_backbone(c10::Device device) {
  const fs::path folder =
      fs::temp_directory_path() / ("petlab-growth-world-" + std::to_string(getpid()));
  fs::create_directories(folder);
  std::vector<std::pair<std::string, std::int64_t>> texts = {{"a photo of a", 1000}};
  for (std::int64_t i = 0; i < 64; ++i)
    texts.emplace_back(class_name(i), 10);
  clip::train_tokenizer(texts, /*vocab_size=*/560, kContext, folder);
  clip::Tokenizer tokenizer = clip::Tokenizer::load(folder);
  clip::Config config;
  config.shape.vision = {.layers = 12, .width = 192, .heads = 3, .mlp_width = 768};
  config.shape.text = config.shape.vision;
  config.shape.embed_dim = 128;
  config.shape.image_size = kImageSize;
  config.shape.patch_size = 8;
  config.shape.context_length = kContext;
  config.vocab_size = tokenizer.vocab_size();
  config.bos_token_id = tokenizer.start_token();
  config.eos_token_id = tokenizer.end_token();
  at::Generator generator = at::detail::createCPUGenerator(1);
  clip::Backbone::random(config, std::move(tokenizer), {.image_size = kImageSize}, generator)
      ->save(folder, folder, at::kFloat);
  std::shared_ptr<const clip::Backbone> backbone = clip::Backbone::load(folder, device);
  fs::remove_all(folder);
  return backbone;
}

std::vector<engine::Task> make_tasks(const StepShape& shape) {
  std::vector<engine::Task> tasks;
  const std::int64_t images = kStepsAnEpoch * shape.batch;
  for (std::int64_t t = 0; t < shape.tasks; ++t) {
    engine::Task task;
    task.name = "task-" + std::to_string(t);
    for (std::int64_t c = 0; c < shape.classes; ++c)
      task.classes.push_back(class_name(c));
    at::Generator generator = at::detail::createCPUGenerator(static_cast<std::uint64_t>(t));
    task.train.images = at::randint(0, 256, {images, 3, kImageSize, kImageSize}, generator,
                                    at::TensorOptions(at::kByte));
    for (std::int64_t i = 0; i < images; ++i) {
      task.train.rows.push_back(i);
      task.train.labels.push_back(i % shape.classes);
    }
    tasks.push_back(std::move(task));
  }
  return tasks;
}

// Listens to LibTorch's allocator on this thread, which runs forward and backward on a CPU.
class PeakOfTensors final : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void* /*pointer*/, std::int64_t bytes, std::size_t /*allocated*/,
                         std::size_t /*reserved*/, c10::Device /*device*/) override {
    now_ += bytes;
    peak_ = std::max(peak_, now_);
  }
  bool memoryProfilingEnabled() const override { return true; }
  std::int64_t peak() const { return peak_; }

 private:
  std::int64_t now_ = 0;
  std::int64_t peak_ = 0;
};

}  // namespace

StepWorld::StepWorld(const sdk::MethodEntry& method, c10::Device device)
    : method_(method), backbone_(make_backbone(device)) {}

StepCost StepWorld::measure(const StepShape& shape) const {
  const std::vector<engine::Task> tasks = make_tasks(shape);
  const sdk::Options options({method_.options, method_.option_count}, shape.options, method_.name);
  const auto method = method_.make(options);
  engine::FailureContext where;
  const engine::AdapterChecks checks(method_.name, *backbone_);
  engine::Training training;
  training.batch = shape.batch;
  training.warmup_epochs = 0;
  training.epochs = kEpochs;
  engine::TrainImages images(*backbone_, tasks, engine::Augmentation::none, /*seed=*/1,
                             engine::Precision::fp32);
  std::vector<std::string> names;
  for (const engine::Task& task : tasks)
    names.push_back(task.name);
  const engine::AdapterSource source{*backbone_, tasks,
                                     [&](std::size_t task) { return images.plain_features(task); }};
  const engine::Adapters adapters = engine::make_adapters(
      *method, method_.name, source, engine::arrange(shape.sharing, names, {}), /*seed=*/1, where);
  engine::AdaptedBackbone adapted(*backbone_, adapters, tasks, method->text_template(),
                                  method_.task_dependent, checks, where);
  if (!adapted.modifies_vision()) images.keep_features();

  engine::NoProgress progress;
  std::vector<results::EpochRecord> epochs;
  const auto train = [&] {
    engine::train({adapted, adapters, images, tasks, training}, progress, epochs);
  };
  train();
  StepCost cost;
  cost.seconds = epochs.back().seconds;
  for (std::size_t e = 1; e < epochs.size(); ++e)
    cost.seconds = std::min(cost.seconds, epochs[e].seconds);
  cost.seconds /= static_cast<double>(kStepsAnEpoch);
  // Once more, listening: that costs time.
  training.epochs = 1;
  if (const c10::Device device = backbone_->device(); !device.is_cpu()) {
    auto* const allocator = c10::getDeviceAllocator(device.type());
    constexpr auto kAll = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    const auto before = allocator->getDeviceStats(device.index()).allocated_bytes[kAll].current;
    allocator->resetPeakStats(device.index());
    train();
    cost.peak_bytes = allocator->getDeviceStats(device.index()).allocated_bytes[kAll].peak - before;
    return cost;
  }
  const auto peak = std::make_shared<PeakOfTensors>();
  {
    const c10::DebugInfoGuard listening(c10::DebugInfoKind::PROFILER_STATE, peak);
    train();
  }
  cost.peak_bytes = peak->peak();
  return cost;
}

}  // namespace petlab::bench
