#include "command.hpp"
#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/reports/compare.hpp"
#include "petlab/results/run_store.hpp"

#include <iostream>
#include <sstream>

namespace petlab::app {
namespace {

void write_csv(const std::string& path, const reports::CompareResult& result, std::ostream& say) {
  base::write_file(path, reports::disagreements_csv(result),
                   {.durability = base::Durability::process, .failure = base::ErrorKind::store});
  say << "wrote " << path << "\n";
}

}  // namespace

int run_compare(const Arguments& arguments) {
  Usage usage{
      "compare",
      "A B --store FILE [options]",
      "Compares two rows of a study: where their settings differ, by how much their accuracies\n"
      "differ, whether that is significant, and on which test images they disagree. Reads the\n"
      "store only.\n\n"
      "A and B are row labels, STUDY:LABEL, or the first digits of a run's identity (petlab plan\n"
      "and runs.csv show them). Runs are paired by seed and images by image, so both sides\n"
      "must have been tested on the same split. Differences are A minus B.\n\n"
      "The first sentence is the answer. It rests on the paired t-test over seeds (with one seed:\n"
      "on the bootstrap over images); reports/README.md says what each test asks.",
      po::options_description("Options"),
      {"A", "B"},
      "  petlab compare coop-joint zero-shot --store results/demo.sqlite\n"
      "  petlab compare mmap-joint coop-joint --store results/demo.sqlite --images 30 --csv d.csv\n"
      "  petlab compare small:coop large:coop --store results/all.sqlite\n"
      "  petlab compare coop coop --store before.sqlite --store-b after.sqlite\n"
      "  petlab compare 3f9a1c 77b20e --store results/demo.sqlite\n"};
  usage.options.add_options()("store", text_value()->required(), "results database")(
      "study", text_value()->default_value(""),
      "study that the rows are of, where several hold them")(
      "store-b", text_value(), "results database of B, where it is another one")(
      "images", po::value<int>()->default_value(10), "how many images to print")(
      "json", po::bool_switch(), "print everything as JSON instead")(
      "csv", text_value(), "file for all images on which they disagree, with every answer");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  const int images = options->get<int>("images");
  if (images < 0)
    throw base::Error(base::ErrorKind::config,
                      "--images is " + std::to_string(images) + ", expected 0 or more");

  const std::string& study = options->text("study");
  const results::RunStore store(options->text("store"), results::OpenMode::read_only);
  const reports::Side a = reports::find_side(store, options->text("A"), study);
  reports::Side b;
  if (options->has("store-b")) {
    const results::RunStore other(options->text("store-b"), results::OpenMode::read_only);
    b = reports::find_side(other, options->text("B"), study);
  } else {
    b = reports::find_side(store, options->text("B"), study);
  }
  const reports::CompareResult result = reports::compare(a, b);
  const bool json = options->get<bool>("json");
  if (json) {
    std::cout << reports::comparison_json(result);
  } else {
    std::ostringstream text;
    reports::print_comparison(text, result, images);
    std::cout << printable_lines(text.str());
  }
  if (options->has("csv")) write_csv(options->text("csv"), result, json ? std::cerr : std::cout);
  return kOk;
}

}  // namespace petlab::app
