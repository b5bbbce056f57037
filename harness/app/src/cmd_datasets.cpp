#include "command.hpp"
#include "petlab/core/suggestion.hpp"
#include "petlab/datasets/check.hpp"
#include "petlab/datasets/icon_home.hpp"
#include "petlab/datasets/split.hpp"
#include "petlab/sdk/error.hpp"
#include "places.hpp"

#include <unistd.h>

#include <fstream>
#include <iostream>

namespace petlab::app {
namespace {

/// A bar on a terminal, nothing elsewhere.
datasets::Progress counter(const char* what) {
  if (isatty(STDERR_FILENO) == 0) return {};
  return [what](std::size_t done, std::size_t total) {
    if (done % 50 != 0 && done != total) return;
    std::cerr << "\r" << what << " " << done << "/" << total << (done == total ? "\n" : "");
  };
}

datasets::Dataset open(const Parsed& options) {
  const std::string& name = options.text("NAME");
  std::filesystem::path root;
  if (options.has("root")) {
    root = options.text("root");
  } else if (name == "icon-home") {
    root = icon_home_pictures();
  } else {
    throw sdk::Error(sdk::ErrorKind::config, "data set '" + name + "' needs --root DIR");
  }
  return datasets::open_dataset({.name = name, .root = root});
}

Usage usage_of(const char* action, const char* text, const char* examples) {
  Usage usage{std::string("datasets ") + action,  "NAME [options]", text,
              po::options_description("Options"), {"NAME"},         examples};
  usage.options.add_options()("root", text_value(),
                              "folder of the pictures: domain/class/picture "
                              "(default for icon-home: datasets/data/icon-home)");
  return usage;
}

int list(const Arguments& arguments) {
  const Usage usage{"datasets list",
                    "",
                    "Lists the data sets that petlab knows and whether they "
                    "can be used now.",
                    po::options_description("Options"),
                    {},
                    ""};
  if (!parse(usage, arguments)) return kOk;
  for (const datasets::KnownDataset& one : datasets::list_datasets(icon_home_pictures()))
    std::cout << one.name << ": " << one.description << "\n    " << one.status << "\n";
  return kOk;
}

int build(const Arguments& arguments) {
  Usage usage{"datasets build",
              "icon-home --package DIR [options]",
              "Renders Icon-Home from the unpacked npm package @iconify/json, checks it for\n"
              "duplicates and writes an attribution file. Does only what is missing.",
              po::options_description("Options"),
              {"NAME"},
              "  petlab datasets build icon-home --package datasets/cache/iconify-json-2.2.535\n"};
  usage.options.add_options()("package", text_value()->required(),
                              "folder with the unpacked package (package.json, json/)")(
      "out", text_value(), "folder for the pictures (default: datasets/data/icon-home)");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  if (options->text("NAME") != "icon-home")
    throw sdk::Error(sdk::ErrorKind::config, "petlab builds only the data set icon-home, not '" +
                                                 options->text("NAME") + "'");
  const std::filesystem::path out =
      options->has("out") ? std::filesystem::path(options->text("out")) : icon_home_pictures();
  std::cout << datasets::build_icon_home(options->text("package"), icon_home_recipe(), out, {},
                                         counter("rendering"))
            << "\n";
  return kOk;
}

int check(const Arguments& arguments) {
  const Usage usage = usage_of("check",
                               "Decodes every picture and looks for damaged ones, duplicates and "
                               "classes that a domain lacks.",
                               "  petlab datasets check icon-home\n"
                               "  petlab datasets check folder --root ~/pictures\n");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  const datasets::Dataset dataset = open(*options);
  datasets::print_summary(std::cout, dataset);
  const auto report = datasets::check_dataset(dataset, 0, counter("checking"));
  std::cout << report << "\n";
  return report.passed() ? kOk : kData;
}

int split(const Arguments& arguments) {
  Usage usage = usage_of("split",
                         "Prints the split of a seed, and writes its list (domain, id, part) when "
                         "--out names a file.",
                         "  petlab datasets split icon-home --train-fraction 0.2 --seed 3\n"
                         "  petlab datasets split folder --root ~/pictures --out split.csv\n");
  usage.options.add_options()("train-fraction", po::value<double>()->default_value(0.1, "0.1"),
                              "share of each class of each domain that trains")(
      "seed", po::value<std::uint64_t>()->default_value(1), "seed")("out", text_value(),
                                                                    "CSV file to write");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  const datasets::Dataset dataset = open(*options);
  const datasets::Split one = datasets::make_split(dataset, options->get<double>("train-fraction"),
                                                   options->get<std::uint64_t>("seed"));
  datasets::print_summary(std::cout, dataset, one);
  std::cout << one.name << "  " << one.hash << "\n";
  if (options->has("out")) datasets::write_split(options->text("out"), dataset, one);
  return kOk;
}

int fingerprint(const Arguments& arguments) {
  const Usage usage = usage_of("fingerprint",
                               "Prints the SHA-256 over all ids, labels, class names and picture "
                               "bytes: part of every run's identity.",
                               "  petlab datasets fingerprint icon-home\n");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  std::cout << open(*options).fingerprint << "\n";
  return kOk;
}

}  // namespace

int run_datasets(const Arguments& arguments) {
  const std::vector<Command> actions = {
      {"list", "the data sets that petlab knows", list},
      {"build", "assemble the embedded data set", build},
      {"check", "look for damaged pictures and duplicates", check},
      {"split", "show or write the split of a seed", split},
      {"fingerprint", "hash of all pictures and labels", fingerprint},
  };
  const std::string wanted = arguments.empty() ? "" : arguments.front();
  std::vector<std::string> known;
  for (const Command& action : actions) {
    if (wanted == action.name) return action.run({arguments.begin() + 1, arguments.end()});
    known.emplace_back(action.name);
  }
  if (!wanted.empty() && wanted != "--help" && wanted != "-h")
    throw sdk::Error(sdk::ErrorKind::config, "petlab datasets has no action '" + wanted + "'" +
                                                 core::did_you_mean(wanted, known));
  std::cout << "petlab datasets ACTION [options]\n\n";
  for (const Command& action : actions)
    std::cout << "  " << action.name << std::string(14 - std::string(action.name).size(), ' ')
              << action.summary << "\n";
  std::cout << "\npetlab datasets ACTION --help says more.\n";
  return wanted.empty() ? kUsage : kOk;
}

}  // namespace petlab::app
