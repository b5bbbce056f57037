#include "describe.hpp"

#include "command.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>

#include <iomanip>
#include <ostream>
#include <span>
#include <sstream>

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

void describe_plugin(std::ostream& out, const core::LoadedPlugin& plugin) {
  out << "plugin   " << plugin.descriptor->name << " " << plugin.descriptor->version << ", "
      << plugin.descriptor->licence << ", sources "
      << std::string(plugin.descriptor->source_hash).substr(0, 12) << ", " << plugin.file.string()
      << "\n";
}

std::string percent(std::int64_t part, std::int64_t whole) {
  std::ostringstream out;
  out << std::setprecision(3) << 100.0 * static_cast<double>(part) / static_cast<double>(whole)
      << " %";
  return out.str();
}

}  // namespace

void describe(std::ostream& out, const core::MethodRef& method) {
  const sdk::MethodEntry& entry = *method.entry;
  const sdk::TrainingDefaults& t = entry.training;
  out << "method " << entry.name << ": " << entry.summary << "\n";
  describe_plugin(out, *method.plugin);
  out << "training " << t.optimizer << ", learning rate " << t.learning_rate << ", weight decay "
      << t.weight_decay;
  if (std::string(t.optimizer) == "sgd") out << ", momentum " << t.momentum;
  if (t.source != nullptr && *t.source != '\0') out << " (" << t.source << ")";
  out << "\nsharing  per-task, joint, grouped"
      << (entry.composable ? ", joint+specific, grouped+specific"
                           : "; its changes cannot be composed")
      << "\n";
  describe_options(out, entry.options, entry.option_count, "option.");
}

void describe(std::ostream& out, const core::GroupingRef& grouping) {
  out << "grouping " << grouping.entry->name << ": " << grouping.entry->summary << "\n";
  describe_plugin(out, *grouping.plugin);
  describe_options(out, grouping.entry->options, grouping.entry->option_count, "grouping.");
}

void count_parameters(std::ostream& out, const core::MethodRef& method,
                      const std::map<std::string, std::string>& options,
                      const sdk::BackboneView& backbone, std::int64_t backbone_parameters,
                      std::int64_t tasks) {
  const sdk::Options resolved(std::span(method.entry->options, method.entry->option_count), options,
                              std::string("method '") + method.entry->name + "'");
  const auto instance = method.entry->make(resolved);
  at::Generator generator = at::detail::createCPUGenerator(/*seed=*/1);
  const auto adapter = instance->make_adapter(backbone, generator);
  std::int64_t total = 0;
  out << "one adapter on this backbone (" << grouped_digits(backbone_parameters)
      << " parameters)\n";
  const auto parameters = adapter->parameters();
  constexpr std::size_t kShown = 24;  // full copies have hundreds
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const at::Tensor& value = parameters[i].value;
    total += value.numel();
    if (i < kShown) {
      std::ostringstream shape;
      shape << value.sizes();
      out << "    " << std::left << std::setw(40) << parameters[i].name << " " << shape.str()
          << "\n";
    }
  }
  if (parameters.size() > kShown)
    out << "    and " << parameters.size() - kShown << " tensors more\n";
  out << "trainable " << grouped_digits(total) << " (" << percent(total, backbone_parameters)
      << " of the backbone)\nwith " << tasks << " tasks: joint " << grouped_digits(total)
      << ", per-task " << grouped_digits(total * tasks);
  if (method.entry->composable)
    out << ", joint+specific " << grouped_digits(total * (tasks + 1))
        << ", grouped+specific with G groups " << grouped_digits(total) << " x (G + " << tasks
        << ")";
  out << "\n";
}

}  // namespace petlab::app
