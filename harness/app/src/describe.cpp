#include "describe.hpp"

#include "command.hpp"
#include "petlab/base/text.hpp"
#include "petlab/engine/setting_table.hpp"
#include "petlab/sdk/plugin.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <iomanip>
#include <ostream>
#include <span>
#include <sstream>
#include <type_traits>
#include <unordered_set>
#include <vector>

namespace petlab::app {
namespace {

std::string type_text(const sdk::OptionSpec& spec) {
  std::ostringstream out;
  switch (spec.type) {
    case sdk::OptionType::integer:
      out << "integer";
      break;
    case sdk::OptionType::real:
      out << "number";
      break;
    case sdk::OptionType::boolean:
      return "true or false";
    case sdk::OptionType::text:
      return "text";
    case sdk::OptionType::choice:
      return spec.choices;
  }
  if (spec.minimum > std::numeric_limits<double>::lowest()) out << " >= " << spec.minimum;
  if (spec.maximum < std::numeric_limits<double>::max()) out << " <= " << spec.maximum;
  return out.str();
}

Json option_json(const sdk::OptionSpec& spec) {
  Json json = {{"name", spec.name}, {"help", spec.help}, {"default", spec.default_value}};
  switch (spec.type) {
    case sdk::OptionType::integer:
      json["type"] = "integer";
      break;
    case sdk::OptionType::real:
      json["type"] = "number";
      break;
    case sdk::OptionType::boolean:
      json["type"] = "boolean";
      break;
    case sdk::OptionType::text:
      json["type"] = "text";
      break;
    case sdk::OptionType::choice:
      json["type"] = "choice";
      json["choices"] = Json::array();
      std::istringstream choices(spec.choices);
      for (std::string one; std::getline(choices, one, '|');)
        json["choices"].push_back(one);
      break;
  }
  if (spec.minimum > std::numeric_limits<double>::lowest()) json["minimum"] = spec.minimum;
  if (spec.maximum < std::numeric_limits<double>::max()) json["maximum"] = spec.maximum;
  return json;
}

Json options_json(const sdk::OptionSpec* options, std::uint64_t count) {
  Json json = Json::array();
  for (const sdk::OptionSpec& spec : std::span(options, count))
    json.push_back(option_json(spec));
  return json;
}

/// How the method's publication trains it: names and values of the settings that it says.
std::vector<std::pair<std::string, std::string>> published_training(const sdk::MethodEntry& entry) {
  engine::RunSettings publication;
  for (const engine::SettingEntry& setting : engine::setting_table())
    if (setting.publication)
      setting.take(publication,
                   {setting.name, setting.publication(entry.training), entry.name, ""});
  std::vector<std::pair<std::string, std::string>> said;
  for (const engine::SettingEntry& setting : engine::setting_table())
    if (setting.publication && setting.is_said(publication))
      said.emplace_back(setting.name, setting.text(publication));
  return said;
}

/// Numbers of shots that budgets are shown for: where those that depend on them change.
constexpr std::int64_t kShownShots[] = {1, 4, 16};

/// The budget of the method's publication: names and values of the settings that it says, without
/// those that are as petlab's.
std::vector<std::pair<std::string, std::string>> published_budget(const sdk::MethodEntry& entry,
                                                                  std::int64_t shots) {
  engine::RunSettings settings;
  std::vector<std::pair<std::string, std::string>> said;
  for (const engine::SettingEntry* setting :
       engine::take_budget(settings, entry.training.budget(shots)))
    if (setting->is_said(settings)) said.emplace_back(setting->name, setting->text(settings));
  return said;
}

/// "budget" and what `budget = published` trains for, once where it is the same with any shots.
void describe_budget(std::ostream& out, const sdk::MethodEntry& entry) {
  if (entry.training.budget == nullptr) return;
  std::vector<std::string> texts;
  for (const std::int64_t shots : kShownShots) {
    std::string text;
    for (const auto& [name, value] : published_budget(entry, shots))
      text.append(text.empty() ? "" : ", ").append(name).append(" ").append(value);
    texts.push_back(text);
  }
  const bool same = std::count(texts.begin(), texts.end(), texts.front()) ==
                    static_cast<std::ptrdiff_t>(texts.size());
  for (std::size_t i = 0; i < (same ? 1 : texts.size()); ++i)
    out << (i == 0 ? "budget   " : "         ")
        << (same ? "" : "train-shots " + std::to_string(kShownShots[i]) + ": ") << texts[i] << "\n";
}

Json budget_json(const sdk::MethodEntry& entry) {
  if (entry.training.budget == nullptr) return nullptr;
  Json json = Json::array();
  for (const std::int64_t shots : kShownShots) {
    Json& one = json.emplace_back(Json{{"train_shots", shots}});
    for (const auto& [name, value] : published_budget(entry, shots))
      one[name] = value;
  }
  return json;
}

void describe_options(std::ostream& out, const sdk::OptionSpec* options, std::uint64_t count,
                      const std::string& prefix) {
  if (count == 0) {
    out << "no options\n";
    return;
  }
  out << "options (in a protocol: " << prefix << "NAME = VALUE)\n";
  for (const sdk::OptionSpec& spec : std::span(options, count))
    out << "    " << std::left << std::setw(20) << spec.name << " " << spec.help << " ["
        << type_text(spec) << "; default " << spec.default_value << "]\n";
}

void describe_plugin(std::ostream& out, const study::LoadedPlugin& plugin) {
  out << "plugin   " << plugin.descriptor->name << " " << plugin.descriptor->version << ", "
      << plugin.descriptor->licence << ", sources "
      << base::short_hash(plugin.descriptor->source_hash) << ", " << plugin.file.string() << "\n";
}

/// Tasks of a made-up study, for counting: the same classes in each.
class CountingContext final : public sdk::AdapterContext {
 public:
  CountingContext(const sdk::BackboneView& backbone, const CountedTasks& counted)
      : backbone_(backbone), counted_(counted) {
    sdk::TaskView task;
    for (std::int64_t c = 0; c < counted.classes; ++c)
      task.classes.push_back("class " + std::to_string(c + 1));
    for (std::int64_t t = 0; t < counted.tasks; ++t) {
      task.name = "task " + std::to_string(t + 1);
      tasks_.push_back(task);
    }
  }

