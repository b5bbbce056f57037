#include "petlab/datasets/icon_home.hpp"

#include "icon_home_description.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/read_file.hpp"

#include <nlohmann/json.hpp>

#include <map>

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorKind;
using nlohmann::json;

constexpr const char* kRepair = "; run `petlab datasets build icon-home`";

}  // namespace

IconHomeDescription read_icon_home_description(const fs::path& built_dir) {
  const fs::path file = built_dir / kIconHomeDescription;
  if (!fs::is_regular_file(file)) {
    throw Error(ErrorKind::data, "Icon-Home is not in " + built_dir.string() + " (no " +
                                     kIconHomeDescription + " there)" + kRepair);
  }
  try {
    const json document = json::parse(base::read_text_file(file));
    return {.version = document.at("version"),
            .manifest = document.at("manifest_sha256"),
            .fingerprint = document.at("fingerprint"),
            .counts = document.at("domains").get<std::map<std::string, std::size_t>>(),
            .identical_pairs = document.at("duplicates").at("identical"),
            .near_pairs = document.at("duplicates").at("near"),
            .near_pairs_across_domains = document.at("duplicates").at("near_across_domains")};
  } catch (const json::exception&) {
    throw Error(ErrorKind::data, file.string() + " is damaged" + kRepair);
  }
}

Dataset load_icon_home(const fs::path& built_dir, const fs::path& recipe_dir, unsigned threads) {
  const IconHomeDescription stored = read_icon_home_description(built_dir);
  if (!recipe_dir.empty()) {
    const IconHomeManifest manifest = read_icon_home_manifest(recipe_dir);
    if (manifest.sha256 != stored.manifest) {
      throw Error(ErrorKind::data, built_dir.string() + " was built from manifest version " +
                                       stored.version + ", the manifest is now version " +
                                       manifest.version + " with other images" + kRepair);
    }
  }
  Dataset dataset =
      load_folder(built_dir, {.name = "icon-home", .version = stored.version, .threads = threads});
  std::map<std::string, std::size_t> counts;
  for (const auto& domain : dataset.domains)
    counts[domain.name] = domain.samples.size();
  if (counts != stored.counts) {
    throw Error(ErrorKind::data,
                built_dir.string() + " holds " + std::to_string(sample_count(dataset)) +
                    " images, not those counted in its " + kIconHomeDescription + kRepair);
  }
  if (dataset.fingerprint != stored.fingerprint) {
    throw Error(
        ErrorKind::data,
        built_dir.string() + " holds images that were changed since they were built" + kRepair);
  }
  return dataset;
}

}  // namespace petlab::datasets
