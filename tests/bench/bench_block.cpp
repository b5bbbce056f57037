// Where the time of a training step of the image tower goes: seconds of the step, of its forward
// and its backward pass, and of each operation without those that it calls.
//
//   bench_block MODEL [BATCH [PROMPTS [REPEATS [PRECISION]]]]
//
// MODEL is `vit-b-16` (random weights, made in memory) or the folder of a model. PROMPTS (default
// 10) are trained in every layer; 0 trains all weights; -1 trains nothing and times the forward
// pass alone. PRECISION is fp32 or bf16.

#include "petlab/clip/backbone.hpp"
#include "petlab/engine/precision.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/record_function.h>
#include <c10/core/InferenceMode.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace petlab;
using Clock = std::chrono::steady_clock;

double milliseconds(Clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

struct Spent {
  std::int64_t calls = 0;
  Clock::duration own{};
};

/// Time of each operation without the operations inside it. Threads share products out among them,
/// and the seconds of all count.
struct Profile {
  std::mutex mutex;
  std::map<std::string, Spent> operations;
};

Profile* g_profile = nullptr;

struct Open {
  Clock::time_point start;
  Clock::duration inside{};
};
thread_local std::vector<Open> t_open;  // the operations that this thread is in

std::unique_ptr<at::ObserverContext> on_start(const at::RecordFunction& function) {
  static_cast<void>(function);
  t_open.push_back({Clock::now()});
  return nullptr;
}

void on_end(const at::RecordFunction& function, at::ObserverContext* context) {
  static_cast<void>(context);
  const Open done = t_open.back();
  t_open.pop_back();
  const Clock::duration whole = Clock::now() - done.start;
  if (!t_open.empty()) t_open.back().inside += whole;
  const std::lock_guard lock(g_profile->mutex);
  Spent& spent = g_profile->operations[function.name()];
  ++spent.calls;
  spent.own += whole - done.inside;
}

void print(const Profile& profile, int repeats) {
  std::vector<std::pair<std::string, Spent>> sorted(profile.operations.begin(),
                                                    profile.operations.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.second.own > b.second.own; });
  std::printf("  %-52s %8s %10s\n", "operation, in one step", "calls", "ms");
  for (std::size_t i = 0; i < std::min<std::size_t>(sorted.size(), 25); ++i)
    std::printf("  %-52s %8.1f %10.3f\n", sorted[i].first.substr(0, 52).c_str(),
                static_cast<double>(sorted[i].second.calls) / repeats,
                milliseconds(sorted[i].second.own) / repeats);
}

std::shared_ptr<clip::Backbone> backbone_of(const std::string& model) {
  if (model != "vit-b-16") return clip::Backbone::load(model);
  clip::Config config;
  config.shape = {.vision = {.layers = 12, .width = 768, .heads = 12, .mlp_width = 3072},
                  .text = {.layers = 1, .width = 64, .heads = 1, .mlp_width = 64},
                  .embed_dim = 512,
                  .image_size = 224,
                  .patch_size = 16,
                  .context_length = 77};
  config.vocab_size = 49408;
  config.eos_token_id = 2;
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(1);
  return clip::Backbone::random(
      config, clip::Tokenizer::load(PETLAB_SOURCE_DIR "/harness/backbones/petlab-icon-clip"), {},
      generator);
}

void bench(const std::string& model, std::int64_t batch, std::int64_t n_prompt, int repeats,
           const std::string& precision) {
  const auto backbone = backbone_of(model);
  const sdk::BackboneShape& shape = backbone->shape();
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(2);
  const at::Tensor pixels =
      at::empty({batch, 3, shape.image_size, shape.image_size}).normal_(0, 1, generator);
  sdk::TowerChanges changes;
  for (std::int64_t layer = 0; n_prompt > 0 && layer < shape.vision.layers; ++layer)
    changes.prompts.push_back({layer, at::empty({n_prompt, shape.vision.width})
                                          .normal_(0, 0.1, generator)
                                          .set_requires_grad(true)});
  clip::WeightOverrides overrides;
  if (n_prompt == 0)
    for (const sdk::NamedTensor& weight : backbone->weights())
      if (weight.name.starts_with("vis"))
        overrides[weight.name] = weight.value.clone().set_requires_grad(true);
  Profile profile;
  double best_forward = 1e300;
  double best_step = 1e300;
  const auto step = [&] {
    const auto start = Clock::now();
    at::Tensor loss;
    {
      const c10::InferenceMode inference(n_prompt < 0);
      const engine::AutocastScope autocast(
          c10::kCPU, engine::parse_value<engine::Precision>(precision).value());
      const clip::TowerBatch prompts =
          n_prompt > 0 ? clip::stack_changes({{&changes}}, shape.vision.layers, {})
                       : clip::TowerBatch{};
      loss = backbone->encode_image(pixels, prompts, overrides).to(at::kFloat).square().sum();
    }
    best_forward = std::min(best_forward, milliseconds(Clock::now() - start));
    if (n_prompt >= 0) loss.backward();
    best_step = std::min(best_step, milliseconds(Clock::now() - start));
    for (sdk::PromptTokens& prompt : changes.prompts)
      prompt.tokens.mutable_grad().reset();
    for (auto& [name, value] : overrides)
      value.mutable_grad().reset();
  };
  for (int i = 0; i <= repeats; ++i)
    step();
  const double forward = best_forward;
  const double whole = best_step;
  std::printf("%s, %lld images, %lld prompts a layer, %s, %d threads: step %.2f ms, forward %.2f\n",
              model.c_str(), static_cast<long long>(batch), static_cast<long long>(n_prompt),
              precision.c_str(), at::get_num_threads(), whole, forward);
  g_profile = &profile;
  const auto handle = at::addGlobalCallback(
      at::RecordFunctionCallback(on_start, on_end)
          .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
  for (int i = 0; i < repeats; ++i)
    step();
  at::removeCallback(handle);
  print(profile, repeats);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 2 || argc > 6)
      throw std::runtime_error("bench_block MODEL [BATCH [PROMPTS [REPEATS [PRECISION]]]]");
#ifdef __GLIBC__
    // As a run does it.
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
    bench(argv[1], argc > 2 ? std::stoll(argv[2]) : 16, argc > 3 ? std::stoll(argv[3]) : 10,
          argc > 4 ? std::stoi(argv[4]) : 3, argc > 5 ? argv[5] : "fp32");
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench_block: %s\n", e.what());
    return 1;
  }
}
