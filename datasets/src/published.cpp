#include "published.hpp"

#include "folder.hpp"
#include "names.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "tree.hpp"

#include <algorithm>
#include <map>
#include <system_error>

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;

const PublishedDomain* domain_of(const PublishedSet& set, const std::string& name) {
  const std::string key = name_key(name);
  for (const PublishedDomain& domain : set.domains)
    if (std::find(domain.spellings.begin(), domain.spellings.end(), key) != domain.spellings.end())
      return &domain;
  return nullptr;
}

/// The domains right below `root`.
FoundRoot domains_in(const PublishedSet& set, const fs::path& root) {
  FoundRoot found{root, {}, {}};
  std::vector<fs::path> others;
  for (const fs::path& folder : list_folder(root).folders) {
    const PublishedDomain* domain = domain_of(set, folder.filename().string());
    if (domain == nullptr) {
      others.push_back(folder);
      continue;
    }
    for (const auto& [twin, twin_folder] : found.domains)
      if (twin == domain)
        base::throw_data_error("folders " + base::printable(twin_folder) + " and " +
                               base::printable(folder) + " are both the domain '" + domain->name +
                               "': remove one");
    found.domains.emplace_back(domain, folder);
  }
  std::erase_if(others, [&](const fs::path& folder) {
    const std::string name = folder.filename().string();
    return name.starts_with("splits") || name.starts_with("image_list") || name == "txt";
  });
  if (!found.domains.empty() && !others.empty())
    found.notes.push_back("left out, no domain of " + set.name + ": " + names_of(others));
  return found;
}

[[noreturn]] void no_domain(const PublishedSet& set, const fs::path& root,
                            const std::vector<fs::path>& candidates) {
  std::error_code ignored;
  const fs::path whole = fs::weakly_canonical(root, ignored);
  const auto folders = list_folder(root).folders;
  std::string what = base::printable(root) + " is no " + set.name + " folder: ";
  if (domain_of(set, whole.filename().string()) != nullptr && picture_depth(root) == 1)
    base::throw_data_error(what + "it is the domain '" + base::printable(whole.filename()) +
                           "' with " + std::to_string(folders.size()) + " classes; " + set.layout +
                           "; perhaps " + base::printable(whole.parent_path()) + " is meant");
  what += folders.empty() ? "it holds no folder" : "it holds " + names_of(folders);
  if (!candidates.empty())
    base::throw_data_error(what + "; " + set.layout + "; perhaps " +
                           base::printable(candidates.front()) + " is meant");
  base::throw_data_error(what + "; " + set.layout);
}

/// How many pictures each domain has by its publication, against what is there.
void compare_counts(const PublishedSet& set, const LoadOptions& options, Dataset& dataset) {
  for (const Domain& domain : dataset.domains) {
    const PublishedDomain& known = *domain_of(set, domain.name);
    const std::size_t n = domain.samples.size();
    // Where there are several editions, the nearest one.
    const auto nearest = std::min_element(
        known.counts.begin(), known.counts.end(), [&](std::size_t a, std::size_t b) {
          const auto off = [&](std::size_t c) { return c > n ? c - n : n - c; };
          return off(a) < off(b);
        });
    dataset.published.push_back(nearest == known.counts.end() ? 0 : *nearest);
    if (nearest != known.counts.end() && *nearest != n)
      dataset.notes.push_back("domain '" + domain.name + "' has " + std::to_string(n) +
                              " images, published are " + std::to_string(*nearest));
  }
  if (options.domains.empty())
    for (const PublishedDomain& known : set.domains)
      if (std::none_of(dataset.domains.begin(), dataset.domains.end(),
                       [&](const Domain& d) { return d.name == known.name; }))
        dataset.notes.push_back("domain '" + known.name + "' is not there");
  if (set.classes.empty()) return;
  for (const std::string& name : set.classes)
    if (std::find(dataset.classes.begin(), dataset.classes.end(), name) == dataset.classes.end())
      dataset.notes.push_back("class '" + name + "' is in no domain");
  for (const std::string& name : dataset.classes)
    if (std::find(set.classes.begin(), set.classes.end(), name) == set.classes.end())
      dataset.notes.push_back("class '" + name + "' is none of " + set.name + "'s");
}

