#include "petlab/datasets/registry.hpp"

#include "class_names.hpp"
#include "coop_sets.hpp"
#include "names.hpp"
#include "petlab/base/error.hpp"
#include "petlab/datasets/icon_home.hpp"
#include "published.hpp"
#include "shards.hpp"
#include "tree.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
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
  std::function<Dataset(const DatasetSource& source)> open;
};

std::vector<Loader> own_loaders() {
  return {
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
      {{"office31", "Office-31: 31 objects of an office, from a shop and two cameras",
        "amazon, dslr, webcam; class/picture.jpg, also below images/",
        "its authors' page (Saenko et al., 2010)",
        "amazon 2,817, dslr 498, webcam 795 (recalled): 4,110 images", ""},
       false,
       [](const DatasetSource& s) { return load_published(office31(), s.root, options_of(s)); }},
      {{"vlcs", "VLCS: 5 classes in 4 collections of photographs",
        "Caltech101, LabelMe, SUN09, VOC2007; class/picture.jpg",
        "its authors (Fang et al., 2013), as DomainBed arranges it",
        "Caltech101 1,415, LabelMe 2,656, SUN09 3,282, VOC2007 3,376 (recalled): 10,729 images",
        ""},
       false,
       [](const DatasetSource& s) { return load_published(vlcs(), s.root, options_of(s)); }},
      {{"terra-incognita", "TerraIncognita: 10 animals before 4 camera traps",
        "location_38, location_43, location_46, location_100; class/picture.jpg",
        "its authors (Beery et al., 2018), as DomainBed selects it",
        "location_38 9,736, location_43 3,970, location_46 5,883, location_100 4,741 (recalled): "
        "24,330 images",
        ""},
       false,
       [](const DatasetSource& s) {
         return load_published(terra_incognita(), s.root, options_of(s));
       }},
      {{"coop-split", "images of your own with a split in the form of CoOp's",
        "a split*.json (train, val and test: lists of [path, label, class name]), or a folder with "
        "one; paths start at its folder or at images/ in it",
        "yours", "", ""},
       false,
       [](const DatasetSource& s) { return load_coop_split(s.root, options_of(s)); }},
      {{"parquet", "Parquet files as the Hugging Face hub has them",
        "a folder of {train,validation,test}-*.parquet, also below data/ or in folders named so: a "
        "column of images, one of labels (ClassLabel or text), one called domain where there is "
        "one",
        "a data set's repository on the hub (datasets of type image-classification)", "", ""},
       false,
       [](const DatasetSource& s) { return load_parquet(s.root, options_of(s)); }},
      {{"webdataset", "tar shards as WebDataset has them",
        "a folder of .tar, also in train/, val/, test/: NAME.jpg with NAME.cls or NAME.json "
        "(\"label\", \"domain\"); classnames.txt names the numbers, a line each",
        "yours, or a hub's", "", ""},
       false,
       [](const DatasetSource& s) { return load_webdataset(s.root, options_of(s)); }},
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
}

/// 50000 as "50,000".
std::string grouped(std::size_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;)
    text.insert(at -= 3, ",");
  return text;
}

Loader loader_of(const CoopSet& set) {
  const std::string name = set.name;
  const bool is_listed = *set.split != '\0';
  std::string layout = is_listed ? std::string(*set.images == '\0' ? "the images" : set.images) +
                                       (*set.images == '\0' ? "" : "/") + " and " + set.split +
                                       " (which --lists may name)"
                       : name == "imagenet"
                           ? "images/{train,val}/class, or {train,val}/class; classnames.txt"
                           : "images/, variants.txt and images_variant_{train,val,test}.txt";
  layout += ", as CoOp's " + std::string(set.folder) + "/ or the folder above";
  const std::string counts =
      grouped(set.classes) + " classes; " + grouped(set.train) + " train, " +
      (set.validation > 0 ? grouped(set.validation) + " val, " : std::string()) +
      grouped(set.test) + " test; for zero-shot '" + set.text + "'";
  return {{name, set.what, layout, "as CoOp's DATASETS.md says", counts, ""},
          is_listed,
          [&set](const DatasetSource& s) { return load_coop(set, s.root, options_of(s)); }};
}

const std::vector<Loader>& loaders() {
  static const std::vector<Loader> all = [] {
    std::vector<Loader> list = own_loaders();
    std::vector<Loader> coop;
    for (const CoopSet& set : coop_sets())
      coop.push_back(loader_of(set));
    const auto own = std::find_if(list.begin(), list.end(), [](const Loader& loader) {
      return loader.known.name == "coop-split";
    });
    list.insert(own, std::make_move_iterator(coop.begin()), std::make_move_iterator(coop.end()));
    return list;
  }();
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
                          "' is not made by lists: --lists is for domainnet, mini-domainnet, "
                          "domainnet-126 and those of CoOp with a split_zhou_*.json (a split's "
                          "lists are --split-list)");
  Dataset dataset = loader->open(source);
  if (!source.class_names.empty()) apply_class_names(dataset, source.class_names);
  take_classes(dataset, source.classes);
  return dataset;
}

std::string guess_dataset(const fs::path& root) {
  std::error_code ignored;
  if (fs::is_regular_file(root, ignored)) {
    const fs::path ending = root.extension();
    return ending == ".json"      ? "coop-split"
           : ending == ".parquet" ? "parquet"
           : ending == ".tar"     ? "webdataset"
                                  : "csv";
  }
  if (!fs::is_directory(root, ignored)) return "folder";
  if (fs::is_regular_file(root / "dataset.json", ignored) &&
      fs::is_regular_file(root / "ATTRIBUTION.md", ignored))
    return "icon-home";
  if (fs::is_regular_file(root / "manifest.csv", ignored)) return "csv";
  if (const CoopSet* set = coop_set_in(root)) return set->name;
  const auto folders = list_folder(root).folders;
  if (domains_there(office_home(), folders) == 4) return "office-home";
  if (domains_there(pacs(), folders) == 4) return "pacs";
  if (domains_there(vlcs(), folders) == 4) return "vlcs";
  if (domains_there(terra_incognita(), folders) == 4) return "terra-incognita";
  if (domains_there(office31(), folders) == 3) return "office31";
  if (has_shards(root, ".parquet")) return "parquet";
  if (has_shards(root, ".tar")) return "webdataset";
  if (domains_there(domainnet(), folders) >= 4) {
    return fs::is_directory(root / "splits_mini", ignored) ? "mini-domainnet" : "domainnet";
  }
  return "folder";
}

}  // namespace petlab::datasets
