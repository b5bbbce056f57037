#include "petlab/datasets/registry.hpp"

#include "class_names.hpp"
#include "names.hpp"
#include "petlab/base/error.hpp"
#include "petlab/datasets/icon_home.hpp"
#include "published.hpp"
#include "tree.hpp"

#include <algorithm>
#include <system_error>

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;

Dataset open_icon_home(const DatasetSource& source) {
  Dataset dataset = load_icon_home(source.root, source.recipe, source.threads);
  if (source.domains.empty()) return dataset;
  return load_folder(source.root, {.name = dataset.name,
                                   .version = dataset.version,
                                   .domains = source.domains,
                                   .fingerprint = source.fingerprint,
                                   .threads = source.threads,
                                   .leave_out_foreign = source.leave_out_foreign});
}

Dataset open_folder(const DatasetSource& source) {
  return load_folder(source.root, {.domains = source.domains,
                                   .fingerprint = source.fingerprint,
                                   .threads = source.threads,
                                   .leave_out_foreign = source.leave_out_foreign});
}

LoadOptions options_of(const DatasetSource& source) {
  return {source.domains, source.lists, source.fingerprint, source.threads,
          source.leave_out_foreign};
}

/// One line here is all that a new loader needs.
struct Loader {
  KnownDataset known;
  bool has_lists;
  Dataset (*open)(const DatasetSource& source);
};

const std::vector<Loader>& loaders() {
  static const std::vector<Loader> all = {
      {{"icon-home", "65 everyday objects in 4 drawing styles, from openly licensed icons",
        "domain/class/picture.png, as petlab builds it", "petlab datasets build icon-home",
        "line, solid, flat, emoji: 3,959 images", ""},
       false,
       open_icon_home},
      {{"office-home", "Office-Home: 65 everyday objects, photographed and drawn",
        "Art, Clipart, Product, Real World (or Real_World, RealWorld, Real, in any case); "
        "class/picture.jpg; also domain/{train,val}/class (Dassl's office_home_dg)",
        "its authors' page (Venkateswara et al., 2017): OfficeHomeDataset_10072016.zip",
        "Art 2,427, Clipart 4,365, Product 4,439, Real World 4,357: 15,588 images", ""},
       false,
       [](const DatasetSource& s) { return load_published(office_home(), s.root, options_of(s)); }},
      {{"domainnet", "DomainNet: 345 classes in 6 domains",
        "clipart, infograph, painting, quickdraw, real, sketch; class/picture.jpg; with "
        "<domain>_train.txt and <domain>_test.txt in the root, splits/ or --lists, what they name",
        "its authors' page (Peng et al., 2019): six zip files and their lists",
        "original 48,837, 53,201, 75,759, 172,500, 175,327, 70,386; cleaned 48,129, 51,605, "
        "72,266, "
        "172,500, 172,947, 69,128",
        ""},
       true,
       [](const DatasetSource& s) { return load_domainnet(s.root, options_of(s)); }},
      {{"mini-domainnet", "MiniDomainNet: 126 classes in 4 domains of DomainNet",
        "DomainNet's folder with splits_mini/<domain>_train.txt and <domain>_test.txt (or --lists)",
        "DomainNet's images; the lists as Dassl's mini_domainnet names them",
        "clipart 18,703, painting 31,202, real 65,609, sketch 24,492 (recalled): 140,006 images",
        ""},
       true,
       [](const DatasetSource& s) { return load_mini_domainnet(s.root, options_of(s)); }},
      {{"domainnet-126", "the same 126 classes and 4 domains by SSDA_MME's lists",
        "DomainNet's folder with labeled_source_images_<domain>.txt in it, in txt/multi or --lists",
        "DomainNet's images; the lists are in SSDA_MME's repository, data/txt/multi",
        "clipart 18,703, painting 31,502, real 70,358, sketch 24,582: 145,145 images", ""},
       true,
       [](const DatasetSource& s) { return load_domainnet_126(s.root, options_of(s)); }},
      {{"pacs", "PACS: 7 classes in 4 domains",
        "art_painting, cartoon, photo, sketch; class/picture; also below images/ or kfold/",
        "its authors (Li et al., 2017)",
        "art_painting 2,048, cartoon 2,344, photo 1,670, sketch 3,929: 9,991 images", ""},
       false,
       [](const DatasetSource& s) { return load_published(pacs(), s.root, options_of(s)); }},
      {{"folder", "images of your own in folders",
        "ROOT/domain/class/picture.jpg, or ROOT/class/picture.jpg for one domain; folders named "
        "train, val, test above or below the domains are its split",
        "yours", "", ""},
       false,
       open_folder},
      {{"csv", "images of your own in a list",
        "a CSV file with the columns path (relative to the file), domain, class and optionally "
        "split (train, val, test)",
        "yours", "", ""},
       false,
       [](const DatasetSource& s) { return load_csv_manifest(s.root, options_of(s)); }},
  };
  return all;
}

