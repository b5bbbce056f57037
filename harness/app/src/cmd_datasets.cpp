#include "command.hpp"
#include "datasets_command.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/suggestion.hpp"
#include "petlab/datasets/tools/build_icon_home.hpp"
#include "places.hpp"

#include <iostream>
#include <sstream>

namespace petlab::app {
namespace {

/// Broken into lines of at most 100 signs.
void print_wrapped(const std::string& head, const std::string& text) {
  constexpr std::size_t kWidth = 100;
  std::string line = "  " + head + std::string(10 - head.size(), ' ');
  const std::size_t indent = line.size();
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (line.size() + word.size() > kWidth && line.size() > indent) {
      std::cout << line << "\n";
      line.assign(indent, ' ');
    }
    if (line.size() > indent) line += ' ';
    line += word;
  }
  std::cout << line << "\n";
}

int list(const Arguments& arguments) {
  const Usage usage{"datasets list",
                    "",
                    "Lists the data sets that petlab knows by name: what their folders look like,\n"
                    "where users get them, how many images they have. petlab downloads none.",
                    po::options_description("Options"),
                    {},
                    "  petlab datasets list\n"};
  if (!parse(usage, arguments)) return kOk;
  for (const datasets::KnownDataset& one : datasets::list_datasets(icon_home_pictures())) {
    std::cout << one.name << "\n";
    print_wrapped("what", one.description);
    print_wrapped("folder", one.layout);
    print_wrapped("from", one.source);
    if (!one.counts.empty()) print_wrapped("published", one.counts);
    print_wrapped("now", one.status);
  }
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
      "out", text_value(), "folder for the images (default: datasets/data/icon-home)");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  if (options->text("NAME") != "icon-home")
    throw base::Error(base::ErrorKind::config, "petlab builds only the data set icon-home, not '" +
                                                   options->text("NAME") + "'");
  const std::filesystem::path out =
      options->has("out") ? std::filesystem::path(options->text("out")) : icon_home_pictures();
  std::cout << datasets::tools::build_icon_home(options->text("package"), icon_home_recipe(), out,
                                                {}, counter("rendering"))
            << "\n";
  return kOk;
}

}  // namespace

int run_datasets(const Arguments& arguments) {
  const std::vector<Command> actions = {
      {"list", "the data sets that petlab knows", list},
      {"build", "assemble the embedded data set", build},
      {"check", "counts, damaged images, duplicates", check_datasets},
      {"split", "show or write which images train and test", split_datasets},
      {"fingerprint", "hash of all images and labels", fingerprint_datasets},
  };
  return run_action("datasets", actions, arguments);
}

}  // namespace petlab::app
