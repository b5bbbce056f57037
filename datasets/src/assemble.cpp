#include "assemble.hpp"

#include "class_names.hpp"
#include "names.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace petlab::datasets {
namespace {

using base::Error;
using base::ErrorKind;

using ByClass = std::map<std::string, std::vector<const Entry*>>;
using ByDomain = std::map<std::string, ByClass>;

void check_name(const char* what, const std::string& name, const Entry& entry) {
  if (base::is_plain_text(name) && !name.empty()) return;
  throw Error(ErrorKind::data, std::string(what) + " '" + base::escaped(name) + "' of " +
                                   base::printable(entry.file) +
                                   " is no text (UTF-8 without control characters): rename it, for "
                                   "it stands in prompts and tables");
}

ByDomain sort_in(const std::vector<Entry>& entries) {
  ByDomain domains;
  for (const Entry& entry : entries) {
    auto& members = domains[entry.domain][entry.class_name];
    if (members.empty()) {
      check_name("domain", entry.domain, entry);
      check_name("class", entry.class_name, entry);
    }
    members.push_back(&entry);
  }
  return domains;
}

/// Two folders of one domain, spelled in two ways, would be two tasks.
void check_domains(const ByDomain& all, const AssembleOptions& options) {
  std::map<std::string, std::string> by_name;
  for (const auto& [name, classes] : all) {
    const auto [twin, fresh] = by_name.emplace(folded_name(name), name);
    if (!fresh)
      throw Error(ErrorKind::data, "domains '" + twin->second + "' and '" + name + "' in " +
                                       base::printable(options.root) +
                                       " differ in case, blanks, '_' or the Unicode form alone: "
                                       "give one domain one name");
  }
}

/// The domain of exactly this name, else the only one that is spelled like it.
ByDomain::const_iterator domain_called(const ByDomain& all, const std::string& wanted) {
  if (const auto exact = all.find(wanted); exact != all.end()) return exact;
  auto found = all.end();
  for (auto domain = all.begin(); domain != all.end(); ++domain) {
    if (name_key(domain->first) != name_key(wanted)) continue;
    if (found != all.end())
      throw Error(ErrorKind::config, "domain '" + wanted + "' may be '" + found->first + "' or '" +
                                         domain->first + "': spell it as its folder");
    found = domain;
  }
  return found;
}

std::vector<std::string> chosen_domains(const ByDomain& all, const AssembleOptions& options) {
  std::vector<std::string> chosen;
  std::string known;
  for (const auto& [name, classes] : all) {
    known += (known.empty() ? "" : ", ") + name;
    if (options.domains.empty()) chosen.push_back(name);
  }
  for (const std::string& wanted : options.domains) {
    const auto found = domain_called(all, wanted);
    if (found == all.end())
      throw Error(ErrorKind::config, "no domain '" + wanted + "' in " +
                                         base::printable(options.root) + ", which has: " + known);
    if (std::find(chosen.begin(), chosen.end(), found->first) != chosen.end())
      throw Error(ErrorKind::config, "domain '" + wanted + "' is asked for twice");
    chosen.push_back(found->first);
  }
  return chosen;
}

std::vector<std::string> union_of_classes(const ByDomain& domains,
                                          const std::vector<std::string>& chosen) {
  std::set<std::string> names;
  for (const std::string& domain : chosen)
    for (const auto& [name, members] : domains.at(domain))
      names.insert(name);
  return {names.begin(), names.end()};
}

/// The file that is the picture, or the name that its file calls it by.
std::filesystem::path picture_path(const Entry& entry) {
  return entry.place.kind == Place::Kind::whole_file ? entry.file
                                                     : std::filesystem::path(entry.place.name);
}

/// The part of an id that stands for the file: the shortest form that is unique in its class.
std::vector<std::string> file_names(const std::vector<const Entry*>& members) {
  using Form = std::string (*)(const Entry&);
  constexpr Form kForms[] = {
      [](const Entry& e) { return picture_path(e).stem().string(); },
      [](const Entry& e) { return picture_path(e).filename().string(); },
      [](const Entry& e) { return e.path_in_list; },
      // Members of one name in several files: "test/0.tar/cup.png".
      [](const Entry& e) {
        if (e.place.kind == Place::Kind::whole_file) return e.path_in_list;
        return (e.file.parent_path().filename() / e.file.filename() / e.place.name)
            .lexically_normal()
            .string();
      },
  };
  std::vector<std::string> names(members.size());
  std::vector<std::size_t> open(members.size());
  for (std::size_t i = 0; i < open.size(); ++i)
    open[i] = i;
  for (const Form form : kForms) {
    std::map<std::string, int> uses;
    for (const std::size_t i : open)
      ++uses[names[i] = base::escaped(form(*members[i]))];
    std::erase_if(open, [&](std::size_t i) { return uses.at(names[i]) == 1; });
  }
  std::map<std::string, std::size_t> first;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto [it, fresh] = first.emplace(names[i], i);
    if (!fresh)
      throw Error(ErrorKind::data, "images " + base::printable(picture_path(*members[it->second])) +
                                       " and " + base::printable(picture_path(*members[i])) +
                                       " cannot be told apart by their names: rename one");
  }
  return names;
}

Domain make_domain(const std::string& name, const ByClass& by_class,
                   const std::vector<std::string>& classes) {
  Domain domain{name, {}, {}};
  for (const auto& [class_name, members] : by_class) {
    const std::int64_t label =
        std::find(classes.begin(), classes.end(), class_name) - classes.begin();
    domain.classes.push_back(label);
    const std::vector<std::string> names = file_names(members);
    for (std::size_t i = 0; i < members.size(); ++i)
      domain.samples.push_back({name + "/" + class_name + "/" + names[i], members[i]->file, label,
                                members[i]->part, members[i]->place});
  }
  std::sort(domain.classes.begin(), domain.classes.end());
  std::sort(domain.samples.begin(), domain.samples.end(),
            [](const Sample& a, const Sample& b) { return a.id < b.id; });
  return domain;
}

}  // namespace

Dataset assemble(const std::vector<Entry>& entries, const AssembleOptions& options) {
  const ByDomain domains = sort_in(entries);
  check_domains(domains, options);
  const std::vector<std::string> chosen = chosen_domains(domains, options);
  Dataset dataset;
  dataset.name = options.name;
  dataset.version = options.version;
  dataset.classes =
      options.class_order.empty() ? union_of_classes(domains, chosen) : options.class_order;
  for (const std::string& name : dataset.classes)
    dataset.display_names.push_back(display_name(name));
  check_class_texts(dataset, base::printable(options.root));
  for (const std::string& name : chosen)
    dataset.domains.push_back(make_domain(name, domains.at(name), dataset.classes));
  if (options.fingerprint) {
    dataset.digests = hash_files(dataset, options.threads);
    dataset.fingerprint = fingerprint(dataset, dataset.digests);
  }
  return dataset;
}

}  // namespace petlab::datasets