  [[nodiscard]] const sdk::BackboneView& backbone() const override { return backbone_; }
  [[nodiscard]] at::Generator& generator() const override { return generator_; }
  [[nodiscard]] std::int64_t place() const override { return 0; }
  [[nodiscard]] const std::vector<sdk::TaskView>& tasks() const override { return tasks_; }
  [[nodiscard]] sdk::LabelledFeatures training_features(std::int64_t /*task*/) const override {
    const std::int64_t n = counted_.classes * counted_.shots;
    const at::TensorOptions options =
        at::TensorOptions().device(backbone_.weights().front().value.device());
    return {at::ones({n, backbone_.shape().embed_dim}, options.dtype(at::kFloat)),
            at::arange(n, options.dtype(at::kLong)).remainder(counted_.classes)};
  }

 private:
  const sdk::BackboneView& backbone_;
  const CountedTasks& counted_;
  mutable at::Generator generator_ = at::detail::createCPUGenerator(/*seed=*/1);
  std::vector<sdk::TaskView> tasks_;
};

/// Values that must be kept to classify with an adapter: the smaller of what it trains and what its
/// changes hold (generated weights without their generator), and remembered examples, over all its
/// tasks.
std::int64_t inference_values(const sdk::Adapter& adapter, std::int64_t trainable,
                              bool task_dependent, std::int64_t tasks) {
  std::unordered_set<const c10::TensorImpl*> seen;
  std::int64_t values = 0;
  std::int64_t remembered = 0;  // examples are kept whether they are trained or not
  const auto add = [&](const at::Tensor& tensor) {
    if (tensor.defined() && tensor.requires_grad() &&
        seen.insert(tensor.unsafeGetTensorImpl()).second)
      values += tensor.numel();
  };
  std::vector<sdk::BackboneChanges> kept;  // alive, so that no two tensors have one address
  for (std::int64_t task = 0; task < (task_dependent ? tasks : 1); ++task) {
    const sdk::BackboneChanges& changes = kept.emplace_back(adapter.changes({.task = task}));
    sdk::visit_parts(changes, [&](const auto& part) {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(part)>, sdk::CacheHead>)
        remembered += part.keys.numel();
      else
        sdk::visit_tensors(part,
                           [&](const at::Tensor& tensor, const sdk::TensorSpec&) { add(tensor); });
    });
    for (const auto& weight : changes.weights)
      add(weight.value);
  }
  return std::min(values, trainable) + remembered;
}

std::string percent(std::int64_t part, std::int64_t whole) {
  std::ostringstream out;
  out << std::setprecision(3) << 100.0 * static_cast<double>(part) / static_cast<double>(whole)
      << " %";
  return out.str();
}

}  // namespace

Json plugin_json(const study::LoadedPlugin& plugin) {
  Json json = {{"name", plugin.descriptor->name},
               {"version", plugin.descriptor->version},
               {"licence", plugin.descriptor->licence},
               {"source_hash", plugin.descriptor->source_hash},
               {"file", plugin.file.string()}};
  if (!plugin.host.empty()) json["host"] = plugin.host.string();
  return json;
}

