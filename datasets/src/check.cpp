#include "petlab/datasets/check.hpp"

#include "parallel.hpp"
#include "petlab/datasets/icon_home.hpp"
#include "petlab/sdk/error.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <ostream>

namespace petlab::datasets {
namespace {

constexpr double kNearDuplicate = 0.97;

void list(std::ostream& out, const std::string& title, const std::vector<std::string>& items) {
  constexpr std::size_t kShown = 10;
  if (items.empty()) return;
  out << title << ": " << items.size() << "\n";
  for (std::size_t i = 0; i < std::min(items.size(), kShown); ++i)
    out << "  " << items[i] << "\n";
  if (items.size() > kShown) out << "  ... and " << items.size() - kShown << " more\n";
}

}  // namespace

bool CheckReport::passed() const {
  return unreadable.empty() &&
         std::none_of(duplicates.begin(), duplicates.end(), [](const DuplicatePair& pair) {
           return pair.identical && (pair.across_domains || pair.across_classes);
         });
}

CheckReport check_dataset(const Dataset& dataset, unsigned threads,
                          const std::function<void(std::size_t, std::size_t)>& progress) {
  CheckReport report;
  report.pictures = sample_count(dataset);
  Dataset readable = dataset;
  std::mutex mutex;
  std::size_t done = 0;
  for (std::size_t d = 0; d < dataset.domains.size(); ++d) {
    const Domain& domain = dataset.domains[d];
    std::vector<std::string> errors(domain.samples.size());
    parallel_for(domain.samples.size(), threads, [&](std::size_t i) {
      int low = 0;
      int high = 0;
      try {
        const Image image = decode_image(domain.samples[i].file);
        low = std::min(image.width, image.height);
        high = std::max(image.width, image.height);
      } catch (const sdk::Error& e) {
        errors[i] = e.what();
      }
      const std::lock_guard guard(mutex);
      if (low > 0) {
        report.smallest_side =
            report.smallest_side == 0 ? low : std::min(report.smallest_side, low);
        report.largest_side = std::max(report.largest_side, high);
      }
      if (progress) progress(++done, report.pictures);
    });
    readable.domains[d].samples.clear();
    std::map<std::int64_t, std::size_t> counts;
    for (std::size_t i = 0; i < errors.size(); ++i) {
      ++counts[domain.samples[i].label];
      if (errors[i].empty()) {
        readable.domains[d].samples.push_back(domain.samples[i]);
      } else {
        report.unreadable.push_back(errors[i]);
      }
    }
    for (std::size_t c = 0; c < dataset.classes.size(); ++c) {
      const auto count = counts.find(static_cast<std::int64_t>(c));
      const std::string name = domain.name + "/" + dataset.classes[c];
      if (count == counts.end())
        report.missing_classes.push_back(name);
      else if (count->second == 1)
        report.single_picture_classes.push_back(name);
    }
  }
  report.duplicates = find_duplicates(readable, kNearDuplicate, threads);
  return report;
}

std::ostream& operator<<(std::ostream& out, const CheckReport& report) {
  out << "checked " << report.pictures << " pictures, sides of " << report.smallest_side << " to "
      << report.largest_side << " pixels\n";
  list(out, "unreadable pictures", report.unreadable);
  list(out, "classes with one picture (tested, never trained on)", report.single_picture_classes);
  list(out, "classes that a domain lacks", report.missing_classes);
  std::vector<std::string> identical;
  std::vector<std::string> near;
  for (const auto& pair : report.duplicates) {
    (pair.identical ? identical : near).push_back(pair.first + " = " + pair.second);
  }
  list(out, "identical pictures", identical);
  list(out, "near-duplicates", near);
  out << (report.passed() ? "passed\n" : "FAILED\n");
  return out;
}

std::vector<KnownDataset> list_datasets(const std::filesystem::path& icon_home_dir) {
  KnownDataset icon_home{"icon-home",
                         "65 everyday objects in 4 drawing styles, from openly licensed icons", ""};
  try {
    const Dataset dataset = load_icon_home(icon_home_dir);
    icon_home.status = "built in " + icon_home_dir.string() + ", " +
                       std::to_string(sample_count(dataset)) + " pictures";
  } catch (const sdk::Error& e) {
    icon_home.status = e.what();
  }
  return {icon_home,
          {"folder", "your own pictures: root/domain/class/picture.{jpg,jpeg,png}",
           "give its root with --root"}};
}

Dataset open_dataset(const DatasetSource& source) {
  if (source.name == "folder") {
    FolderOptions options;
    options.domains = source.domains;
    options.threads = source.threads;
    return load_folder(source.root, options);
  }
  if (source.name != "icon-home") {
    throw sdk::Error(sdk::ErrorKind::config,
                     "unknown data set '" + source.name + "', expected 'icon-home' or 'folder'");
  }
  Dataset dataset = load_icon_home(source.root, source.recipe, source.threads);
  if (source.domains.empty()) return dataset;
  FolderOptions options;
  options.name = dataset.name;
  options.version = dataset.version;
  options.domains = source.domains;
  options.threads = source.threads;
  return load_folder(source.root, options);
}

}  // namespace petlab::datasets
