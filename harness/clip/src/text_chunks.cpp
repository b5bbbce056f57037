#include "text_chunks.hpp"

#include "petlab/clip/autocast.hpp"
#include "petlab/clip/text_memory.hpp"
#include "shared_text.hpp"
#include "towers.hpp"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace petlab::clip {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Everything that goes into a forward, with changes of its own, so that the tensors that are
/// trained can be put in from outside.
struct Job : torch::CustomClassHolder {
  const Weights* weights = nullptr;
  const Config* config = nullptr;
  TokenBatch tokens;
  TowerBatch batch;
  std::vector<std::vector<sdk::TowerChanges>> changes;
  WeightOverrides overrides;
  std::vector<std::string> override_names;  // sorted
  std::int64_t chunk = 0;
  bool is_autocast = false;
  at::ScalarType autocast_type = at::kFloat;

  [[nodiscard]] c10::DeviceType device() const {
    return weights->text().token_embedding.device().type();
  }

  /// Every tensor that an adapter may train inside the tower, always in the same order. (Prompts
  /// are in the batch; what works behind the tower is no part of this.)
  template <typename Visit>
  void visit(Visit see) {
    for (at::Tensor& prompts : batch.layers)
      see(prompts);
    for (auto& set : changes) {
      for (sdk::TowerChanges& one : set) {
        sdk::visit_modules(one, [&](auto& module) {
          sdk::visit_tensors(module,
                             [&](at::Tensor& tensor, const sdk::TensorSpec&) { see(tensor); });
        });
      }
    }
    for (const std::string& name : override_names)
      see(overrides.at(name));
  }

  [[nodiscard]] variable_list trained() {
    variable_list list;
    visit([&](at::Tensor& tensor) {
      if (tensor.defined() && tensor.requires_grad()) list.push_back(tensor);
    });
    return list;
  }

  /// Puts `values` where trained() found tensors; `is_trained` says where, from the first time.
  void put(const variable_list& values, const std::vector<bool>& is_trained) {
    std::size_t seen = 0;
    std::size_t used = 0;
    visit([&](at::Tensor& tensor) {
      if (is_trained[seen++]) tensor = values[used++];
    });
  }

  [[nodiscard]] std::vector<bool> places() {
    std::vector<bool> is_trained;
    visit([&](at::Tensor& tensor) {
      is_trained.push_back(tensor.defined() && tensor.requires_grad());
    });
    return is_trained;
  }

  [[nodiscard]] at::Tensor run(std::int64_t first, std::int64_t count) const {
    const TokenBatch some{.ids = tokens.ids.narrow(0, first, count),
                          .eot = tokens.eot.narrow(0, first, count)};
    TowerBatch part = batch;
    if (part.set_of_sample.defined())
      part.set_of_sample = part.set_of_sample.narrow(0, first, count);
    if (part.token_order.defined()) part.token_order = part.token_order.narrow(0, first, count);
    std::int64_t begin = 0;
    for (std::int64_t& size : part.set_sizes) {
      const std::int64_t end = begin + size;
      size = std::max<std::int64_t>(0, std::min(end, first + count) - std::max(begin, first));
      begin = end;
    }
    const AutocastGuard guard(device(), is_autocast, autocast_type);
    return overrides.empty() ? run_text(weights->text(), *config, some, part)
                             : run_text(weights->text(overrides), *config, some, part);
  }

  [[nodiscard]] std::int64_t n_texts() const { return tokens.ids.size(0); }

  /// work(first, count) for every chunk.
  template <typename Work>
  void for_chunks(Work work) const {
    for (std::int64_t first = 0; first < n_texts(); first += chunk)
      work(first, std::min(chunk, n_texts() - first));
  }
};

/// A copy with changes of its own.
c10::intrusive_ptr<Job> copy_of(const Job& job) {
  auto copy = c10::make_intrusive<Job>();
  copy->weights = job.weights;
  copy->config = job.config;
  copy->tokens = job.tokens;
  copy->batch = job.batch;
  copy->changes = job.changes;
  copy->overrides = job.overrides;
  copy->override_names = job.override_names;
  copy->chunk = job.chunk;
  copy->is_autocast = job.is_autocast;
  copy->autocast_type = job.autocast_type;
  for (std::size_t set = 0; set < copy->changes.size(); ++set)
    for (std::size_t i = 0; i < copy->changes[set].size(); ++i)
      copy->batch.sets[set][i] = &copy->changes[set][i];
  return copy;
}

class TextChunks : public torch::autograd::Function<TextChunks> {
 public:
  // `trained` are the job's tensors that need a gradient: named here so that it reaches them.
  static at::Tensor forward(AutogradContext* context, const c10::intrusive_ptr<Job>& job,
                            at::TensorList trained) {
    const std::vector<bool> places = job->places();
    context->save_for_backward(trained.vec());
    const c10::intrusive_ptr<Job> detached = copy_of(*job);
    variable_list values;
    for (const at::Tensor& tensor : trained)
      values.push_back(tensor.detach());
    detached->put(values, places);
    std::vector<at::Tensor> features;
    detached->for_chunks([&](std::int64_t first, std::int64_t count) {
      features.push_back(detached->run(first, count));
    });
    context->saved_data["job"] = c10::IValue::make_capsule(detached);
    std::vector<std::int64_t> kept(places.begin(), places.end());
    context->saved_data["places"] = kept;
    return at::cat(features);
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto capsule = context->saved_data["job"].toCapsule();
    const c10::intrusive_ptr<Job> job = copy_of(static_cast<const Job&>(*capsule));
    const std::vector<std::int64_t> kept = context->saved_data["places"].toIntVector();
    variable_list leaves;
    for (const at::Tensor& tensor : context->get_saved_variables())
      leaves.push_back(tensor.detach().requires_grad_(true));
    job->put(leaves, std::vector<bool>(kept.begin(), kept.end()));
    variable_list sums(leaves.size());
    job->for_chunks([&](std::int64_t first, std::int64_t count) {
      const at::AutoGradMode with_grad(true);
      const at::Tensor features = job->run(first, count);
      const variable_list some = torch::autograd::grad(
          {features}, leaves, {grads[0].narrow(0, first, count)}, /*retain_graph=*/c10::nullopt,
          /*create_graph=*/false, /*allow_unused=*/true);
      for (std::size_t i = 0; i < sums.size(); ++i) {
        if (!some[i].defined()) continue;
        if (sums[i].defined())
          sums[i].add_(some[i]);
        else
          sums[i] = some[i].clone();
      }
    });
    sums.insert(sums.begin(), at::Tensor());  // of the job
    return sums;
  }
};

