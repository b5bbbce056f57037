#include "interpreter.hpp"
#include "petlab/sdk/plugin.hpp"
#include "python_method.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <deque>
#include <filesystem>
#include <limits>
#include <optional>
#include <utility>

// What the plugin calls for a file: its declarations, read once, as a descriptor of the SDK.
namespace petlab::plugins::python {
namespace {

/// Methods that one process may open. A factory of the SDK is a plain function, so each has one of
/// its own.
constexpr std::size_t kMost = 64;

/// The declarations of a file. Descriptors point into it, so it neither moves nor ends.
struct Opened {
  std::string file, name, version, licence, hash, summary, optimizer, source;
  std::deque<std::string> texts;
  std::vector<sdk::OptionSpec> options;
  Object type;
  sdk::MethodEntry entry;
  sdk::PluginDescriptor descriptor{.name = "",
                                   .version = "",
                                   .licence = "",
                                   .source_hash = "",
                                   .methods = nullptr,
                                   .method_count = 0,
                                   .groupings = nullptr,
                                   .grouping_count = 0};
};

std::deque<Opened>& opened() {
  static auto& all = *new std::deque<Opened>;
  return all;
}

template <std::size_t index>
std::unique_ptr<sdk::Method> make_method(const sdk::Options& options) {
  const Opened& from = opened().at(index);
  return std::make_unique<PythonMethod>(from.file, from.type, options);
}

template <std::size_t... indices>
constexpr std::array<sdk::MethodFactory, sizeof...(indices)> factories(
    std::index_sequence<indices...> /*all*/) {
  return {make_method<indices>...};
}
constexpr auto kFactories = factories(std::make_index_sequence<kMost>());

sdk::OptionType type_of(const std::string& name) {
  if (name == "integer") return sdk::OptionType::integer;
  if (name == "real") return sdk::OptionType::real;
  if (name == "boolean") return sdk::OptionType::boolean;
  return name == "choice" ? sdk::OptionType::choice : sdk::OptionType::text;
}

sdk::OptionSpec option_of(Opened& owner, const py::handle& option) {
  const auto text = [&](const char* key) {
    return owner.texts.emplace_back(option[key].cast<std::string>()).c_str();
  };
  sdk::OptionSpec spec{.name = text("name"),
                       .type = type_of(option["type"].cast<std::string>()),
                       .default_value = text("default"),
                       .help = text("help")};
  spec.minimum = option["minimum"].cast<std::optional<double>>().value_or(spec.minimum);
  spec.maximum = option["maximum"].cast<std::optional<double>>().value_or(spec.maximum);
  spec.choices = text("choices");
  return spec;
}

void read(Opened& method, const std::string& file, const char* host_hash, std::size_t index) {
  const py::dict said = petlab_module().attr("_open")(file, host_hash);
  const auto text = [&](const char* key) { return said[key].cast<std::string>(); };
  method.file = std::filesystem::path(file).filename();
  method.name = std::filesystem::path(file).stem();
  std::replace(method.name.begin(), method.name.end(), '_', '-');
  method.version = text("version");
  method.licence = text("licence");
  method.hash = text("hash");
  method.summary = text("summary");
  method.optimizer = text("optimizer");
  method.source = text("source");
  for (const py::handle option : said["options"])
    method.options.push_back(option_of(method, option));
  method.type = keep(said["class"]);
  method.entry = {.name = method.name.c_str(),
                  .summary = method.summary.c_str(),
                  .options = method.options.data(),
                  .option_count = method.options.size(),
                  .training = {.optimizer = method.optimizer.c_str(),
                               .learning_rate = said["learning_rate"].cast<double>(),
                               .weight_decay = said["weight_decay"].cast<double>(),
                               .momentum = said["momentum"].cast<double>(),
                               .source = method.source.c_str()},
                  .composable = said["composable"].cast<bool>(),
                  .task_dependent = said["task_dependent"].cast<bool>(),
                  .make = kFactories.at(index)};
  method.descriptor.name = method.name.c_str();
  method.descriptor.version = method.version.c_str();
  method.descriptor.licence = method.licence.c_str();
  method.descriptor.source_hash = method.hash.c_str();
  method.descriptor.methods = &method.entry;
  method.descriptor.method_count = 1;
}

}  // namespace
}  // namespace petlab::plugins::python

/// See sdk::MethodFiles::open. `host_hash` is that of the sources of the plugin itself.
extern "C" __attribute__((visibility("default"))) const petlab::sdk::PluginDescriptor*
petlab_python_open(const char* file, const char* host_hash) {
  using namespace petlab::plugins::python;
  start_python();
  auto& all = opened();
  if (all.size() == kMost)
    throw petlab::sdk::Error(petlab::sdk::ErrorKind::plugin,
                             "a process can use " + std::to_string(kMost) + " Python methods");
  Opened& method = all.emplace_back();
  const std::size_t index = all.size() - 1;
  const py::gil_scoped_acquire lock;
  try {
    read(method, file, host_hash, index);
  } catch (const py::error_already_set& error) {
    // The value's own __traceback__ may not be set.
    const py::object trace = error.trace() ? py::object(error.trace()) : py::object(py::none());
    const auto sentence =
        petlab_module().attr("_sentence")(error.value(), trace, file).cast<std::string>();
    all.pop_back();
    throw petlab::sdk::Error(petlab::sdk::ErrorKind::plugin, sentence);
  } catch (const std::exception& error) {  // a declaration of another type, such as a name in bytes
    const std::string sentence = error.what();
    all.pop_back();
    throw petlab::sdk::Error(petlab::sdk::ErrorKind::plugin, sentence);
  }
  return &method.descriptor;
}
