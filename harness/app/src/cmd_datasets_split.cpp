#include "command.hpp"
#include "datasets_command.hpp"

#include <iostream>

namespace petlab::app {

int split_datasets(const Arguments& arguments) {
  Usage usage{
      "datasets split",
      "ROOT [options]",
      "Shows which images train, validate and test, and writes the list (domain, id, part, "
      "hash)\n"
      "when --out names a file. The same names, split and seed give the same list on every "
      "machine.\n"
      "petlab reads such a list back (--split-list), as it does those of the literature: MRN's "
      "and\n"
      "VMTL's, SSDA_MME's, Dassl's, LibMTL's. Classes are matched by name, not\n"
      "by number; lists whose numbers disagree are refused.",
      po::options_description("Options"),
      {"ROOT"},
      "  petlab datasets split ~/data/OfficeHome --train-fraction 0.2 --seed 3 --out split.csv\n"
      "  petlab datasets split ~/data/OfficeHome --split shots --train-shots 4\n"
      "  petlab datasets split ~/data/OfficeHome --split-list 'MTlearn/*/{train,test}_10.txt'\n"};
  add_dataset_options(usage.options);
  add_split_options(usage.options);
  usage.options.add_options()("out", text_value(), "CSV file to write");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  const datasets::Dataset dataset = open_root(*options, /*fingerprint=*/false);
  const datasets::Split split = split_of(*options, dataset);
  datasets::print_summary(std::cout, dataset, split);
  if (options->has("out")) datasets::write_split(options->text("out"), dataset, split);
  return kOk;
}

int fingerprint_datasets(const Arguments& arguments) {
  Usage usage{
      "datasets fingerprint",
      "ROOT [options]",
      "Prints the SHA-256 over all ids, labels, class names and image bytes: part of every\n"
      "run's identity. Equal for the same images on every machine; of the published data\n"
      "sets also where folders are spelled in another way.",
      po::options_description("Options"),
      {"ROOT"},
      "  petlab datasets fingerprint ~/data/OfficeHome\n"
      "  petlab datasets fingerprint icon-home\n"};
  add_dataset_options(usage.options);
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  std::cout << open_root(*options, /*fingerprint=*/true).fingerprint << "\n";
  return kOk;
}

}  // namespace petlab::app