void describe(std::ostream& out, const study::MethodRef& method) {
  const sdk::MethodEntry& entry = *method.entry;
  const sdk::TrainingDefaults& t = entry.training;
  out << "method " << entry.name << ": " << entry.summary << "\n";
  describe_plugin(out, *method.plugin);
  out << "training";
  const char* comma = " ";
  for (const auto& [name, value] : published_training(entry)) {
    out << comma << name << " " << value;
    comma = ", ";
  }
  if (t.source != nullptr && *t.source != '\0') out << " (" << t.source << ")";
  out << "\n";
  describe_budget(out, entry);
  out << "sharing  per-task, joint, grouped"
      << (entry.composable ? ", joint+specific, grouped+specific"
                           : "; its changes cannot be composed")
      << "\n";
  describe_options(out, entry.options, entry.option_count, "option.");
}

void describe(std::ostream& out, const study::GroupingRef& grouping) {
  out << "grouping " << grouping.entry->name << ": " << grouping.entry->summary << "\n";
  describe_plugin(out, *grouping.plugin);
  describe_options(out, grouping.entry->options, grouping.entry->option_count, "grouping.");
}

Json describe_json(const study::MethodRef& method) {
  const sdk::MethodEntry& entry = *method.entry;
  Json json = {{"kind", "method"}, {"name", entry.name}, {"summary", entry.summary}};
  json["plugin"] = plugin_json(*method.plugin);
  json["training"] = Json::object();
  for (const auto& [name, value] : published_training(entry))
    json["training"][name] = value;
  const char* source = entry.training.source;
  json["training_source"] = source == nullptr || *source == '\0' ? Json(nullptr) : Json(source);
  json["published_budget"] = budget_json(entry);
  json["composable"] = entry.composable;
  json["options"] = options_json(entry.options, entry.option_count);
  return json;
}

Json describe_json(const study::GroupingRef& grouping) {
  const sdk::GroupingEntry& entry = *grouping.entry;
  Json json = {{"kind", "grouping"}, {"name", entry.name}, {"summary", entry.summary}};
  json["plugin"] = plugin_json(*grouping.plugin);
  json["options"] = options_json(entry.options, entry.option_count);
  return json;
}

AdapterCount count_parameters(const study::MethodRef& method,
                              const std::map<std::string, std::string>& options,
                              const sdk::BackboneView& backbone, std::int64_t backbone_parameters,
                              const CountedTasks& counted) {
  const sdk::Options resolved(std::span(method.entry->options, method.entry->option_count), options,
                              std::string("method '") + method.entry->name + "'");
  const auto instance = method.entry->make(resolved);
  const CountingContext context(backbone, counted);
  const auto adapter = instance->make_adapter(context);
  AdapterCount count;
  count.backbone_parameters = backbone_parameters;
  count.tasks = counted.tasks;
  count.composable = method.entry->composable;
  for (const auto& parameter : adapter->parameters()) {
    count.trainable += parameter.value.numel();
    count.tensors.push_back({parameter.name, parameter.value.sizes().vec()});
  }
  count.at_inference =
      inference_values(*adapter, count.trainable, method.entry->task_dependent, counted.tasks);
  return count;
}

void print_count(std::ostream& out, const AdapterCount& count) {
  out << "one adapter on this backbone (" << grouped_digits(count.backbone_parameters)
      << " parameters)\n";
  constexpr std::size_t kShown = 24;  // full copies have hundreds
  for (std::size_t i = 0; i < std::min(kShown, count.tensors.size()); ++i) {
    std::ostringstream shape;
    shape << at::IntArrayRef(count.tensors[i].shape);
    out << "    " << std::left << std::setw(40) << count.tensors[i].name << " " << shape.str()
        << "\n";
  }
  if (count.tensors.size() > kShown)
    out << "    and " << count.tensors.size() - kShown << " tensors more\n";
  const std::int64_t total = count.trainable;
  out << "trainable " << grouped_digits(total) << " (" << percent(total, count.backbone_parameters)
      << " of the backbone)\n"
      << "needed at inference " << grouped_digits(count.at_inference) << "\nstored bytes "
      << grouped_digits(count.stored_bytes()) << "\nwith " << count.tasks << " tasks: joint "
      << grouped_digits(total) << ", per-task " << grouped_digits(total * count.tasks);
  if (count.composable)
    out << ", joint+specific " << grouped_digits(total * (count.tasks + 1))
        << ", grouped+specific with G groups " << grouped_digits(total) << " x (G + " << count.tasks
        << ")";
  out << "\n";
}

Json count_json(const AdapterCount& count) {
  Json json = {{"backbone_parameters", count.backbone_parameters},
               {"trainable", count.trainable},
               {"needed_at_inference", count.at_inference},
               {"stored_bytes", count.stored_bytes()},
               {"tasks", count.tasks}};
  json["tensors"] = Json::array();
  for (const AdapterTensor& tensor : count.tensors)
    json["tensors"].push_back({{"name", tensor.name}, {"shape", tensor.shape}});
  return json;
}

}  // namespace petlab::app
