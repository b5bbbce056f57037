#include "command.hpp"
#include "describe.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/suggestion.hpp"
#include "petlab/clip/backbone.hpp"
#include "petlab/engine/stored_adapters.hpp"
#include "petlab/results/adapter_files.hpp"
#include "petlab/study/cluster_settings.hpp"
#include "petlab/study/evaluation.hpp"
#include "petlab/study/key_table.hpp"
#include "stored_run.hpp"
#include "study_command.hpp"

#include <algorithm>
#include <iostream>

namespace petlab::app {
namespace {

std::map<std::string, std::string> method_options(const Parsed& options) {
  std::map<std::string, std::string> result;
  if (!options.has("option")) return result;
  for (const std::string& text : options.get<std::vector<std::string>>("option")) {
    const auto equals = text.find('=');
    if (equals == std::string::npos)
      throw base::Error(base::ErrorKind::config, "--option " + text + ": expected NAME=VALUE");
    result[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return result;
}

int describe_run(const std::filesystem::path& file, const std::string& prefix) {
  const results::RunStore store(file, results::OpenMode::read_only);
  const results::RunRecord run = find_run(store, prefix, "keep adapters");
  const engine::StoredAdapters adapters = study::load_adapters(file, run);
  describe_adapters(std::cout, adapters, results::adapter_file(file, run.identity.hash),
                    run.adapters_bytes);
  return kOk;
}

}  // namespace

int run_describe(const Arguments& arguments) {
  Usage usage{
      "describe",
      "NAME [options]",
      "Describes a method or grouping: its plugin, options with ranges and defaults, and how\n"
      "its publication trains it. With --count: what it trains on a backbone. With --store, NAME\n"
      "is the beginning of a run's identity: what is in the adapters that it keeps.\n"
      "With --keys instead of a name: the keys of protocol files; with --cluster-keys: those of\n"
      "cluster.ini.",
      po::options_description("Options"),
      {"NAME"},
      "  petlab describe mmap\n"
      "  petlab describe --keys\n"
      "  petlab describe coop --count --backbone ~/clip-vit-base-patch16 --option n-ctx=4\n"};
  usage.positional_optional = true;
  usage.options.add_options()("keys", po::bool_switch(),
                              "print the table of all keys of protocol files, as Markdown")(
      "cluster-keys", po::bool_switch(), "the same for the file of petlab submit --cluster")(
      "count", po::bool_switch(), "count trainable parameters on --backbone")(
      "backbone", text_value(), "folder of a CLIP in the Hugging Face layout")(
      "store", text_value(), "results database: describe a run of it")(
      "option", texts_value(), "option of the method for --count: NAME=VALUE; may be repeated")(
      "tasks", po::value<std::int64_t>()->default_value(4), "number of tasks for --count")(
      "classes", po::value<std::int64_t>()->default_value(65), "classes a task for --count")(
      "shots", po::value<std::int64_t>()->default_value(16),
      "training images a class and task for --count")(
      "plugin-dir", texts_value(), "folder with plugins, searched first; may be repeated")(
      "json", po::bool_switch(), "print the same as JSON");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  if (options->get<bool>("keys")) {
    if (options->get<bool>("json"))
      base::throw_config_error("--keys prints Markdown: expected it without --json");
    std::cout << study::key_table();
    return kOk;
  }
  if (options->get<bool>("cluster-keys")) {
    std::cout << study::cluster_key_table();
    return kOk;
  }
  if (!options->has("NAME"))
    base::throw_config_error("petlab describe needs NAME; see petlab describe --help");
  const auto plugins = load_plugins(*options);
  warn_of_refused(*plugins);

  const std::string& name = options->text("NAME");
  const auto methods = plugins->method_names();
  const auto groupings = plugins->grouping_names();
  const bool is_method = std::find(methods.begin(), methods.end(), name) != methods.end();
  const bool is_grouping = std::find(groupings.begin(), groupings.end(), name) != groupings.end();
  if (!is_method && !is_grouping && options->has("store"))
    return describe_run(options->text("store"), name);
  if (!is_method && !is_grouping) {
    std::vector<std::string> known = methods;
    known.insert(known.end(), groupings.begin(), groupings.end());
    throw base::Error(base::ErrorKind::config, "no plugin has a method or grouping '" + name + "'" +
                                                   base::did_you_mean(name, known));
  }
  const bool json = options->get<bool>("json");
  Json described = {{"format", "petlab describe"}, {"version", 1}, {"entries", Json::array()}};
  if (is_method && json) described["entries"].push_back(describe_json(plugins->method(name)));
  if (is_grouping && json) described["entries"].push_back(describe_json(plugins->grouping(name)));
  if (is_method && !json) describe(std::cout, plugins->method(name));
  if (is_grouping && !json) describe(std::cout, plugins->grouping(name));
  if (options->get<bool>("count")) {
    if (!is_method || !options->has("backbone"))
      throw base::Error(base::ErrorKind::config, "--count needs a method and --backbone DIR");
    const auto backbone = clip::Backbone::load(options->text("backbone"));
    const AdapterCount count = count_parameters(plugins->method(name), method_options(*options),
                                                *backbone, backbone->parameter_count(),
                                                {.tasks = options->get<std::int64_t>("tasks"),
                                                 .classes = options->get<std::int64_t>("classes"),
                                                 .shots = options->get<std::int64_t>("shots")});
    if (json)
      described["count"] = count_json(count);
    else
      print_count(std::cout, count);
  }
  if (json) print_json(described);
  return kOk;
}

}  // namespace petlab::app
