#include "prompts.hpp"

#include "petlab/base/error.hpp"
#include "weights.hpp"

#include <ATen/ATen.h>

namespace petlab::clip {

using base::Error;
using base::ErrorKind;

PromptPlan::PromptPlan(const TowerBatch& prompts, const sdk::TowerShape& shape, std::int64_t batch,
                       const char* tower)
    : prompts_(prompts), batch_(batch) {
  const auto fail = [&](std::size_t layer, const std::string& what) {
    throw Error(ErrorKind::config, std::string("the prompts of layer ") + std::to_string(layer) +
                                       " of the " + tower + " tower " + what);
  };
  for (std::size_t layer = 0; layer < prompts.layers.size(); ++layer) {
    const at::Tensor& tokens = prompts.layers[layer];
    if (!tokens.defined()) continue;
    if (static_cast<std::int64_t>(layer) >= shape.layers)
      fail(layer, "have no layer: the tower has " + std::to_string(shape.layers));
    if (tokens.dim() != 3 || tokens.size(0) < 1 || tokens.size(1) < 1 ||
        tokens.size(2) != shape.width)
      fail(layer, "have shape " + shape_text(tokens.sizes()) + ", expected [sets, prompts, " +
                      std::to_string(shape.width) + "]");
    if (first_layer_ < 0) {
      first_layer_ = static_cast<std::int64_t>(layer);
      n_sets_ = tokens.size(0);
      n_prompt_ = tokens.size(1);
    } else if (tokens.size(0) != n_sets_ || tokens.size(1) != n_prompt_) {
      fail(layer, "have shape " + shape_text(tokens.sizes()) + ", expected " +
                      shape_text({n_sets_, n_prompt_, shape.width}) + " as in layer " +
                      std::to_string(first_layer_));
    }
  }
  if (n_sets_ > 1 && !prompts.set_of_sample.defined())
    throw Error(ErrorKind::internal,
                "a batch with several sets of prompts does not say which "
                "sample uses which set");
  if (n_sets_ > 1 && (prompts.set_of_sample.dim() != 1 || prompts.set_of_sample.size(0) != batch ||
                      prompts.set_of_sample.scalar_type() != at::kLong))
    throw Error(ErrorKind::internal, "the sets of the samples have shape " +
                                         shape_text(prompts.set_of_sample.sizes()) +
                                         ", expected int64 " + shape_text({batch}));
}

bool PromptPlan::changes(std::int64_t layer) const {
  const auto place = static_cast<std::size_t>(layer);
  return place < prompts_.layers.size() && prompts_.layers[place].defined();
}

at::Tensor PromptPlan::at(std::int64_t layer) const {
  const at::Tensor& tokens = prompts_.layers[static_cast<std::size_t>(layer)];
  if (n_sets_ == 1) return tokens.expand({batch_, -1, -1});
  return tokens.index_select(0, prompts_.set_of_sample.to(tokens.device()));
}

const at::Tensor& PromptPlan::sets_at(std::int64_t layer) const {
  return prompts_.layers[static_cast<std::size_t>(layer)];
}

at::Tensor PromptPlan::set_of_sample() const {
  if (n_sets_ <= 1) return {};
  return prompts_.set_of_sample.to(sets_at(first_layer_).device());
}

namespace {

/// The sum of the prompts of a layer that composed adapters have.
at::Tensor sum_of(const std::vector<at::Tensor>& parts, std::size_t layer) {
  at::Tensor sum = parts.front();
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].sizes() != sum.sizes())
      throw Error(ErrorKind::config, "adapters whose prompts are added have shapes " +
                                         shape_text(sum.sizes()) + " and " +
                                         shape_text(parts[i].sizes()) + " at layer " +
                                         std::to_string(layer) + ", expected equal shapes");
    sum = sum + parts[i];
  }
  return sum;
}

}  // namespace

TowerBatch stack_changes(const std::vector<std::vector<const sdk::TowerChanges*>>& sets,
                         std::int64_t n_layers, const at::Tensor& set_of_sample) {
  TowerBatch batch;
  batch.sets = sets;
  batch.set_of_sample = set_of_sample;
  // The prompts of all sets at a layer, the parts of a set's adapters behind one another.
  struct Layer {
    std::vector<at::Tensor> parts;
    std::size_t n_sets = 0;
    std::vector<std::int64_t> shape;  // of a set: prompts, width
  };
  std::vector<Layer> tokens(static_cast<std::size_t>(n_layers));
  for (std::size_t s = 0; s < sets.size(); ++s) {
    std::vector<std::vector<at::Tensor>> parts(tokens.size());
    std::size_t with_prompts = 0;
    for (const sdk::TowerChanges* changes : sets[s]) {
      if (changes->prompts.empty()) continue;
      ++with_prompts;
      for (const sdk::PromptTokens& prompt : changes->prompts) {
        if (prompt.layer < 0 || prompt.layer >= n_layers)
          throw Error(ErrorKind::config,
                      "an adapter has prompts at layer " + std::to_string(prompt.layer) +
                          ", but the tower has the layers 0 to " + std::to_string(n_layers - 1));
        auto& place = parts[static_cast<std::size_t>(prompt.layer)];
        if (place.size() >= with_prompts)
          throw Error(ErrorKind::config,
                      "an adapter lists layer " + std::to_string(prompt.layer) + " twice");
        if (!prompt.tokens.defined() || prompt.tokens.dim() != 2)
          throw Error(ErrorKind::config, "the prompts of layer " + std::to_string(prompt.layer) +
                                             " are not of shape [n_prompt, width]");
        place.push_back(prompt.tokens);
      }
    }
    for (std::size_t l = 0; l < parts.size(); ++l) {
      if (parts[l].empty()) continue;
      if (parts[l].size() != with_prompts)
        throw Error(ErrorKind::config,
                    "adapters that are composed have prompts at different "
                    "layers: layer " +
                        std::to_string(l) + " lacks some");
      if (sets[s].front()->prompt_composition == sdk::PromptComposition::add)
        parts[l] = {sum_of(parts[l], l)};
      std::vector<std::int64_t> shape{0, parts[l].front().size(1)};
      for (const at::Tensor& part : parts[l])
        shape[0] += part.size(0);
      Layer& layer = tokens[l];
      if (layer.n_sets++ == 0) layer.shape = shape;
      if (shape != layer.shape)
        throw Error(ErrorKind::config, "adapters of one batch have prompts of shapes " +
                                           shape_text(layer.shape) + " and " + shape_text(shape) +
                                           " at layer " + std::to_string(l) +
                                           ", expected equal shapes");
      layer.parts.insert(layer.parts.end(), parts[l].begin(), parts[l].end());
    }
  }
  bool any = false;
  batch.layers.resize(tokens.size());
  for (std::size_t l = 0; l < tokens.size(); ++l) {
    const Layer& layer = tokens[l];
    if (layer.parts.empty()) continue;
    if (layer.n_sets != sets.size())
      throw Error(ErrorKind::config,
                  "adapters of one batch have prompts at different layers: "
                  "layer " +
                      std::to_string(l) + " lacks some");
    // One copy for all sets and parts.
    const at::Tensor all = layer.parts.size() == 1 ? layer.parts.front() : at::cat(layer.parts);
    batch.layers[l] =
        all.reshape({static_cast<std::int64_t>(layer.n_sets), layer.shape[0], layer.shape[1]});
    any = true;
  }
  if (!any) batch.layers.clear();
  return batch;
}

}  // namespace petlab::clip
