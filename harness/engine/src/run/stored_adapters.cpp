#include "petlab/engine/stored_adapters.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/clip/safetensors.hpp"
#include "run/adapter_tensors.hpp"
#include "run/changes_json.hpp"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <map>
#include <utility>

namespace petlab::engine {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr const char* kKind = "petlab";
constexpr const char* kKindValue = "adapters 1";

/// The texts of the header, by their names: said once for both ways.
template <typename Facts, typename Visit>
void visit_texts(Facts& facts, Visit&& visit) {
  visit("identity", facts.identity);
  visit("method", facts.method);
  visit("plugin", facts.plugin);
  visit("plugin_version", facts.plugin_version);
  visit("sharing", facts.sharing);
  visit("text_template", facts.text_template);
  visit("precision", facts.precision);
  visit("backbone", facts.backbone);
  visit("backbone_weights", facts.backbone_weights);
  visit("backbone_settings", facts.backbone_settings);
  visit("licence", facts.licence);
}

Scope parse_scope(const std::string& text) {
  for (const Scope scope : {Scope::shared, Scope::group, Scope::task})
    if (to_string(scope) == text) return scope;
  throw base::Error(base::ErrorKind::data,
                    "it has the scope '" + text + "', expected shared, group or task");
}

json tasks_json(const std::vector<StoredTask>& tasks) {
  json list = json::array();
  for (const StoredTask& task : tasks)
    list.push_back({{"name", task.name}, {"classes", task.classes}, {"adapters", task.adapters}});
  return list;
}

/// What is asked for in the changes of one adapter and task.
std::string changes_prefix(const StoredAdapters& stored, std::size_t adapter, std::size_t place) {
  const StoredAdapter& one = stored.adapters[adapter];
  std::string prefix = owner_text(one.owner) + "/changes/";
  if (one.changes.size() > 1) prefix += stored.tasks[stored.tasks_of(adapter)[place]].name + "/";
  return prefix;
}

json adapter_json(const StoredAdapters& stored, std::size_t index, TensorsToFile& tensors) {
  const StoredAdapter& adapter = stored.adapters[index];
  json parameters = json::array();
  for (const auto& [name, value] : adapter.parameters)
    parameters.push_back(
        {{"name", name}, {"value", tensors.keep(value, owner_text(adapter.owner) + "/" + name)}});
  json changes = json::array();
  for (std::size_t place = 0; place < adapter.changes.size(); ++place) {
    const std::string prefix = changes_prefix(stored, index, place);
    changes.push_back(changes_to_json(adapter.changes[place],
                                      [&](const at::Tensor& tensor, const std::string& name) {
                                        return tensors.keep(tensor, prefix + name);
                                      }));
  }
  return {{"scope", std::string(to_string(adapter.owner.scope))},
          {"name", adapter.owner.name},
          {"parameters", std::move(parameters)},
          {"changes", std::move(changes)}};
}

StoredAdapter adapter_from(const json& from, const TensorsOfFile& tensors) {
  StoredAdapter adapter;
  adapter.owner = {parse_scope(from.at("scope").get<std::string>()),
                   from.at("name").get<std::string>(), ""};
  for (const json& parameter : from.at("parameters"))
    adapter.parameters.push_back(
        {parameter.at("name").get<std::string>(), tensors.find(parameter.at("value"))});
  for (const json& changes : from.at("changes"))
    adapter.changes.push_back(
        changes_from_json(changes, [&](const json& place) { return tensors.find(place); }));
  return adapter;
}

void check_parts(const StoredAdapters& stored) {
  const auto check = [](bool holds, const std::string& sentence) {
    if (!holds) throw base::Error(base::ErrorKind::data, sentence);
  };
  check(!stored.tasks.empty(), "it has no tasks");
  for (const StoredTask& task : stored.tasks) {
    check(!task.classes.empty() && !task.adapters.empty(),
          "task '" + task.name + "' has no classes or no adapter");
    for (const std::size_t adapter : task.adapters)
      check(adapter < stored.adapters.size(),
            "task '" + task.name + "' uses an adapter that is not there");
  }
  for (std::size_t a = 0; a < stored.adapters.size(); ++a) {
    const std::size_t changes = stored.adapters[a].changes.size();
    const std::size_t tasks = stored.tasks_of(a).size();
    check(tasks > 0 && (changes == 1 || changes == tasks),
          "adapter '" + owner_text(stored.adapters[a].owner) + "' has " + std::to_string(changes) +
              " changes for " + std::to_string(tasks) + " tasks");
  }
}

StoredAdapters parse(const std::filesystem::path& file) {
  const std::map<std::string, std::string> header = clip::read_safetensors_metadata(file);
  const auto text = [&](const std::string& name) -> const std::string& {
    const auto found = header.find(name);
    if (found == header.end())
      throw base::Error(base::ErrorKind::data, "its header has no '" + name + "'");
    return found->second;
  };
  if (text(kKind) != kKindValue)
    throw base::Error(base::ErrorKind::data,
                      "its header says '" + text(kKind) + "', expected '" + kKindValue + "'");
  StoredAdapters stored;
  visit_texts(stored.facts, [&](const char* name, std::string& value) { value = text(name); });
  stored.facts.seed = json::parse(text("seed")).get<std::uint64_t>();
  const auto options = ordered_json::parse(text("options"));
  for (const auto& [name, value] : options.items())
    stored.facts.options.emplace_back(name, value.get<std::string>());
  for (const json& task : json::parse(text("tasks")))
    stored.tasks.push_back({task.at("name").get<std::string>(),
                            task.at("classes").get<std::vector<std::string>>(),
                            task.at("adapters").get<std::vector<std::size_t>>()});
  const TensorsOfFile tensors(clip::read_safetensors(file));
  for (const json& adapter : json::parse(text("adapters")))
    stored.adapters.push_back(adapter_from(adapter, tensors));
  check_parts(stored);
  return stored;
}

}  // namespace

