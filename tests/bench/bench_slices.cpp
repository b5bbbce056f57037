// Peak memory and seconds of a training step of ViT-B/16 (random weights) in 1, 2, 4 and 8 slices:
//
//   bench_slices [METHOD [BATCH]]      lora and 32 without
//
// Each number of slices is a process of its own that runs engine::execute_run() on one task of one
// batch: set-up, the one step, the test of one image. METHOD is one of the project's methods with
// its defaults.
#include "petlab/base/error.hpp"
#include "petlab/engine/run.hpp"
#include "petlab/engine/setting_values.hpp"
#include "petlab/sdk/plugin.hpp"
#include "petlab/study/plugin_loader.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace petlab::bench {
namespace {

constexpr std::int64_t kSide = 224;
constexpr std::int64_t kClasses = 65;

double peak_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  return 0.0;
}

std::shared_ptr<const clip::Backbone> vit_b16() {
  clip::Tokenizer tokenizer =
      clip::Tokenizer::load(PETLAB_SOURCE_DIR "/harness/backbones/petlab-icon-clip");
  clip::Config config;
  config.shape.vision = {.layers = 12, .width = 768, .heads = 12, .mlp_width = 3072};
  config.shape.text = {.layers = 12, .width = 512, .heads = 8, .mlp_width = 2048};
  config.shape.embed_dim = 512;
  config.shape.image_size = kSide;
  config.shape.patch_size = 16;
  config.shape.context_length = 77;
  config.vocab_size = tokenizer.vocab_size();
  config.bos_token_id = tokenizer.start_token();
  config.eos_token_id = tokenizer.end_token();
  at::Generator generator = at::detail::createCPUGenerator(1);
  return clip::Backbone::random(config, std::move(tokenizer), {.image_size = kSide}, generator);
}

engine::LabelledImages pictures(std::int64_t count) {
  at::Generator generator = at::detail::createCPUGenerator(2);
  engine::LabelledImages result;
  result.images =
      at::randint(0, 256, {count, 3, kSide, kSide}, generator, at::TensorOptions(at::kByte));
  for (std::int64_t i = 0; i < count; ++i) {
    result.rows.push_back(i);
    result.labels.push_back(i % kClasses);
  }
  return result;
}

int measure(const std::string& method, std::int64_t batch, std::int64_t slices) {
  study::PluginRegistry plugins({.folders = {PETLAB_BINARY_DIR "/lib/petlab"}, .files = {}});
  const sdk::MethodEntry& entry = *plugins.method(method).entry;
  engine::RunSpec spec;
  spec.method = method;
  spec.method_options = sdk::Options({entry.options, entry.option_count}, {}, method).values();
  spec.threads = static_cast<int>(std::thread::hardware_concurrency());
  spec.training.epochs = 1;
  spec.training.warmup_epochs = 0;
  spec.training.batch = batch;
  spec.training.slices = slices;
  spec.training.augmentation = engine::Augmentation::crop_flip;
  engine::RunInputs inputs;
  inputs.method = &entry;
  inputs.backbone = vit_b16();
  engine::Task task{"pictures", {}, pictures(batch)};
  for (std::int64_t c = 0; c < kClasses; ++c)
    task.classes.push_back("thing " + std::to_string(c));
  inputs.tasks = {task};
  inputs.load_test = [] { return std::vector<engine::LabelledImages>{pictures(1)}; };
  engine::NoProgress silent;
  const results::RunRecord record = engine::execute_run(spec, {}, inputs, silent);
  double seconds = 0.0;
  for (const results::PhaseCost& cost : record.costs)
    if (cost.phase == "train") seconds = cost.seconds;
  std::printf("%-18s batch %4lld  slices %3lld  peak %7.0f MiB  step %6.2f s  loss %.5f\n",
              method.c_str(), static_cast<long long>(batch), static_cast<long long>(slices),
              peak_mib(), seconds, record.epochs.front().loss);
  return 0;
}

int run(int count, char** texts) {
  const std::string method = count > 1 ? texts[1] : "lora";
  const engine::Setting batch{"BATCH", count > 2 ? texts[2] : "32", "", ""};
  const std::int64_t images = engine::integer_value(batch, 8, 65536);
  for (const std::int64_t slices : {1, 2, 4, 8}) {
    std::fflush(stdout);
    const pid_t child = ::fork();  // before LibTorch has threads
    if (child == 0) {
      const int code = measure(method, images, slices);
      std::fflush(stdout);
      std::_Exit(code);
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace petlab::bench

int main(int count, char** texts) {
  try {
    return petlab::bench::run(count, texts);
  } catch (const std::exception& error) {
    std::cerr << "bench_slices: " << error.what() << "\n";
    return 1;
  }
}
