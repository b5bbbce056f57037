#include "datasets_command.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/base/suggestion.hpp"
#include "petlab/base/text.hpp"
#include "petlab/datasets/lists.hpp"
#include "places.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <sstream>
#include <system_error>

namespace petlab::app {
namespace {

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

/// The text of an option that has one of the choices, the first where it is not given.
std::string chosen(const Parsed& options, const std::string& name,
                   const std::vector<std::string>& choices) {
  if (!options.has(name)) return choices.front();
  const std::string text = options.text(name);
  if (std::find(choices.begin(), choices.end(), text) == choices.end())
    base::throw_config_error("--" + name + " is '" + text + "', expected " +
                             base::joined(choices, " or ") + base::did_you_mean(text, choices));
  return text;
}

unsigned threads_of(const Parsed& options) {
  return static_cast<unsigned>(count_of(options, "threads", 0, kMostThreads));
}

}  // namespace

datasets::tools::Progress counter(const char* what) {
  if (isatty(STDERR_FILENO) == 0) return {};
  const auto start = std::chrono::steady_clock::now();
  return [what, start](std::size_t done, std::size_t total) {
    if (done % 50 != 0 && done != total) return;
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    const auto rate =
        static_cast<std::size_t>(static_cast<double>(done) / (seconds.count() + 1e-9));
    std::cerr << "\r" << what << " " << done << "/" << total << ", " << rate << " images/s "
              << (done == total ? "\n" : "") << std::flush;
  };
}

void add_dataset_options(po::options_description& options) {
  options.add_options()("dataset", text_value(),
                        "what ROOT is: office-home, folder, csv ... (default: told by its "
                        "folders; petlab datasets list explains each)")(
      "domains", text_value(), "only these domains, in this order, e.g. Art,Product")(
      "lists", text_value(),
      "folder of the lists that make mini-domainnet, domainnet-126 or domainnet, or of CoOp's "
      "split_zhou_*.json")("class-names", text_value(),
                           "CSV file with the columns folder and name, or a .txt of such lines: "
                           "what each class is called "
                           "in prompts")(
      "other-formats", text_value(),
      "images in formats that petlab does not read: refuse, or leave-out (default: refuse)")(
      "threads", po::value<int>()->default_value(0), "threads (0: all cores)");
}

void add_split_options(po::options_description& options) {
  options.add_options()("split", text_value(),
                        "percent, shots or list (default: percent, or the data set's own)")(
      "train-fraction", po::value<double>()->default_value(0.1, "0.1"),
      "percent: share of each class of each domain that trains")(
      "train-shots", po::value<std::int64_t>(),
      "shots: training images of each class of each domain")(
      "split-list", text_value(),
      "lists: files, patterns like 'lists/*/{train,test}_10.txt', folders, with commas between; "
      "own "
      "is the data set's own. With percent and shots: training images come from their "
      "training part")("validation-fraction", po::value<double>(),
                       "share of the training images held out for validation")(
      "validation-shots", po::value<std::int64_t>(), "or this number of each class")(
      "development-fraction", po::value<double>(),
      "share of each class of each domain set aside for validation before training images are "
      "chosen, the same for every --seed")("development-seed",
                                           po::value<std::uint64_t>()->default_value(1),
                                           "decides alone which images those are")(
      "validation", text_value(),
      "list: test on the validation images that the lists name, which need no test part then "
      "(default: none)")("seed", po::value<std::uint64_t>()->default_value(1), "seed");
}

datasets::Dataset open_root(const Parsed& options, bool fingerprint) {
  datasets::DatasetSource source;
  source.root = options.text("ROOT");
  source.fingerprint = fingerprint;
  source.threads = threads_of(options);
  std::error_code ignored;
  const bool there = std::filesystem::exists(source.root, ignored);
  if (options.has("dataset")) {
    source.name = options.text("dataset");
    const auto& names = datasets::dataset_names();
    if (std::find(names.begin(), names.end(), source.name) == names.end())
      base::throw_config_error("--dataset: unknown data set '" + source.name +
                               "'; petlab datasets list names them" +
                               base::did_you_mean(source.name, names));
  } else if (!there && options.text("ROOT") == "icon-home") {
    source.name = "icon-home";
  } else {
    source.name = datasets::guess_dataset(source.root);
    if (there)
      std::cerr << "petlab: taken as data set " << source.name
                << "; --dataset NAME says it is another\n";
  }
  if (!there && source.name == "icon-home") source.root = icon_home_pictures();
  if (options.has("domains")) source.domains = split_at_commas(options.text("domains"));
  if (options.has("lists")) source.lists = options.text("lists");
  if (options.has("class-names")) source.class_names = options.text("class-names");
  source.leave_out_foreign =
      chosen(options, "other-formats", {"refuse", "leave-out"}) == "leave-out";
  return datasets::open_dataset(source);
}

datasets::Split split_of(const Parsed& options, const datasets::Dataset& dataset) {
  datasets::SplitChoice choice;
  using Kind = datasets::SplitChoice::Kind;
  const bool own = std::any_of(
      dataset.domains.begin(), dataset.domains.end(), [](const datasets::Domain& domain) {
        return std::any_of(domain.samples.begin(), domain.samples.end(),
                           [](const auto& sample) { return sample.part == datasets::Part::train; });
      });
  std::string kind = "percent";
  if (options.has("split"))
    kind = options.text("split");
  else if (options.has("train-shots"))
    kind = "shots";
  else if (options.values["train-fraction"].defaulted() && (own || options.has("split-list")))
    kind = "list";
  if (kind != "percent" && kind != "shots" && kind != "list")
    base::throw_config_error("--split is '" + kind + "', expected percent, shots or list");
  choice.kind = kind == "shots" ? Kind::shots : kind == "list" ? Kind::list : Kind::percent;
  choice.train_fraction = options.get<double>("train-fraction");
  if (options.has("train-shots")) choice.train_shots = options.get<std::int64_t>("train-shots");
  if (choice.kind == Kind::shots && choice.train_shots < 1)
    base::throw_config_error(
        "--split shots needs --train-shots, the training images of each class, at least 1");
  if (options.has("split-list")) {
    choice.own_lists = options.text("split-list") == "own";
    if (!choice.own_lists) choice.lists = datasets::expand_lists(options.text("split-list"));
  }
  if (options.has("validation-fraction"))
    choice.validation.fraction = options.get<double>("validation-fraction");
  if (options.has("validation-shots"))
    choice.validation.shots = options.get<std::int64_t>("validation-shots");
  if (options.has("development-fraction")) {
    choice.development_fraction = options.get<double>("development-fraction");
    if (!(choice.development_fraction > 0 && choice.development_fraction < 1))
      base::throw_config_error("--development-fraction is " +
                               base::number_text(choice.development_fraction) +
                               ", expected a number between 0 and 1");
  } else if (!options.values["development-seed"].defaulted()) {
    base::throw_config_error("--development-seed needs --development-fraction");
  }
  choice.development_seed = options.get<std::uint64_t>("development-seed");
  const bool on_validation = chosen(options, "validation", {"none", "list"}) == "list";
  choice.needs_test = !on_validation;
  datasets::Split split =
      datasets::choose_split(dataset, choice, options.get<std::uint64_t>("seed"));
  return on_validation ? datasets::tested_on_validation(dataset, split) : split;
}

}  // namespace petlab::app
