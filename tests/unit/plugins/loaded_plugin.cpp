#include "loaded_plugin.hpp"

#include "fake_backbone.hpp"

#include <ATen/ops/cat.h>

#include <dlfcn.h>

#include <span>
#include <stdexcept>

namespace petlab::tests {

const sdk::PluginDescriptor& load_plugin(const std::string& name) {
  const std::string file = std::string(PETLAB_BINARY_DIR) + "/lib/petlab/petlab_" + name + ".so";
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  void* symbol = dlsym(library, sdk::kPluginSymbol);
  if (symbol == nullptr) throw std::runtime_error(dlerror());
  return *static_cast<const sdk::PluginDescriptor*>(symbol);
}

const sdk::MethodEntry& find_method(const std::string& plugin, const std::string& method) {
  const sdk::PluginDescriptor& descriptor = load_plugin(plugin);
  for (const auto& entry : std::span(descriptor.methods, descriptor.method_count))
    if (method == entry.name) return entry;
  throw std::runtime_error(plugin + " has no method " + method);
}

const sdk::GroupingEntry& find_grouping(const std::string& plugin, const std::string& grouping) {
  const sdk::PluginDescriptor& descriptor = load_plugin(plugin);
  for (const auto& entry : std::span(descriptor.groupings, descriptor.grouping_count))
    if (grouping == entry.name) return entry;
  throw std::runtime_error(plugin + " has no grouping " + grouping);
}

std::unique_ptr<sdk::Method> make_method(const std::string& plugin, const std::string& method,
                                         const GivenOptions& given) {
  const sdk::MethodEntry& entry = find_method(plugin, method);
  return entry.make(
      sdk::Options(std::span(entry.options, entry.option_count), given, "method '" + method + "'"));
}

std::unique_ptr<sdk::Grouping> make_grouping(const std::string& plugin, const std::string& grouping,
                                             const GivenOptions& given) {
  const sdk::GroupingEntry& entry = find_grouping(plugin, grouping);
  return entry.make(sdk::Options(std::span(entry.options, entry.option_count), given,
                                 "grouping '" + grouping + "'"));
}

std::unique_ptr<sdk::Adapter> make_adapter(const sdk::Method& method,
                                           const sdk::BackboneView& backbone, std::uint64_t seed) {
  const FakeContext context(backbone, seed);
  return method.make_adapter(context);
}

std::int64_t count_parameters(const sdk::Adapter& adapter) {
  std::int64_t count = 0;
  for (const sdk::NamedTensor& parameter : adapter.parameters())
    count += parameter.value.numel();
  return count;
}

at::Tensor flat_parameters(const sdk::Adapter& adapter) {
  std::vector<at::Tensor> parts;
  for (const sdk::NamedTensor& parameter : adapter.parameters())
    parts.push_back(parameter.value.detach().flatten());
  return at::cat(parts);
}

}  // namespace petlab::tests
