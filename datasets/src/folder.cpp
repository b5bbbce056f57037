#include "folder.hpp"

#include "names.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "tree.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <system_error>

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLayout =
    "expected ROOT/domain/class/picture.jpg, or ROOT/class/picture.jpg for one domain";

void add_class(const fs::path& folder, const std::string& domain, Part part, FoundEntries& found) {
  const Listing listing = list_folder(folder);
  const std::size_t pictures = found.entries.size();
  const std::size_t foreign = found.passed.foreign.size();
  for (const fs::path& file : listing.files) {
    switch (file_kind(file)) {
      case FileKind::picture:
        found.entries.push_back({domain, folder.filename().string(), file, part});
        break;
      case FileKind::foreign:
        found.passed.foreign.push_back(file);
        break;
      case FileKind::other:
        found.passed.others.push_back(file);
        break;
    }
  }
  for (const fs::path& below : listing.folders)
    if (picture_depth(below) >= 0)
      base::throw_data_error("class folder " + base::printable(folder) + " holds the folder '" +
                             base::printable(below.filename()) +
                             "' where images belong: " + kLayout);
  // Foreign pictures are refused later, all at once.
  const bool only_foreign = found.passed.foreign.size() > foreign;
  if (found.entries.size() == pictures && (!only_foreign || found.passed.leave_out_foreign))
    base::throw_data_error("class folder " + base::printable(folder) + " holds no image" +
                           (only_foreign ? " in a format that petlab reads" : "") +
                           ": put some in or remove it");
}

/// add_classes for one part of a domain. The same file name may be in another part too.
void add_part(const fs::path& folder, const fs::path& part, const std::string& domain,
              FoundEntries& found) {
  const std::size_t before = found.entries.size();
  add_classes(folder, domain, *part_of_folder(part), found);
  for (std::size_t i = before; i < found.entries.size(); ++i) {
    Entry& entry = found.entries[i];
    entry.path_in_list = part.filename().string() + "/" + entry.file.filename().string();
  }
}

void add_outside(const Listing& listing, PassedOver& passed) {
  std::copy_if(listing.files.begin(), listing.files.end(), std::back_inserter(passed.outside),
               has_picture_ending);
}

/// What a root holds, by the number of folders between it and the pictures.
struct Shape {
  Listing listing;
  std::map<int, std::vector<fs::path>> by_depth;  ///< -1: no picture below

  [[nodiscard]] bool only(int depth) const {
    return by_depth.contains(depth) && by_depth.size() == (by_depth.contains(-1) ? 2U : 1U);
  }
};

Shape shape_of_tree(const fs::path& root) {
  Shape shape{list_folder(root), {}};
  for (const fs::path& folder : shape.listing.folders)
    shape.by_depth[picture_depth(folder)].push_back(folder);
  return shape;
}

[[noreturn]] void no_layout(const fs::path& root, const Shape& shape) {
  const auto& by_depth = shape.by_depth;
  if (shape.listing.folders.empty()) {
    const bool pictures =
        std::any_of(shape.listing.files.begin(), shape.listing.files.end(),
                    [](const fs::path& f) { return file_kind(f) == FileKind::picture; });
    base::throw_data_error(
        "data set folder " + base::printable(root) +
        (pictures ? " holds images and no folder, as a class does: " : " holds no folder: ") +
        kLayout);
  }
  if (by_depth.contains(-1) && by_depth.size() == 1)
    base::throw_data_error("data set folder " + base::printable(root) +
                           " holds no image in its folders " + names_of(by_depth.at(-1)) + ": " +
                           kLayout);
  if (by_depth.contains(0))
    base::throw_data_error("data set folder " + base::printable(root) + " holds classes (" +
                           names_of(by_depth.at(0)) + ") beside folders of classes (" +
                           names_of(by_depth.rbegin()->second) + "): " + kLayout);
  const fs::path& deepest = by_depth.rbegin()->second.front();
  base::throw_data_error("data set folder " + base::printable(root) + " holds whole data sets (" +
                         names_of(shape.listing.folders) + "): " + kLayout + "; perhaps " +
                         base::printable(deepest) + " is meant");
}

/// The entries of a folder of any of the layouts, and notes about which.
struct Found : FoundEntries {
  std::vector<std::string> notes = {};
};

/// Office-31's domain/images/class: for each domain the folder that holds its classes, `images`
/// where that is its only folder. Nothing where a domain has another layout.
std::optional<std::vector<fs::path>> all_below_images(const std::vector<fs::path>& domains) {
  std::vector<fs::path> result;
  for (const fs::path& domain : domains) {
    result.push_back(below_images(domain));
    if (picture_depth(result.back()) != 1) return std::nullopt;
  }
  return result;
}

