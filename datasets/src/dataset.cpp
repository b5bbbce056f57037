#include "petlab/datasets/dataset.hpp"

#include "files.hpp"
#include "parallel.hpp"
#include "petlab/datasets/hash.hpp"
#include "petlab/sdk/error.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <ostream>
#include <set>

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;
using sdk::Error;
using sdk::ErrorKind;

constexpr const char* kLayout = "expected root/domain/class/picture.{jpg,jpeg,png}";

std::string lower(std::string text) {
  for (char& c : text)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// What two spellings of a domain's name have in common.
std::string domain_key(const std::string& name) {
  std::string key;
  for (const char c : lower(name)) {
    if (c != ' ' && c != '_' && c != '-') key += c;
  }
  return key;
}

/// Entries of a folder in C-locale order of their names, without hidden ones.
std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().front() != '.') entries.push_back(entry.path());
  }
  std::sort(entries.begin(), entries.end(), [](const fs::path& a, const fs::path& b) {
    return a.filename().string() < b.filename().string();
  });
  return entries;
}

std::vector<fs::path> folders_of(const fs::path& folder) {
  auto entries = entries_of(folder);
  std::erase_if(entries, [](const fs::path& p) { return !fs::is_directory(p); });
  return entries;
}

std::vector<fs::path> pictures_of(const fs::path& folder) {
  static const std::set<std::string> readable{".jpg", ".jpeg", ".png"};
  static const std::set<std::string> unreadable{".bmp",  ".gif",  ".tif", ".tiff", ".webp",
                                                ".avif", ".heic", ".ppm", ".svg"};
  std::vector<fs::path> pictures;
  for (const auto& entry : entries_of(folder)) {
    if (fs::is_directory(entry)) {
      throw Error(ErrorKind::data, folder.string() + " holds the folder '" +
                                       entry.filename().string() +
                                       "' where pictures belong: " + kLayout);
    }
    const std::string extension = lower(entry.extension().string());
    if (readable.contains(extension)) {
      pictures.push_back(entry);
    } else if (unreadable.contains(extension)) {
      throw Error(ErrorKind::data, entry.string() + " has a format that petlab cannot read: " +
                                       "convert it to JPEG or PNG, or take it out of the folder");
    }
  }
  if (pictures.empty()) {
    throw Error(ErrorKind::data,
                "class folder " + folder.string() + " holds no picture: " + kLayout);
  }
  return pictures;
}

std::vector<fs::path> selected_domains(const fs::path& root, const FolderOptions& options) {
  const auto all = folders_of(root);
  if (options.domains.empty()) return all;
  std::vector<fs::path> selected;
  for (const auto& wanted : options.domains) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const fs::path& p) {
      return domain_key(p.filename().string()) == domain_key(wanted);
    });
    if (found == all.end()) {
      std::string names;
      for (const auto& p : all)
        names += (names.empty() ? "" : ", ") + p.filename().string();
      throw Error(ErrorKind::config,
                  "no domain '" + wanted + "' in " + root.string() + ", which has: " + names);
    }
    if (std::find(selected.begin(), selected.end(), *found) != selected.end()) {
      throw Error(ErrorKind::config, "domain '" + wanted + "' is asked for twice");
    }
    selected.push_back(*found);
  }
  return selected;
}

/// Class name -> its pictures, for one domain.
using ClassFolders = std::map<std::string, std::vector<fs::path>>;

ClassFolders read_domain(const fs::path& folder) {
  ClassFolders classes;
  for (const auto& class_folder : folders_of(folder)) {
    classes[class_folder.filename().string()] = pictures_of(class_folder);
  }
  if (classes.empty()) {
    throw Error(ErrorKind::data,
                "domain folder " + folder.string() + " holds no class folder: " + kLayout);
  }
  return classes;
}

std::vector<std::string> union_of_classes(const std::vector<ClassFolders>& domains,
                                          const fs::path& root) {
  std::set<std::string> names;
  for (const auto& domain : domains) {
    for (const auto& [name, pictures] : domain)
      names.insert(name);
  }
  std::map<std::string, std::string> by_lower;
  for (const auto& name : names) {
    const auto [it, fresh] = by_lower.emplace(lower(name), name);
    if (!fresh) {
      throw Error(ErrorKind::data, "class folders '" + it->second + "' and '" + name + "' in " +
                                       root.string() +
                                       " differ only in case: give one class one name");
    }
  }
  return {names.begin(), names.end()};
}