std::vector<std::size_t> StoredAdapters::tasks_of(std::size_t adapter) const {
  std::vector<std::size_t> result;
  for (std::size_t t = 0; t < tasks.size(); ++t)
    if (std::find(tasks[t].adapters.begin(), tasks[t].adapters.end(), adapter) !=
        tasks[t].adapters.end())
      result.push_back(t);
  return result;
}

std::string owner_text(const Owner& owner) {
  return std::string(to_string(owner.scope)) + (owner.name.empty() ? "" : " " + owner.name);
}

StoredAdapters take_adapters(const Adapters& adapters, const std::vector<Task>& tasks,
                             bool task_dependent, AdapterFacts facts, FailureContext& where) {
  const at::NoGradGuard no_grad;
  StoredAdapters stored;
  stored.facts = std::move(facts);
  for (std::size_t t = 0; t < tasks.size(); ++t)
    stored.tasks.push_back({tasks[t].name, tasks[t].classes, adapters.arrangement.of_task.at(t)});
  for (std::size_t a = 0; a < adapters.adapters.size(); ++a) {
    const Owner& owner = adapters.arrangement.owners[a];
    StoredAdapter& one = stored.adapters.emplace_back(
        StoredAdapter{{owner.scope, owner.name, ""}, adapters.parameters[a], {}});
    const std::size_t calls = task_dependent ? stored.tasks_of(a).size() : 1;
    for (std::size_t task = 0; task < calls; ++task)
      one.changes.push_back(where.in_plugin("changes()", [&] {
        return adapters.adapters[a]->changes({.task = static_cast<std::int64_t>(task)});
      }));
  }
  return stored;
}

void write_adapters(const StoredAdapters& stored, const std::filesystem::path& file) {
  TensorsToFile tensors;
  json adapters = json::array();
  for (std::size_t a = 0; a < stored.adapters.size(); ++a)
    adapters.push_back(adapter_json(stored, a, tensors));
  ordered_json options = ordered_json::object();
  for (const auto& [name, value] : stored.facts.options)
    options[name] = value;
  std::map<std::string, std::string> header = {{"format", "pt"},  // readers of PyTorch look for it
                                               {kKind, kKindValue},
                                               {"seed", std::to_string(stored.facts.seed)},
                                               {"options", options.dump()},
                                               {"tasks", tasks_json(stored.tasks).dump()},
                                               {"adapters", adapters.dump()}};
  visit_texts(stored.facts,
              [&](const char* name, const std::string& value) { header[name] = value; });
  clip::write_safetensors(tensors.list(), file, header);
}

StoredAdapters read_adapters(const std::filesystem::path& file) {
  const auto refuse = [&](const std::string& what) -> base::Error {
    return {base::ErrorKind::data,
            "'" + base::printable(file) +
                "' is no file of petlab's adapters, or a damaged one: " + what};
  };
  try {
    return parse(file);
  } catch (const base::Error& error) {
    throw refuse(error.what());
  } catch (const json::exception& error) {
    throw refuse(error.what());
  }
}

}  // namespace petlab::engine
