#include "command.hpp"
#include "describe.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/sdk/plugin.hpp"
#include "study_command.hpp"

#include <iostream>
#include <span>
#include <vector>

namespace petlab::app {
namespace {

template <class Entry>
Json entries_json(const Entry* entries, std::uint64_t count) {
  Json json = Json::array();
  for (const auto& entry : std::span(entries, count))
    json.push_back({{"name", entry.name}, {"summary", entry.summary}});
  return json;
}

/// Opens the methods in files of their own, which are plugins then too. Returns what is refused:
/// these files, and plugins.
std::vector<study::RefusedPlugin> open_all(const study::PluginRegistry& plugins) {
  std::vector<study::RefusedPlugin> refused = plugins.refused();
  for (const study::MethodFile& one : plugins.method_files()) {
    try {
      (void)plugins.method(one.method);
    } catch (const base::Error& error) {
      refused.push_back({one.file, error.what()});
    }
  }
  return refused;
}

Json plugins_json(const study::PluginRegistry& plugins,
                  const std::vector<study::RefusedPlugin>& refused) {
  Json json = {{"format", "petlab plugins"}, {"version", 1}};
  json["plugins"] = Json::array();
  for (const study::LoadedPlugin& plugin : plugins.plugins()) {
    const sdk::PluginDescriptor& d = *plugin.descriptor;
    Json one = plugin_json(plugin);
    one["methods"] = entries_json(d.methods, d.method_count);
    one["groupings"] = entries_json(d.groupings, d.grouping_count);
    json["plugins"].push_back(std::move(one));
  }
  json["refused"] = Json::array();
  for (const study::RefusedPlugin& plugin : refused)
    json["refused"].push_back({{"file", plugin.file.string()}, {"reason", plugin.reason}});
  json["shadowed"] = Json::array();
  for (const study::ShadowedPlugin& plugin : plugins.shadowed())
    json["shadowed"].push_back({{"file", plugin.file.string()}, {"used", plugin.used.string()}});
  return json;
}

}  // namespace

int run_plugins(const Arguments& arguments) {
  Usage usage{
      "plugins",
      "[options]",
      "Lists the plugins that were found: what each offers, and those that are refused with\n"
      "the reason. Folders are searched in this order: --plugin-dir, PETLAB_PLUGIN_PATH\n"
      "(separated by ':'), lib/petlab beside the program's folder.",
      po::options_description("Options"),
      {},
      "  petlab plugins\n"
      "  petlab plugins --plugin-dir ~/my-plugins/build\n"};
  usage.options.add_options()("plugin-dir", texts_value(),
                              "folder with plugins, searched first; may be repeated");
  usage.options.add_options()("json", po::bool_switch(), "print the same as JSON");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  const auto plugins = load_plugins(*options);
  const std::vector<study::RefusedPlugin> refused = open_all(*plugins);
  const int code = refused.empty() ? kOk : kPlugin;
  if (options->get<bool>("json")) {
    print_json(plugins_json(*plugins, refused));
    return code;
  }

  for (const study::LoadedPlugin& plugin : plugins->plugins()) {
    const sdk::PluginDescriptor& d = *plugin.descriptor;
    std::cout << d.name << " " << d.version << "  " << d.licence << "  " << plugin.file.string()
              << "\n";
    for (const auto& entry : std::span(d.methods, d.method_count))
      std::cout << "    method    " << entry.name << ": " << entry.summary << "\n";
    for (const auto& entry : std::span(d.groupings, d.grouping_count))
      std::cout << "    grouping  " << entry.name << ": " << entry.summary << "\n";
  }
  for (const study::RefusedPlugin& plugin : refused)
    std::cout << "refused   " << base::printable(plugin.file) << "\n    "
              << base::message_line(plugin.reason) << "\n";
  for (const study::ShadowedPlugin& plugin : plugins->shadowed())
    std::cout << "shadowed  " << plugin.file.string() << "\n    " << plugin.used.string()
              << " comes first\n";
  if (plugins->plugins().empty() && refused.empty()) {
    std::cout << "no plugin (petlab_*.so) in any of these folders:\n";
    std::vector<std::filesystem::path> given;
    if (options->has("plugin-dir"))
      for (const std::string& folder : options->get<std::vector<std::string>>("plugin-dir"))
        given.emplace_back(folder);
    for (const auto& folder : study::plugin_folders(given))
      std::cout << "    " << folder.string() << "\n";
  }
  return code;
}

}  // namespace petlab::app