bool needs_gradient(const TowerBatch& batch, const WeightOverrides& overrides) {
  bool any = false;
  const auto see = [&](const at::Tensor& tensor) {
    any = any || (tensor.defined() && tensor.requires_grad());
  };
  for (const at::Tensor& prompts : batch.layers)
    see(prompts);
  for (const auto& [name, tensor] : overrides)
    see(tensor);
  return at::GradMode::is_enabled() && (any || has_modules(batch));
}

}  // namespace

std::int64_t text_rows(const TokenBatch& tokens, std::int64_t n_prompt, std::int64_t n_prompt_sets,
                       TextPath path) {
  const std::int64_t n_texts = tokens.ids.size(0);
  const std::int64_t padded = n_texts * (tokens.ids.size(1) + n_prompt);
  if (path == TextPath::plain || n_texts == 0) return padded;
  const auto layout = TextLayout::make(tokens, {});
  if (layout == nullptr) return padded;
  const TextLayout::Rows& rows = layout->rows(false);
  const std::int64_t own = rows.count - rows.first_token.front();
  const std::int64_t words = rows.first_token.front() - 1;
  return 1 + n_prompt_sets * (words + n_prompt) + own;
}

std::int64_t text_rows(const Config& config, const TokenBatch& tokens, std::int64_t n_prompt,
                       std::int64_t n_prompt_sets, TextPath path) {
  return config.is_text_padded() ? tokens.ids.size(0) * config.shape.context_length
                                 : text_rows(tokens, n_prompt, n_prompt_sets, path);
}

std::int64_t text_activation_bytes(const sdk::TowerShape& text, bool is_bf16, bool trains_weights) {
  constexpr std::int64_t kFull = 4;
  const std::int64_t reduced = is_bf16 ? 2 : kFull;
  std::int64_t block = 2 * text.width * kFull + (3 * text.width + text.mlp_width) * reduced;
  if (trains_weights) block += (3 * text.width + text.mlp_width) * reduced;
  return text.layers * block;
}

std::int64_t texts_per_chunk(const Config& config, const TokenBatch& tokens,
                             const TowerBatch& batch, const WeightOverrides& overrides) {
  const std::int64_t n_texts = tokens.ids.dim() == 2 ? tokens.ids.size(0) : 0;
  if (n_texts == 0) return 1;
  // Most batches fit whatever they share.
  const c10::DeviceType device = tokens.ids.device().type();
  const std::int64_t of_row = text_activation_bytes(
      config.shape.text, at::autocast::is_autocast_enabled(device), !overrides.empty());
  std::int64_t n_prompt = 0;
  std::int64_t n_sets = 1;
  for (const at::Tensor& prompts : batch.layers) {
    if (!prompts.defined() || prompts.dim() != 3) continue;
    n_sets = prompts.size(0);
    n_prompt = prompts.size(1);
  }
  const std::int64_t most = text_rows(config, tokens, n_prompt, n_sets, TextPath::plain);
  if (most * of_row <= batch.text_budget) return n_texts;
  if (!needs_gradient(batch, overrides) || draws_noise(batch)) return n_texts;
  const bool is_plain = batch.text_path == TextPath::plain || batch.token_order.defined();
  const std::int64_t bytes = of_row * text_rows(config, tokens, n_prompt, n_sets,
                                                is_plain ? TextPath::plain : TextPath::shared);
  if (bytes <= batch.text_budget) return n_texts;
  const std::int64_t n_chunks = std::min(n_texts, bytes / batch.text_budget + 1);
  return (n_texts + n_chunks - 1) / n_chunks;
}

at::Tensor run_text_in_chunks(const Weights& weights, const Config& config,
                              const TokenBatch& tokens, const TowerBatch& batch,
                              const WeightOverrides& overrides, std::int64_t chunk) {
  Job job;
  job.weights = &weights;
  job.config = &config;
  job.tokens = {.ids = tokens.ids, .eot = tokens.eot};
  job.batch = batch;
  for (const auto& set : batch.sets) {
    auto& of_set = job.changes.emplace_back();
    for (const sdk::TowerChanges* one : set)
      of_set.push_back(*one);
  }
  job.overrides = overrides;
  for (const auto& [name, tensor] : overrides)
    job.override_names.push_back(name);
  std::sort(job.override_names.begin(), job.override_names.end());
  job.chunk = chunk;
  const c10::intrusive_ptr<Job> own = copy_of(job);
  own->is_autocast = at::autocast::is_autocast_enabled(own->device());
  own->autocast_type = at::autocast::get_autocast_dtype(own->device());
  const variable_list trained = own->trained();
  return TextChunks::apply(own, at::TensorList(trained));
}

}  // namespace petlab::clip