/// Folders of classes as the publication calls them.
class ClassNames {
 public:
  explicit ClassNames(const PublishedSet& set) {
    for (const std::string& name : set.classes)
      names_[name_key(name)] = name;
  }
  [[nodiscard]] std::string operator()(const std::string& folder) const {
    const auto found = names_.find(name_key(folder));
    return found == names_.end() ? folder : found->second;
  }

 private:
  std::map<std::string, std::string> names_;
};

Dataset make(const PublishedSet& set, std::vector<Entry> entries, const FoundRoot& found,
             const LoadOptions& options) {
  const ClassNames class_names(set);
  std::map<std::string, fs::path> folders;
  for (Entry& entry : entries) {
    entry.class_name = class_names(entry.class_name);
    // Two spellings of a class in a domain would silently become one.
    const fs::path parent = entry.file.parent_path();
    const auto [twin, fresh] =
        folders.emplace(entry.domain + "/" + entry.class_name, parent.filename());
    if (!fresh && twin->second != parent.filename())
      base::throw_data_error("folders '" + base::printable(twin->second) + "' and '" +
                             base::printable(parent.filename()) + "' of domain '" + entry.domain +
                             "' are both the class '" + entry.class_name + "': remove one");
  }
  AssembleOptions assemble_options{.name = set.name,
                                   .version = "1",
                                   .root = found.root,
                                   .domains = {},
                                   .fingerprint = options.fingerprint,
                                   .threads = options.threads};
  for (const std::string& wanted : options.domains) {
    const PublishedDomain* domain = domain_of(set, wanted);
    assemble_options.domains.push_back(domain == nullptr ? wanted : domain->name);
  }
  Dataset dataset = assemble(entries, assemble_options);
  dataset.notes = found.notes;
  compare_counts(set, options, dataset);
  return dataset;
}

}  // namespace

FoundRoot find_root(const PublishedSet& set, const fs::path& root) {
  check_root(root, set.layout);
  FoundRoot found = domains_in(set, root);
  if (!found.domains.empty()) return found;
  std::vector<fs::path> candidates;
  const auto folders = list_folder(root).folders;
  for (const fs::path& folder : folders)
    if (!domains_in(set, folder).domains.empty()) candidates.push_back(folder);
  const auto is_inner = [&](const fs::path& folder) {
    return std::find(set.inner.begin(), set.inner.end(), folder.filename().string()) !=
           set.inner.end();
  };
  if (candidates.size() == 1 && (folders.size() == 1 || is_inner(candidates.front()))) {
    found = domains_in(set, candidates.front());
    found.notes.insert(found.notes.begin(),
                       "used " + base::printable(candidates.front()) + ", where the domains are");
    return found;
  }
  no_domain(set, root, candidates);
}

Dataset load_published(const PublishedSet& set, const fs::path& root, const LoadOptions& options) {
  FoundRoot found = find_root(set, root);
  FoundEntries classes;
  classes.passed.leave_out_foreign = options.leave_out_foreign;
  for (const auto& [domain, folder] : found.domains)
    add_domain(below_images(folder), domain->name, classes);
  const std::vector<std::string> passed = settle(classes.passed, found.root);
  found.notes.insert(found.notes.end(), passed.begin(), passed.end());
  return make(set, std::move(classes.entries), found, options);
}

Dataset load_listed(const PublishedSet& set, const FoundRoot& root, const ImageList& list,
                    const LoadOptions& options) {
  std::vector<Entry> entries;
  for (const ListRow& row : list.rows) {
    const PublishedDomain* domain = domain_of(set, row.domain);
    const auto folder = std::find_if(root.domains.begin(), root.domains.end(),
                                     [&](const auto& d) { return d.first == domain; });
    if (domain == nullptr)
      base::throw_data_error(list.where(row) + ": '" + base::escaped(row.domain) +
                             "' is no domain of " + set.name);
    if (folder == root.domains.end())
      base::throw_data_error(list.where(row) + ": the folder of domain '" + domain->name +
                             "' is not in " + base::printable(root.root));
    const fs::path file = folder->second / row.class_name / row.file_name;
    std::error_code ignored;
    if (!fs::is_regular_file(file, ignored))
      base::throw_data_error(list.where(row) + ": " + base::printable(file) + " does not exist");
    entries.push_back({domain->name, row.class_name, file, row.part});
  }
  return make(set, std::move(entries), root, options);
}

}  // namespace petlab::datasets
