#include "names.hpp"
#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/sha256.hpp"
#include "petlab/base/text.hpp"
#include "petlab/datasets/csv.hpp"
#include "petlab/datasets/lists.hpp"
#include "split_parts.hpp"
#include "tree.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace petlab::datasets {
namespace {

using base::Error;
using base::ErrorKind;

void put(Split& split, std::size_t domain, std::int64_t sample, Part part) {
  auto& parts = part == Part::train  ? split.train
                : part == Part::test ? split.test
                                     : split.validation;
  parts[domain].push_back(sample);
}

void complete(const Dataset& dataset, Split& split) {
  for (auto* parts : {&split.train, &split.test, &split.validation})
    for (auto& samples : *parts)
      std::sort(samples.begin(), samples.end());
  split.hash = hash_of(dataset, split);
}

void check_domains(const Dataset& dataset, const Split& split, bool needs_test) {
  for (std::size_t d = 0; d < dataset.domains.size(); ++d) {
    const bool lacks_train = split.train[d].empty();
    if (!lacks_train && (!needs_test || !split.test[d].empty())) continue;
    base::throw_data_error(
        "split " + split.name + " has no " + (lacks_train ? "training" : "test") +
        " images of domain '" + dataset.domains[d].name +
        "': name the lists of all domains, or the domains that the lists have" +
        (!lacks_train && !split.validation[d].empty()
             ? "; to test on its validation images say validation = list in [dataset] "
               "(--validation list)"
             : ""));
  }
}

std::string file_name_of(const Sample& sample) {
  const bool has_file = sample.place.kind == Place::Kind::whole_file;
  return (has_file ? sample.file : std::filesystem::path(sample.place.name)).filename().string();
}

/// Where a data set's pictures are: by domain, class and file name.
class SampleFinder {
 public:
  explicit SampleFinder(const Dataset& dataset)
      : dataset_(dataset), samples_(dataset.domains.size()) {
    for (std::size_t d = 0; d < dataset.domains.size(); ++d)
      for (std::size_t i = 0; i < dataset.domains[d].samples.size(); ++i) {
        const Sample& sample = dataset.domains[d].samples[i];
        samples_[d].emplace(
            key(dataset.classes[static_cast<std::size_t>(sample.label)], file_name_of(sample)),
            static_cast<std::int64_t>(i));
      }
  }

  /// Domain and sample of a row. Throws naming the row when the data set has no such picture.
  [[nodiscard]] std::pair<std::size_t, std::int64_t> find(const ImageList& list,
                                                          const ListRow& row) const {
    const std::size_t d = find_domain(dataset_, row.domain);
    if (d == dataset_.domains.size())
      base::throw_data_error(list.where(row) + ": data set '" + dataset_.name +
                             "' has no domain '" + base::escaped(row.domain) + "'");
    const auto sample = samples_[d].find(key(row.class_name, row.file_name));
    if (sample == samples_[d].end())
      base::throw_data_error(list.where(row) + ": image '" +
                             base::escaped(row.class_name + "/" + row.file_name) +
                             "' is not in domain '" + dataset_.domains[d].name + "' of data set '" +
                             dataset_.name + "'");
    return {d, sample->second};
  }

 private:
  static std::string key(const std::string& class_name, const std::string& file_name) {
    return name_key(class_name) + "/" + file_name;
  }

  const Dataset& dataset_;
  std::vector<std::map<std::string, std::int64_t>> samples_;
};

}  // namespace

Split empty_split(const Dataset& dataset) {
  Split split;
  for (auto* parts : {&split.train, &split.test, &split.validation})
    parts->resize(dataset.domains.size());
  return split;
}

std::string hash_of(const Dataset& dataset, const Split& split) {
  base::Sha256 hash;
  hash.update_text("petlab split 1");
  const auto add = [&](const Domain& domain, const std::vector<std::int64_t>& part) {
    hash.update_text(std::to_string(part.size()));
    for (const std::int64_t i : part)
      hash.update_text(domain.samples[static_cast<std::size_t>(i)].id);
  };
  for (std::size_t d = 0; d < dataset.domains.size(); ++d) {
    hash.update_text(dataset.domains[d].name);
    add(dataset.domains[d], split.train[d]);
    add(dataset.domains[d], split.test[d]);
    if (d < split.validation.size() && !split.validation[d].empty()) {
      hash.update_text("validation");
      add(dataset.domains[d], split.validation[d]);
    }
  }
  return hash.finish_hex();
}

Split own_split(const Dataset& dataset, bool needs_test) {
  Split split = empty_split(dataset);
  split.name = "own";
  bool any = false;
  for (std::size_t d = 0; d < dataset.domains.size(); ++d) {
    const auto& samples = dataset.domains[d].samples;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (samples[i].part == Part::none) continue;
      put(split, d, static_cast<std::int64_t>(i), samples[i].part);
      any = true;
    }
  }
  if (!any)
    throw Error(ErrorKind::config, "data set '" + dataset.name +
                                       "' brings no split with it: name lists with split-list");
  check_domains(dataset, split, needs_test);
  complete(dataset, split);
  return split;
}