/// How many of a set's domains are right below `root`.
std::size_t domains_there(const PublishedSet& set, const std::vector<fs::path>& folders) {
  return static_cast<std::size_t>(
      std::count_if(set.domains.begin(), set.domains.end(), [&](const PublishedDomain& domain) {
        return std::any_of(folders.begin(), folders.end(), [&](const fs::path& folder) {
          const std::string key = name_key(folder.filename().string());
          return std::find(domain.spellings.begin(), domain.spellings.end(), key) !=
                 domain.spellings.end();
        });
      }));
}

}  // namespace

const std::vector<std::string>& dataset_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Loader& loader : loaders())
      all.push_back(loader.known.name);
    return all;
  }();
  return names;
}

std::vector<KnownDataset> list_datasets(const fs::path& icon_home_dir) {
  std::vector<KnownDataset> all;
  for (const Loader& loader : loaders()) {
    KnownDataset& known = all.emplace_back(loader.known);
    known.status = "ready when you name its folder";
    if (known.name != "icon-home") continue;
    try {
      known.status = "built in " + icon_home_dir.string() + ", " +
                     std::to_string(sample_count(load_icon_home(icon_home_dir))) + " images";
    } catch (const base::Error& error) {
      known.status = error.what();
    }
  }
  return all;
}

Dataset open_dataset(const DatasetSource& source) {
  const auto loader = std::find_if(loaders().begin(), loaders().end(), [&](const Loader& one) {
    return one.known.name == source.name;
  });
  if (loader == loaders().end()) {
    std::string names;
    for (const std::string& name : dataset_names())
      names += (names.empty() ? "" : ", ") + name;
    throw base::Error(base::ErrorKind::config,
                      "unknown data set '" + source.name + "', expected one of " + names);
  }
  if (!source.lists.empty() && !loader->has_lists)
    throw base::Error(base::ErrorKind::config,
                      "data set '" + source.name +
                          "' is not made by lists: --lists is for domainnet, mini-domainnet and "
                          "domainnet-126 (a split's lists are --split-list)");
  Dataset dataset = loader->open(source);
  if (!source.class_names.empty()) apply_class_names(dataset, source.class_names);
  take_classes(dataset, source.classes);
  return dataset;
}

std::string guess_dataset(const fs::path& root) {
  std::error_code ignored;
  if (fs::is_regular_file(root, ignored)) return "csv";
  if (!fs::is_directory(root, ignored)) return "folder";
  if (fs::is_regular_file(root / "dataset.json", ignored) &&
      fs::is_regular_file(root / "ATTRIBUTION.md", ignored))
    return "icon-home";
  if (fs::is_regular_file(root / "manifest.csv", ignored)) return "csv";
  const auto folders = list_folder(root).folders;
  if (domains_there(office_home(), folders) == 4) return "office-home";
  if (domains_there(pacs(), folders) == 4) return "pacs";
  if (domains_there(domainnet(), folders) >= 4) {
    return fs::is_directory(root / "splits_mini", ignored) ? "mini-domainnet" : "domainnet";
  }
  return "folder";
}

}  // namespace petlab::datasets