Domain make_domain(const std::string& name, const ClassFolders& folders,
                   const std::vector<std::string>& classes) {
  Domain domain{name, {}, {}};
  for (const auto& [class_name, pictures] : folders) {
    const auto label =
        std::lower_bound(classes.begin(), classes.end(), class_name) - classes.begin();
    domain.classes.push_back(label);
    std::map<std::string, int> stems;
    for (const auto& picture : pictures)
      ++stems[picture.stem().string()];
    for (const auto& picture : pictures) {
      const bool unique = stems.at(picture.stem().string()) == 1;
      domain.samples.push_back(
          {name + "/" + class_name + "/" + (unique ? picture.stem() : picture.filename()).string(),
           picture, label});
    }
  }
  std::sort(domain.samples.begin(), domain.samples.end(),
            [](const Sample& a, const Sample& b) { return a.id < b.id; });
  return domain;
}

std::string display_name(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

}  // namespace

Dataset load_folder(const fs::path& root, const FolderOptions& options) {
  if (!fs::is_directory(root)) {
    throw Error(ErrorKind::data,
                "data set folder " + root.string() + " does not exist: " + kLayout);
  }
  const auto folders = selected_domains(root, options);
  if (folders.empty()) {
    throw Error(ErrorKind::data,
                "data set folder " + root.string() + " holds no domain: " + kLayout);
  }
  std::vector<ClassFolders> domains;
  for (const auto& folder : folders)
    domains.push_back(read_domain(folder));

  Dataset dataset;
  dataset.name = options.name;
  dataset.version = options.version;
  dataset.classes = union_of_classes(domains, root);
  for (const auto& name : dataset.classes)
    dataset.display_names.push_back(display_name(name));
  for (std::size_t d = 0; d < folders.size(); ++d) {
    dataset.domains.push_back(
        make_domain(folders[d].filename().string(), domains[d], dataset.classes));
  }
  if (options.fingerprint) dataset.fingerprint = fingerprint(dataset, options.threads);
  return dataset;
}

std::string fingerprint(const Dataset& dataset, unsigned threads) {
  std::vector<const Sample*> samples;
  for (const auto& domain : dataset.domains) {
    for (const auto& sample : domain.samples)
      samples.push_back(&sample);
  }
  std::vector<std::array<std::uint8_t, 32>> digests(samples.size());
  parallel_for(samples.size(), threads, [&](std::size_t i) {
    Sha256 hash;
    hash.update(read_file(samples[i]->file));
    digests[i] = hash.finish();
  });
  Sha256 total;
  total.update_text("petlab dataset 1");
  for (const auto& name : dataset.classes)
    total.update_text(name);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    total.update_text(samples[i]->id);
    total.update_text(std::to_string(samples[i]->label));
    total.update(digests[i]);
  }
  return to_hex(total.finish());
}

std::size_t sample_count(const Dataset& dataset) {
  std::size_t count = 0;
  for (const auto& domain : dataset.domains)
    count += domain.samples.size();
  return count;
}

void print_summary(std::ostream& out, const Dataset& dataset) {
  out << dataset.name << " " << dataset.version << ": " << sample_count(dataset) << " pictures, "
      << dataset.classes.size() << " classes, " << dataset.domains.size() << " domains\n";
  for (const auto& domain : dataset.domains) {
    std::map<std::int64_t, std::size_t> counts;
    for (const auto& sample : domain.samples)
      ++counts[sample.label];
    const auto [low, high] =
        std::minmax_element(counts.begin(), counts.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; });
    out << "  " << domain.name << ": " << domain.samples.size() << " pictures, "
        << domain.classes.size() << " classes of " << low->second << " ("
        << dataset.classes[static_cast<std::size_t>(low->first)] << ") to " << high->second << " ("
        << dataset.classes[static_cast<std::size_t>(high->first)] << ")\n";
  }
  if (!dataset.fingerprint.empty()) out << "  fingerprint " << dataset.fingerprint << "\n";
}

}  // namespace petlab::datasets
