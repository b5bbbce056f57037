#include "prompt_export.hpp"

#include "adapter_export.hpp"
#include "embedded_files.hpp"
#include "json_output.hpp"
#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/clip/backbone.hpp"
#include "petlab/clip/safetensors.hpp"
#include "petlab/engine/stored_adapters.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <deque>
#include <type_traits>
#include <utility>

namespace petlab::app {
namespace {

namespace fs = std::filesystem;
using Tensors = std::vector<sdk::NamedTensor>;
using Towers = std::vector<const sdk::TowerChanges*>;

/// By which the loader knows the backbone.
constexpr const char* kMark = "vision_model.embeddings.class_embedding";

/// Tasks that see the same prompts: those of these changes, composed in their order.
struct PromptSet {
  std::string owner;
  std::vector<std::size_t> tasks;
  std::vector<const sdk::BackboneChanges*> changes;

  [[nodiscard]] Towers towers(sdk::TowerChanges sdk::BackboneChanges::* tower) const {
    Towers list;
    for (const sdk::BackboneChanges* one : changes)
      list.push_back(&(one->*tower));
    return list;
  }
};

/// Which of an adapter's changes are those of a task.
std::size_t place_of(const engine::StoredAdapters& stored, std::size_t adapter, std::size_t task) {
  if (stored.adapters[adapter].changes.size() == 1) return 0;
  const std::vector<std::size_t> tasks = stored.tasks_of(adapter);
  return static_cast<std::size_t>(std::find(tasks.begin(), tasks.end(), task) - tasks.begin());
}

std::vector<PromptSet> sets_of(const engine::StoredAdapters& stored) {
  std::vector<PromptSet> sets;
  for (std::size_t t = 0; t < stored.tasks.size(); ++t) {
    PromptSet set{"task " + stored.tasks[t].name, {t}, {}};
    for (const std::size_t a : stored.tasks[t].adapters)
      set.changes.push_back(&stored.adapters[a].changes[place_of(stored, a, t)]);
    const engine::StoredAdapter& last = stored.adapters[stored.tasks[t].adapters.back()];
    if (last.changes.size() == 1) set.owner = engine::owner_text(last.owner);
    const auto known = std::find_if(sets.begin(), sets.end(), [&](const PromptSet& other) {
      return other.changes == set.changes;
    });
    if (known == sets.end())
      sets.push_back(std::move(set));
    else
      known->tasks.push_back(t);
  }
  return sets;
}

bool are_of_classes(const Towers& towers) {
  return std::any_of(towers.begin(), towers.end(), [](const sdk::TowerChanges* tower) {
    return !tower->prompts.empty() && tower->prompts.front().tokens.dim() == 3;
  });
}

/// The prompts of each layer, composed as the towers do it: [n_prompt, width]; undefined at layers
/// without.
std::vector<at::Tensor> prompts_by_layer(const Towers& towers, std::int64_t layers) {
  std::vector<at::Tensor> prompts;
  for (const at::Tensor& one : clip::stack_changes({towers}, layers, {}).layers)
    prompts.push_back(one.defined() ? one[0] : one);
  return prompts;
}

/// Prompts of a class each, at layer 0: [n_classes, n_prompt, width].
std::vector<at::Tensor> prompts_by_class(const Towers& towers, std::int64_t layers,
                                         std::int64_t n_classes) {
  std::deque<sdk::TowerChanges> kept;
  std::vector<Towers> of_class(static_cast<std::size_t>(n_classes));
  for (std::int64_t c = 0; c < n_classes; ++c)
    for (const sdk::TowerChanges* tower : towers) {
      const at::Tensor& tokens = tower->prompts.front().tokens;
      sdk::TowerChanges& one = kept.emplace_back();
      one.prompts = {{.layer = 0, .tokens = tokens.dim() == 3 ? tokens[c] : tokens}};
      one.prompt_composition = tower->prompt_composition;
      of_class[static_cast<std::size_t>(c)].push_back(&one);
    }
  return {clip::stack_changes(of_class, layers, {}).layers.front()};
}

/// The conditions of a set as one network, which shifts the prompts of each adapter by its own
/// part: up is [width, n_hidden] for one adapter, else a part for each prompt, [n_prompt * width,
/// n_hidden].
void add_condition(const Towers& towers, Tensors& tensors) {
  if (!towers.front()->condition) return;
  std::vector<at::Tensor> down, down_bias, ups, up_bias;
  for (const sdk::TowerChanges* tower : towers) {
    const sdk::PromptCondition& one = *tower->condition;
    const std::int64_t copies = towers.size() == 1 ? 1 : tower->prompts.front().tokens.size(-2);
    down.push_back(one.down);
    down_bias.push_back(one.down_bias);
    ups.push_back(one.up.repeat({copies, 1}));
    up_bias.push_back(one.up_bias.repeat({copies}));
  }
  tensors.push_back({"condition.down", at::cat(down)});
  tensors.push_back({"condition.down_bias", at::cat(down_bias)});
  tensors.push_back({"condition.up", at::block_diag(ups)});
  tensors.push_back({"condition.up_bias", at::cat(up_bias)});
}

const char* name_of(sdk::ClassPosition position) {
  switch (position) {
    case sdk::ClassPosition::end:
      return "end";
    case sdk::ClassPosition::middle:
      return "middle";
    case sdk::ClassPosition::front:
      return "front";
  }
  return "";
}

Json about(const engine::StoredAdapters& stored, const PromptSet& set) {
  const engine::AdapterFacts& facts = stored.facts;
  Json json = {{"format", "petlab prompts"},
               {"version", 1},
               {"run", facts.identity},
               {"method", facts.method},
               {"options", Json::object()},
               {"sharing", facts.sharing},
               {"seed", facts.seed},
               {"backbone", facts.backbone},
               {"backbone_weights", facts.backbone_weights},
               {"precision", facts.precision},
               {"text_template", facts.text_template},
               {"class_position", name_of(set.changes.front()->text.class_position)},
               {"tasks", Json::array()},
               {"licence", facts.licence}};
  for (const auto& [name, value] : facts.options)
    json["options"][name] = value;
  for (const std::size_t t : set.tasks)
    json["tasks"].push_back({{"name", stored.tasks[t].name}, {"classes", stored.tasks[t].classes}});
  return json;
}

at::Tensor weight_of(const clip::Backbone& backbone, const std::string& name) {
  for (const sdk::NamedTensor& weight : backbone.weights())
    if (weight.name == name) return weight.value.to(at::kCPU, at::kFloat);
  throw base::Error(base::ErrorKind::internal, "the backbone has no weight " + name);
}

void write_set(const engine::StoredAdapters& stored, const PromptSet& set,
               const clip::Backbone& backbone, const fs::path& folder) {
  const sdk::BackboneShape& shape = backbone.shape();
  const Towers texts = set.towers(&sdk::BackboneChanges::text);
  const auto n_classes = static_cast<std::int64_t>(stored.tasks[set.tasks.front()].classes.size());
  Tensors tensors = {{"backbone.class_embedding", weight_of(backbone, kMark)}};
  const auto add = [&](const std::string& tower, const std::vector<at::Tensor>& prompts) {
    for (std::size_t layer = 0; layer < prompts.size(); ++layer)
      if (prompts[layer].defined())
        tensors.push_back({tower + "." + std::to_string(layer), prompts[layer]});
  };
  add("vision", prompts_by_layer(set.towers(&sdk::BackboneChanges::vision), shape.vision.layers));
  add("text", are_of_classes(texts) ? prompts_by_class(texts, shape.text.layers, n_classes)
                                    : prompts_by_layer(texts, shape.text.layers));
  add_condition(texts, tensors);
  std::error_code error;
  fs::create_directories(folder, error);
  clip::write_safetensors(tensors, folder / "prompts.safetensors", {{"format", "pt"}});
  base::write_file(folder / "load_prompts.py", embedded::load_prompts);
  base::write_file(folder / "prompts.json",
                   about(stored, set).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace

bool has_prompts_alone(const engine::StoredAdapter& adapter) {
  bool any = false;
  for (const sdk::BackboneChanges& changes : adapter.changes) {
    if (!changes.weights.empty()) return false;
    bool other = false;
    sdk::visit_parts(changes, [&](const auto& part) {
      using Part = std::remove_cvref_t<decltype(part)>;
      if constexpr (std::is_same_v<Part, sdk::PromptTokens>)
        any = true;
      else if constexpr (!std::is_same_v<Part, sdk::PromptCondition>)
        other = true;
    });
    if (other) return false;
  }
  return any;
}

std::vector<fs::path> export_prompts(const engine::StoredAdapters& stored,
                                     const clip::Backbone& backbone, const fs::path& out,
                                     std::vector<std::string>& remarks) {
  std::vector<fs::path> folders;
  for (const PromptSet& set : sets_of(stored)) {
    const std::vector<sdk::PromptTokens>& texts = set.changes.front()->text.prompts;
    if (!texts.empty() && texts.front().layer > 0) {
      remarks.push_back("the text prompts of adapter '" + set.owner + "' begin at layer " +
                        std::to_string(texts.front().layer) +
                        ", and load_prompts.py puts them into a text from layer 0 on alone; "
                        "adapters.safetensors holds them as results/README.md says");
      continue;
    }
    folders.push_back(new_folder(out, "prompts", set.owner, folders));
    write_set(stored, set, backbone, folders.back());
  }
  return folders;
}

}  // namespace petlab::app
