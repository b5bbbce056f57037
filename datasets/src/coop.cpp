#include "class_names.hpp"
#include "coop_sets.hpp"
#include "coop_split.hpp"
#include "folder.hpp"
#include "listed_pictures.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "text_lines.hpp"
#include "tree.hpp"

#include <algorithm>
#include <map>
#include <system_error>
#include <utility>

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;

/// "a folder with 101_ObjectCategories/ and split_zhou_Caltech101.json, CoOp's caltech-101".
std::string layout_of(const CoopSet& set) {
  const std::string name = set.name;
  std::string files;
  if (name == "imagenet")
    files = "images/train/, images/val/ and classnames.txt";
  else if (name == "fgvc-aircraft")
    files = "images/, variants.txt and images_variant_{train,val,test}.txt";
  else
    files = (*set.images == '\0' ? std::string("the images") : std::string(set.images) + "/") +
            " and " + set.split;
  return "a folder with " + files + " (CoOp's " + set.folder + ")";
}

/// The folder of the set: `root`, or CoOp's name of it in `root`.
fs::path folder_of(const CoopSet& set, const fs::path& root, const std::string& sign,
                   std::vector<std::string>& notes) {
  const std::string expected = "expected " + layout_of(set);
  check_root(root, expected);
  std::error_code ignored;
  if (fs::exists(root / sign, ignored)) return root;
  for (const fs::path& inner : {root / set.folder, root / "data"}) {
    if (!fs::exists(inner / sign, ignored)) continue;
    notes.push_back("used " + base::printable(inner));
    return inner;
  }
  base::throw_data_error(base::printable(root) + " is no " + set.name + " folder: it holds no " +
                         sign + "; " + expected);
}

/// The split's file: in the set's folder, or as `lists` says.
fs::path split_file(const CoopSet& set, const fs::path& folder, const fs::path& lists) {
  if (lists.empty()) return folder / set.split;
  std::error_code ignored;
  return fs::is_directory(lists, ignored) ? lists / set.split : lists;
}

void need_folder(const fs::path& images) {
  std::error_code ignored;
  if (!fs::is_directory(images, ignored))
    base::throw_data_error("the images' folder " + base::printable(images) + " does not exist");
}

AssembleOptions assemble_options(const std::string& name, const fs::path& root,
                                 const LoadOptions& options,
                                 std::vector<std::string> classes = {}) {
  return {.name = name,
          .version = "1",
          .root = root,
          .domains = options.domains,
          .class_order = std::move(classes),
          .fingerprint = options.fingerprint,
          .threads = options.threads};
}

Dataset load_by_json(const CoopSet& set, const fs::path& root, const LoadOptions& options) {
  std::vector<std::string> notes;
  const std::string sign = options.lists.empty() ? set.split : set.images;
  const fs::path folder = folder_of(set, root, sign, notes);
  const fs::path images = *set.images == '\0' ? folder : folder / set.images;
  need_folder(images);
  CoopSplit split = read_coop_split(split_file(set, folder, options.lists), images, set.name);
  Dataset dataset =
      assemble(split.entries, assemble_options(set.name, folder, options, split.classes));
  dataset.notes = std::move(notes);
  return dataset;
}

/// The lines `image name of the variant` of one part.
void add_variants(const fs::path& file, Part part, const std::vector<std::string>& variants,
                  ListedPictures& pictures) {
  for (const TextLine& line : read_lines(file)) {
    const std::string where = base::printable(file) + " line " + std::to_string(line.number);
    const std::size_t blank = line.text.find(' ');
    const std::string variant =
        blank == std::string::npos ? "" : line.text.substr(line.text.find_first_not_of(' ', blank));
    if (std::find(variants.begin(), variants.end(), variant) == variants.end())
      base::throw_data_error(where + ": '" + base::escaped(line.text.substr(0, 80)) +
                             "' names no variant of variants.txt, expected 'image variant'");
    pictures.add(line.text.substr(0, blank) + ".jpg", variant, part, where);
  }
}

