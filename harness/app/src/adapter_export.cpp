#include "adapter_export.hpp"

#include "json_output.hpp"
#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/clip/backbone.hpp"
#include "petlab/clip/safetensors.hpp"
#include "petlab/engine/stored_adapters.hpp"
#include "prompt_export.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

namespace petlab::app {
namespace {

namespace fs = std::filesystem;
using Tensors = std::vector<sdk::NamedTensor>;

constexpr std::string_view kPeftPrefix = "base_model.model.";

constexpr std::pair<const char*, sdk::TowerChanges sdk::BackboneChanges::*> kTowers[] = {
    {"vision_model", &sdk::BackboneChanges::vision}, {"text_model", &sdk::BackboneChanges::text}};

/// Kinds of the parts that the changes have.
std::set<std::string> kinds_of(const sdk::BackboneChanges& changes) {
  std::set<std::string> kinds;
  sdk::visit_parts(changes, [&](const auto& part) { kinds.insert(part.kKind); });
  if (!changes.weights.empty()) kinds.insert("copies of weights");
  return kinds;
}

std::string layer_of(const char* tower, std::int64_t layer) {
  return std::string(tower) + ".encoder.layers." + std::to_string(layer) + ".";
}

const char* name_of(sdk::LinearMap map) {
  switch (map) {
    case sdk::LinearMap::q:
      return "self_attn.q_proj";
    case sdk::LinearMap::k:
      return "self_attn.k_proj";
    case sdk::LinearMap::v:
      return "self_attn.v_proj";
    case sdk::LinearMap::out:
      return "self_attn.out_proj";
    case sdk::LinearMap::fc1:
      return "mlp.fc1";
    case sdk::LinearMap::fc2:
      return "mlp.fc2";
  }
  return "";
}

/// A PEFT adapter: its configuration and its tensors.
struct Peft {
  Json config;
  Tensors tensors;
};

Json peft_config(const char* type, const std::string& backbone) {
  return {{"peft_type", type},       {"base_model_name_or_path", backbone},
          {"task_type", nullptr},    {"inference_mode", true},
          {"fan_in_fan_out", false}, {"target_modules", Json::array()}};
}

/// PEFT counts the scale as lora_alpha / r; both may differ from module to module.
Peft lora(const sdk::BackboneChanges& changes, const std::string& backbone) {
  Peft peft{peft_config("LORA", backbone), {}};
  Json ranks = Json::object(), alphas = Json::object();
  for (const auto& [tower, part] : kTowers) {
    for (const sdk::LowRank& m : (changes.*part).low_ranks) {
      const std::string module = layer_of(tower, m.layer) + name_of(m.map);
      if (ranks.contains(module))
        base::throw_config_error("two low-rank changes are at " + module + ", PEFT has one");
      const std::int64_t r = m.down.size(0);
      ranks[module] = r;
      alphas[module] = m.scale * static_cast<double>(r);
      if (ranks.size() == 1) {
        peft.config["r"] = ranks[module];
        peft.config["lora_alpha"] = alphas[module];
      }
      peft.config["target_modules"].push_back(module);
      const std::string name = std::string(kPeftPrefix) + module;
      peft.tensors.push_back({name + ".lora_A.weight", m.down});
      peft.tensors.push_back({name + ".lora_B.weight", m.up});
    }
  }
  peft.config["rank_pattern"] = std::move(ranks);
  peft.config["alpha_pattern"] = std::move(alphas);
  peft.config["lora_dropout"] = 0.0;
  peft.config["bias"] = "none";
  peft.config["use_rslora"] = false;
  return peft;
}

/// (IA)^3 scales keys, values and what the second map of the MLP is given. Nothing for affine
/// changes that do something else.
std::optional<Peft> ia3(const sdk::BackboneChanges& changes, const std::string& backbone) {
  Peft peft{peft_config("IA3", backbone), {}};
  peft.config["feedforward_modules"] = Json::array();
  for (const auto& [tower, part] : kTowers) {
    for (const sdk::Affine& a : (changes.*part).affines) {
      const bool in_mlp = a.place == sdk::AffinePlace::hidden;
      if (a.shift.defined() || !a.scale.defined() ||
          (!in_mlp && a.place != sdk::AffinePlace::k && a.place != sdk::AffinePlace::v))
        return std::nullopt;
      const sdk::LinearMap map = in_mlp                           ? sdk::LinearMap::fc2
                                 : a.place == sdk::AffinePlace::k ? sdk::LinearMap::k
                                                                  : sdk::LinearMap::v;
      const std::string module = layer_of(tower, a.layer) + name_of(map);
      peft.config["target_modules"].push_back(module);
      if (in_mlp) peft.config["feedforward_modules"].push_back(module);
      peft.tensors.push_back({std::string(kPeftPrefix) + module + ".ia3_l",
                              a.scale.reshape(in_mlp ? at::IntArrayRef{1, a.scale.numel()}
                                                     : at::IntArrayRef{a.scale.numel(), 1})});
    }
  }
  return peft;
}

void write_peft(const Peft& peft, const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  clip::write_safetensors(peft.tensors, folder / "adapter_model.safetensors", {{"format", "pt"}});
  base::write_file(folder / "adapter_config.json", peft.config.dump(2) + "\n");
}

/// The trained weights alone, by their names in CLIPModel.
void write_weights(const Tensors& trained, const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  clip::write_safetensors(trained, folder / "changed_weights.safetensors", {{"format", "pt"}});
}

/// The backbone's own files, then the weights that were trained in the place of its own.
void write_model(const Tensors& trained, const clip::Backbone& backbone, const fs::path& model,
                 const fs::path& folder) {
  clip::WeightOverrides of_run;
  for (const sdk::NamedTensor& one : trained)
    of_run.emplace(one.name, one.value);
  backbone.save(folder, fs::is_directory(model) ? model : model.parent_path(), at::kFloat, of_run);
}

/// Why adapters of these kinds have no layout but petlab's own.
std::string remark_of(const std::string& owner, const std::set<std::string>& kinds) {
  return "adapter '" + owner + "' is " +
         base::joined(std::vector<std::string>(kinds.begin(), kinds.end())) +
         ", for which PEFT and transformers have no layout; adapters.safetensors holds it as "
         "results/README.md says";
}

}  // namespace

fs::path new_folder(const fs::path& out, const std::string& prefix, const std::string& owner,
                    const std::vector<fs::path>& taken) {
  std::string name = prefix + "-" + owner;
  std::replace_if(
      name.begin(), name.end(),
      [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_'; }, '-');
  fs::path folder = out / name;
  for (int n = 2; std::find(taken.begin(), taken.end(), folder) != taken.end(); ++n)
    folder = out / (name + "-" + std::to_string(n));
  return folder;
}

std::vector<fs::path> export_adapters(const engine::StoredAdapters& stored,
                                      const clip::Backbone& backbone, const fs::path& model,
                                      const fs::path& out, std::vector<std::string>& remarks) {
  if (std::all_of(stored.adapters.begin(), stored.adapters.end(), has_prompts_alone))
    return export_prompts(stored, backbone, out, remarks);
  std::vector<fs::path> folders;
  const auto add_folder = [&](const char* prefix, const std::string& owner) {
    return folders.emplace_back(new_folder(out, prefix, owner, folders));
  };
  for (const engine::StoredAdapter& adapter : stored.adapters) {
    const std::string owner = engine::owner_text(adapter.owner);
    const auto kinds = adapter.changes.size() == 1 ? kinds_of(adapter.changes.front())
                                                   : std::set<std::string>{"changes of each task"};
    if (kinds.empty()) continue;  // the backbone as it is
    const bool is_one = kinds.size() == 1;
    const sdk::BackboneChanges& changes = adapter.changes.front();
    std::optional<Peft> peft;
    if (is_one && kinds.contains(sdk::LowRank::kKind)) peft = lora(changes, stored.facts.backbone);
    if (is_one && kinds.contains(sdk::Affine::kKind)) peft = ia3(changes, stored.facts.backbone);
    if (peft)
      write_peft(*peft, add_folder("peft", owner));
    else if (is_one && !changes.weights.empty() &&
             changes.weights.size() + 1 >= backbone.weights().size())  // but for the temperature
      write_model(changes.weights, backbone, model, add_folder("model", owner));
    else if (is_one && !changes.weights.empty())
      write_weights(changes.weights, add_folder("weights", owner));
    else
      remarks.push_back(remark_of(owner, kinds));
  }
  return folders;
}

}  // namespace petlab::app
