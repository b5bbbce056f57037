#include "command.hpp"
#include "datasets_command.hpp"
#include "json_output.hpp"
#include "petlab/base/error.hpp"
#include "petlab/datasets/tools/check.hpp"

#include <iostream>

namespace petlab::app {
namespace {

Json likenesses_json(const std::vector<datasets::tools::Likeness>& likenesses) {
  Json json = Json::array();
  for (const datasets::tools::Likeness& one : likenesses)
    json.push_back({{"pictures", one.ids},
                    {"distance", one.distance},
                    {"across_domains", one.across_domains},
                    {"across_classes", one.across_classes},
                    {"across_parts", one.across_parts}});
  return json;
}

Json check_json(const datasets::tools::CheckReport& report) {
  Json json = {{"format", "petlab datasets check"}, {"version", 1}};
  json["passed"] = report.passed();
  json["reasons"] = report.reasons();
  json["obstacle"] = text_or_null(report.obstacle);
  json["fingerprint"] = text_or_null(report.fingerprint);
  json["split"] = report.split;
  json["pictures"] = report.pictures;
  json["smallest_side"] = report.smallest_side;
  json["largest_side"] = report.largest_side;
  json["unreadable"] = report.unreadable;
  json["damaged"] = report.damaged;
  json["single_picture_classes"] = report.single_picture_classes;
  json["missing_classes"] = report.missing_classes;
  json["identical"] = likenesses_json(report.identical);
  json["near"] = likenesses_json(report.near);
  json["near_distance"] = report.near_distance;
  json["plain"] = report.plain;
  json["notes"] = report.notes;
  return json;
}

}  // namespace

int check_datasets(const Arguments& arguments) {
  Usage usage{
      "datasets check",
      "ROOT [options]",
      "Looks through a data set before anything is computed with it: images by class and domain\n"
      "beside the published counts, classes that a domain lacks, images that cannot be read or\n"
      "are truncated, a file in more than one split, domain or class,\n"
      "and images that look alike. ROOT is its folder, a CSV file, or icon-home.\n"
      "Findings are reported; the last line says whether a study on the data set would be sound.\n"
      "The exit code is 3 where no study can run, as a domain would never be tested; with\n"
      "--strict, also for whatever else would make it unsound.",
      po::options_description("Options"),
      {"ROOT"},
      "  petlab datasets check ~/data/OfficeHomeDataset_10072016\n"
      "  petlab datasets check ~/data/OfficeHome --split-list 'MTlearn/*/{train,test}_10.txt'\n"
      "  petlab datasets check ~/pictures --strict --duplicates found.csv\n"
      "  petlab datasets check icon-home\n"};
  add_dataset_options(usage.options);
  add_split_options(usage.options);
  usage.options.add_options()("strict", po::bool_switch(),
                              "exit code 3 when something would spoil a result")(
      "near", po::value<int>()->default_value(6),
      "bits of 64 that the perceptual hashes of near-duplicates differ in at most (0..15)")(
      "brief", po::bool_switch(), "no table of classes")("json", po::bool_switch(),
                                                         "print the findings as JSON, all of them")(
      "duplicates", text_value(), "CSV file for all duplicates, not only the first ten");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  const int near = options->get<int>("near");
  if (near < 0 || near > 15)
    throw base::Error(base::ErrorKind::config,
                      "--near is " + std::to_string(near) + ", expected 0 to 15");

  const datasets::Dataset dataset = open_root(*options, /*fingerprint=*/false);
  const datasets::Split split = split_of(*options, dataset);
  const bool json = options->get<bool>("json");
  if (!json) {
    datasets::print_summary(std::cout, dataset);
    if (!options->get<bool>("brief")) datasets::tools::print_counts(std::cout, dataset);
    datasets::print_summary(std::cout, dataset, split);
    std::cout << std::flush;
  }
  const datasets::tools::CheckReport report = datasets::tools::check_dataset(
      dataset, split,
      {.near_distance = near,
       .shots = options->has("train-shots") ? options->get<std::int64_t>("train-shots") : 0,
       .threads = static_cast<unsigned>(count_of(*options, "threads", 0, kMostThreads)),
       .progress = counter("checking")});
  if (json)
    print_json(check_json(report));
  else
    std::cout << report;
  if (options->has("duplicates"))
    datasets::tools::write_likenesses(options->text("duplicates"), report);
  if (!report.obstacle.empty()) return kData;
  return report.passed() || !options->get<bool>("strict") ? kOk : kData;
}

}  // namespace petlab::app