void write_split(const std::filesystem::path& file, const Dataset& dataset, const Split& split) {
  std::string text = "domain,id,part,hash\n";
  std::string hash = split.hash;
  for (std::size_t d = 0; d < dataset.domains.size(); ++d) {
    const Domain& domain = dataset.domains[d];
    const std::vector<std::int64_t> none;
    const auto& validation = d < split.validation.size() ? split.validation[d] : none;
    for (const auto& [part, name] : {std::pair{&split.train[d], "train"},
                                     {&validation, "validation"},
                                     {&split.test[d], "test"}}) {
      for (const std::int64_t i : *part) {
        text += csv_field(domain.name) + "," +
                csv_field(domain.samples[static_cast<std::size_t>(i)].id) + "," + name + "," +
                std::exchange(hash, "") + "\n";
      }
    }
  }
  base::write_file(file, text, {.make_folders = true});
}

Split read_split(const std::filesystem::path& file, const Dataset& dataset) {
  const std::size_t n_domains = dataset.domains.size();
  struct Listed {
    std::int64_t sample = 0;
    std::size_t line = 0;  ///< 0: not yet
  };
  std::vector<std::map<std::string, Listed>> listed(n_domains);
  for (std::size_t d = 0; d < n_domains; ++d)
    for (std::size_t i = 0; i < dataset.domains[d].samples.size(); ++i)
      listed[d][dataset.domains[d].samples[i].id].sample = static_cast<std::int64_t>(i);
  Split split = empty_split(dataset);
  split.name = file.filename().string();
  std::string stated;
  const std::map<std::string, Part> parts{
      {"train", Part::train}, {"validation", Part::validation}, {"test", Part::test}};
  for (const CsvRow& row :
       read_csv_rows(file, {.required = {"domain", "id", "part"}, .optional = {"hash"}})) {
    const std::string where = base::printable(file) + " line " + std::to_string(row.line);
    const std::string& domain = row.values[0];
    const std::string& id = row.values[1];
    const std::size_t d = find_domain(dataset, domain);
    if (d == n_domains)
      base::throw_data_error(where + ": data set '" + dataset.name + "' has no domain '" + domain +
                             "'");
    const auto sample = listed[d].find(id);
    if (sample == listed[d].end())
      base::throw_data_error(where + ": image '" + id + "' is not in domain '" + domain + "'");
    if (sample->second.line > 0)
      base::throw_data_error(where + ": image '" + id + "' is listed already, in line " +
                             std::to_string(sample->second.line));
    sample->second.line = row.line;
    const auto part = parts.find(row.values[2]);
    if (part == parts.end())
      base::throw_data_error(where + ": part is '" + row.values[2] +
                             "', expected 'train', 'validation' or 'test'");
    put(split, d, sample->second.sample, part->second);
    if (stated.empty()) stated = row.values[3];
  }
  std::size_t missing = 0;
  std::string first;
  for (const auto& domain : listed)
    for (const auto& [id, one] : domain)
      if (one.line == 0 && missing++ == 0) first = id;
  if (missing > 0)
    base::throw_data_error(base::printable(file) + " lists " + std::to_string(missing) +
                           " images too few, the first is '" + first + "'");
  complete(dataset, split);
  if (!stated.empty() && stated != split.hash)
    base::throw_data_error(
        base::printable(file) + " was changed since it was written: its hash is " +
        base::short_hash(stated) + ", that of its content " + base::short_hash(split.hash));
  return split;
}

Split read_list_split(const std::vector<std::filesystem::path>& files, const Dataset& dataset,
                      bool needs_test) {
  if (files.size() == 1 && files.front().extension() == ".csv")
    return read_split(files.front(), dataset);
  Split split = empty_split(dataset);
  split.name = files.front().filename().string();
  if (files.size() > 1) split.name += "-and-" + std::to_string(files.size() - 1) + "-more";
  for (const auto& file : files) {
    if (file.extension() == ".csv")
      base::throw_data_error(base::printable(file) +
                             " is one of several lists, expected petlab's CSV alone or text lists");
    if (list_part(file) == Part::none)
      base::throw_data_error("the name of list " + base::printable(file) +
                             " does not say what it is for: expected train, val or test in it");
  }
  const ImageList list = read_lists(files);
  const SampleFinder finder(dataset);
  for (const ListRow& row : list.rows) {
    const auto [domain, sample] = finder.find(list, row);
    put(split, domain, sample, row.part);
  }
  check_domains(dataset, split, needs_test);
  complete(dataset, split);
  return split;
}

}  // namespace petlab::datasets