Found find_entries(const fs::path& root, bool leave_out_foreign, bool inside = false) {
  Found found;
  found.passed.leave_out_foreign = leave_out_foreign;
  const Shape shape = shape_of_tree(root);

  const auto& folders = shape.listing.folders;
  const auto part_note = [&] {
    found.notes.emplace_back(
        "folders named train, val and test are the data set's own split: [dataset] split = list");
  };
  if (shape.only(0)) {
    // One domain; an empty class folder among the others is found by add_classes.
    if (are_parts(folders))
      base::throw_data_error("data set folder " + base::printable(root) + " holds images in " +
                             names_of(folders) +
                             " without class folders: expected part/class/picture.jpg");
    add_classes(root, name_of(root), Part::none, found);
    found.notes.push_back("one domain, '" + name_of(root) + "': its folders are classes");
    return found;
  }
  if (shape.only(1)) {
    if (are_parts(folders)) {
      add_domain(root, name_of(root), found);
      part_note();
      return found;
    }
    add_outside(shape.listing, found.passed);
    for (const fs::path& folder : folders) {
      if (picture_depth(folder) < 0)
        base::throw_data_error("domain folder " + base::printable(folder) +
                               " holds no class folder with images: " + kLayout);
      add_domain(folder, folder.filename().string(), found);
    }
    return found;
  }
  if (shape.only(2) && are_parts(folders)) {
    for (const fs::path& part : folders)
      for (const fs::path& domain : list_folder(part).folders)
        add_part(domain, part, domain.filename().string(), found);
    part_note();
    return found;
  }
  if (const auto inner = all_below_images(folders); folders.size() > 1 && inner) {
    add_outside(shape.listing, found.passed);
    for (std::size_t i = 0; i < folders.size(); ++i)
      add_domain(inner->at(i), folders[i].filename().string(), found);
    found.notes.emplace_back("the folder 'images' of each domain is looked through");
    return found;
  }
  const bool domains_with_parts =
      shape.only(2) && std::all_of(folders.begin(), folders.end(), [](const fs::path& folder) {
        return are_parts(list_folder(folder).folders);
      });
  if (domains_with_parts && folders.size() > 1) {
    for (const fs::path& folder : folders)
      add_domain(folder, folder.filename().string(), found);
    part_note();
    return found;
  }
  if (folders.size() == 1 && !inside && (shape.only(2) || shape.only(3))) {
    found = find_entries(folders.front(), leave_out_foreign, /*inside=*/true);
    found.notes.insert(found.notes.begin(), "used " + base::printable(folders.front()) +
                                                ", the only folder of " + base::printable(root));
    return found;
  }
  no_layout(root, shape);
}

}  // namespace

std::optional<Part> part_of_folder(const fs::path& folder) {
  static const std::map<std::string, Part> parts{
      {"train", Part::train},      {"training", Part::train},        {"val", Part::validation},
      {"valid", Part::validation}, {"validation", Part::validation}, {"crossval", Part::validation},
      {"test", Part::test}};
  const auto found = parts.find(lower_case(folder.filename().string()));
  return found == parts.end() ? std::nullopt : std::optional(found->second);
}

fs::path below_images(const fs::path& domain) {
  const auto inner = list_folder(domain).folders;
  const bool is_images =
      inner.size() == 1 && lower_case(inner.front().filename().string()) == "images";
  return is_images ? inner.front() : domain;
}

std::string name_of(const fs::path& root) {
  std::error_code error;
  fs::path whole = fs::weakly_canonical(root, error);
  if (error) whole = root;
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

bool are_parts(const std::vector<fs::path>& folders) {
  return !folders.empty() && std::all_of(folders.begin(), folders.end(), [](const fs::path& f) {
    return part_of_folder(f).has_value();
  });
}

void add_classes(const fs::path& folder, const std::string& domain, Part part,
                 FoundEntries& found) {
  const Listing listing = list_folder(folder);
  if (listing.folders.empty())
    base::throw_data_error("domain folder " + base::printable(folder) +
                           " holds no class folder: " + kLayout);
  add_outside(listing, found.passed);
  for (const fs::path& class_folder : listing.folders)
    add_class(class_folder, domain, part, found);
}

void add_domain(const fs::path& folder, const std::string& domain, FoundEntries& found) {
  const auto folders = list_folder(folder).folders;
  if (!are_parts(folders)) return add_classes(folder, domain, Part::none, found);
  for (const fs::path& part : folders)
    add_part(part, part, domain, found);
}

void check_root(const fs::path& root, const std::string& expected) {
  std::error_code error;
  const auto status = fs::status(root, error);
  if (status.type() == fs::file_type::not_found)
    base::throw_data_error("data set folder " + base::printable(root) +
                           " does not exist: " + expected);
  if (!fs::is_directory(status))
    base::throw_data_error(
        base::printable(root) +
        (fs::is_regular_file(status) ? " is a file, no folder: " : " cannot be opened: ") +
        expected);
}

Dataset load_folder(const fs::path& root, const FolderOptions& options) {
  check_root(root, kLayout);
  Found found = find_entries(root, options.leave_out_foreign);
  const std::vector<std::string> passed = settle(found.passed, root);
  found.notes.insert(found.notes.end(), passed.begin(), passed.end());
  Dataset dataset = assemble(found.entries, {.name = options.name,
                                             .version = options.version,
                                             .root = root,
                                             .domains = options.domains,
                                             .fingerprint = options.fingerprint,
                                             .threads = options.threads});
  dataset.notes = std::move(found.notes);
  return dataset;
}

}  // namespace petlab::datasets
