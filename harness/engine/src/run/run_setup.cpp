#include "run/run_setup.hpp"

#include "petlab/engine/seeds.hpp"
#include "petlab/engine/truncated_prompts.hpp"
#include "petlab/kernels/threads.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <malloc.h>

#include <utility>
#include <vector>

namespace petlab::engine {

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

void note_cut_texts(const RunInputs& inputs, const std::string& text_template,
                    results::RunRecord& record, Progress& progress) {
  const std::int64_t length = inputs.backbone->shape().context_length;
  const TruncatedPrompts cut =
      find_cut_texts(inputs.backbone->tokenizer(), length, inputs.tasks, text_template);
  if (cut.count == 0) return;
  record.environment.emplace_back(results::environment::kCutTexts, cut.message(length));
  progress.note(cut.message(length));
}

std::unique_ptr<ImageFeatures> shared_features(const RunSpec& spec, const RunInputs& inputs) {
  if (!inputs.features) return nullptr;
  std::vector<at::Tensor> pictures;
  for (const Task& task : inputs.tasks)
    pictures.push_back(task.train.images);
  return std::make_unique<ImageFeatures>(*inputs.backbone, std::move(pictures),
                                         spec.training.precision, *inputs.features);
}

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

}  // namespace petlab::engine