Dataset load_aircraft(const CoopSet& set, const fs::path& root, const LoadOptions& options) {
  std::vector<std::string> notes;
  const fs::path folder = folder_of(set, root, "images_variant_train.txt", notes);
  need_folder(folder / set.images);
  std::vector<std::string> variants;
  for (const TextLine& line : read_lines(folder / "variants.txt")) {
    if (std::find(variants.begin(), variants.end(), line.text) != variants.end())
      base::throw_data_error(base::printable(folder / "variants.txt") + " line " +
                             std::to_string(line.number) + ": variant '" +
                             base::escaped(line.text) + "' stands there twice");
    variants.push_back(line.text);
  }
  ListedPictures pictures(folder / set.images, set.name);
  constexpr std::pair<const char*, Part> kParts[] = {
      {"train", Part::train}, {"val", Part::validation}, {"test", Part::test}};
  for (const auto& [key, part] : kParts)
    add_variants(folder / (std::string("images_variant_") + key + ".txt"), part, variants,
                 pictures);
  Dataset dataset =
      assemble(pictures.entries(), assemble_options(set.name, folder, options, variants));
  dataset.notes = std::move(notes);
  return dataset;
}

/// ImageNet's own training and validation images; the latter test, as in CoOp.
Dataset load_imagenet(const CoopSet& set, const fs::path& root, const LoadOptions& options) {
  std::vector<std::string> notes;
  std::error_code ignored;
  const bool is_plain = fs::is_directory(root / "train", ignored);
  const fs::path folder = is_plain ? root : folder_of(set, root, "images/train", notes);
  const fs::path images = is_plain ? root : folder / set.images;
  FoundEntries found;
  found.passed.leave_out_foreign = options.leave_out_foreign;
  constexpr std::pair<const char*, Part> kParts[] = {{"train", Part::train}, {"val", Part::test}};
  for (const auto& [key, part] : kParts) {
    need_folder(images / key);
    const std::size_t before = found.entries.size();
    add_classes(images / key, set.name, part, found);
    for (std::size_t i = before; i < found.entries.size(); ++i)
      found.entries[i].path_in_list =
          std::string(key) + "/" + found.entries[i].file.filename().string();
  }
  const std::vector<std::string> passed = settle(found.passed, images);
  notes.insert(notes.end(), passed.begin(), passed.end());
  Dataset dataset = assemble(found.entries, assemble_options(set.name, folder, options));
  dataset.notes = std::move(notes);
  const fs::path names = folder / "classnames.txt";
  // CoOp's file calls two pairs of classes by one name; these are WordNet's first names.
  if (fs::is_regular_file(names, ignored))
    apply_class_names(dataset, names, {{"n04008634", "projectile"}, {"n04355933", "sunglass"}});
  return dataset;
}

void compare_counts(const CoopSet& set, Dataset& dataset) {
  std::map<Part, std::size_t> counts;
  for (const Domain& domain : dataset.domains)
    for (const Sample& sample : domain.samples)
      ++counts[sample.part];
  const auto compare = [&](const char* what, std::size_t there, std::size_t published) {
    if (there != published)
      dataset.notes.push_back(std::string("the set has ") + std::to_string(there) + " " + what +
                              ", published are " + std::to_string(published));
  };
  compare("classes", dataset.classes.size(), set.classes);
  compare("training images", counts[Part::train], set.train);
  compare("validation images", counts[Part::validation], set.validation);
  compare("test images", counts[Part::test], set.test);
  dataset.published.assign(dataset.domains.size(), set.train + set.validation + set.test);
}

fs::path only_split_in(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const fs::path& file : list_folder(folder).files)
    if (file.extension() == ".json" && file.filename().string().starts_with("split"))
      found.push_back(file);
  if (found.size() == 1) return found.front();
  base::throw_data_error(
      "folder " + base::printable(folder) + " holds " +
      (found.empty() ? std::string("no split*.json") : "several splits (" + names_of(found) + ")") +
      ": expected the file of a split as CoOp's split_zhou_*.json, or a folder "
      "with one");
}

}  // namespace

Dataset load_coop(const CoopSet& set, const fs::path& root, const LoadOptions& options) {
  const std::string name = set.name;
  Dataset dataset = name == "imagenet"        ? load_imagenet(set, root, options)
                    : name == "fgvc-aircraft" ? load_aircraft(set, root, options)
                                              : load_by_json(set, root, options);
  compare_counts(set, dataset);
  dataset.text_template = set.text;
  return dataset;
}

Dataset load_coop_split(const fs::path& root, const LoadOptions& options) {
  std::error_code ignored;
  if (!fs::is_regular_file(root, ignored))
    check_root(root, "expected the file of a split as CoOp's split_zhou_*.json");
  const fs::path file = fs::is_regular_file(root, ignored) ? root : only_split_in(root);
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const fs::path below = folder / "images";
  const fs::path images = fs::is_directory(below, ignored) ? below : folder;
  const CoopSplit split = read_coop_split(file, images, name_of(folder));
  return assemble(split.entries, assemble_options("coop-split", folder, options, split.classes));
}

}  // namespace petlab::datasets
