#include "petlab/datasets/tools/build_icon_home.hpp"

#include "attribution.hpp"
#include "icon_home_description.hpp"
#include "parallel.hpp"
#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/read_file.hpp"
#include "petlab/datasets/tools/duplicates.hpp"
#include "petlab/datasets/tools/iconify.hpp"
#include "petlab/datasets/tools/svg.hpp"

#include <cairo.h>
#include <librsvg/rsvg.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <mutex>
#include <ostream>
#include <set>

namespace petlab::datasets::tools {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorKind;
using nlohmann::json;

/// Written before the first picture: says that the folder is ours and how its pictures are made.
constexpr const char* kMarker = ".icon-home-render";

/// Pictures made under another one of these are made anew.
std::string render_key(const IconHomeManifest& manifest) {
  return "petlab render 1, " + std::string(kIconifyPackage) + " " + kIconifyVersion + ", " +
         std::to_string(manifest.picture_size) + " px, librsvg " +
         std::to_string(rsvg_major_version) + "." + std::to_string(rsvg_minor_version) + "." +
         std::to_string(rsvg_micro_version) + ", cairo " + cairo_version_string() + "\n";
}

fs::path relative_path(const IconHomeRow& row) {
  std::string folder = row.class_name;
  std::replace(folder.begin(), folder.end(), ' ', '_');
  return fs::path(row.domain) / folder / (row.set + "__" + row.icon + ".png");
}

/// Makes `out_dir` ready for pictures of this kind; removes pictures of another kind.
void claim_folder(const fs::path& out_dir, const std::string& key) {
  const fs::path marker = out_dir / kMarker;
  const bool ours = fs::exists(marker);
  if (!ours && fs::exists(out_dir) && !fs::is_empty(out_dir)) {
    throw Error(ErrorKind::data, out_dir.string() +
                                     " holds files that petlab did not write; build into a new or "
                                     "empty folder");
  }
  if (ours && base::read_text_file(marker) == key) return;
  if (ours) {
    for (const auto& entry : fs::directory_iterator(out_dir)) {
      if (entry.is_directory()) fs::remove_all(entry.path());
    }
  }
  base::write_file(marker, key, {.make_folders = true});
}

/// Removes pictures (and left-over temporary files) that the manifest does not list.
std::size_t remove_unlisted(const fs::path& out_dir, const std::set<fs::path>& listed) {
  std::vector<fs::path> stale;
  for (const auto& entry : fs::recursive_directory_iterator(out_dir)) {
    const auto relative = entry.path().lexically_relative(out_dir);
    if (entry.is_regular_file() && relative.has_parent_path() && !listed.contains(relative)) {
      stale.push_back(entry.path());
    }
  }
  for (const auto& file : stale) {
    fs::remove(file);
    for (auto folder = file.parent_path(); folder != out_dir && fs::is_empty(folder);
         folder = folder.parent_path()) {
      fs::remove(folder);
    }
  }
  return stale.size();
}

/// Renders the missing pictures of one set.
void render_set(const IconSet& set, const std::vector<const IconHomeRow*>& rows,
                const fs::path& out_dir, int size, const std::function<void()>& done) {
  for (const IconHomeRow* row : rows) {
    Image image{size, size, {}};
    try {
      image.rgb = render_svg(icon_svg(set.icon(row->icon)), size);
    } catch (const Error& e) {
      throw Error(e.kind(), "image " + row->set + "/" + row->icon + " of Icon-Home: " + e.what());
    }
    // Thousands of files: a damaged one is found by the next build, so the disk is not waited for.
    base::write_file(out_dir / relative_path(*row), encode_png(image),
                     {.durability = base::Durability::process, .make_folders = true});
    done();
  }
}

void write_description(const fs::path& out_dir, const IconHomeManifest& manifest,
                       const Dataset& dataset, const BuildReport& report) {
  const json document = {{"name", "icon-home"},
                         {"version", manifest.version},
                         {"manifest_sha256", manifest.sha256},
                         {"package", kIconifyPackage},
                         {"package_version", kIconifyVersion},
                         {"picture_size", manifest.picture_size},
                         {"pictures", report.pictures},
                         {"classes", dataset.classes.size()},
                         {"domains", report.per_domain},
                         {"duplicates",
                          {{"identical", report.identical_pairs},
                           {"near", report.near_pairs},
                           {"near_across_domains", report.near_pairs_across_domains}}},
                         {"fingerprint", dataset.fingerprint}};
  base::write_file(out_dir / kIconHomeDescription, document.dump(2) + "\n", {.make_folders = true});
}

/// The report of a finished build that needs nothing, or nothing when there is work to do.
bool already_built(const fs::path& out_dir, const IconHomeManifest& manifest,
                   const std::string& key, unsigned threads, BuildReport& report) {
  if (!fs::exists(out_dir / kIconHomeDescription) || !fs::exists(out_dir / kMarker) ||
      !fs::exists(out_dir / "ATTRIBUTION.md") || !fs::exists(out_dir / "duplicates.csv") ||
      base::read_text_file(out_dir / kMarker) != key) {
    return false;
  }
  try {
    const IconHomeDescription stored = read_icon_home_description(out_dir);
    if (stored.manifest != manifest.sha256 || stored.version != manifest.version) return false;
    const Dataset dataset = load_icon_home(out_dir, {}, threads);
    report = {.up_to_date = true,
              .pictures = sample_count(dataset),
              .identical_pairs = stored.identical_pairs,
              .near_pairs = stored.near_pairs,
              .near_pairs_across_domains = stored.near_pairs_across_domains,
              .fingerprint = dataset.fingerprint,
              .per_domain = stored.counts};
    return true;
  } catch (const Error&) {
    return false;  // something is missing or changed: what is wrong is made anew
  }
}

/// Pictures whose bytes are not a whole picture are removed, so that they count as missing.
void drop_damaged(const fs::path& out_dir, const std::vector<IconHomeRow>& rows, unsigned threads) {
  parallel_for(rows.size(), threads, [&](std::size_t i) {
    const fs::path file = out_dir / relative_path(rows[i]);
    if (!fs::exists(file)) return;
    try {
      (void)decode_image(file);
    } catch (const Error&) {
      fs::remove(file);
    }
  });
}

std::vector<DuplicatePair> check_duplicates(const Dataset& dataset, const fs::path& out_dir,
                                            const BuildOptions& options, BuildReport& report) {
  auto pairs = find_duplicates(dataset, options.near_duplicate_threshold, options.threads);
  write_duplicates(out_dir / "duplicates.csv", pairs);
  for (const auto& pair : pairs) {
    if (pair.identical && pair.across_domains) {
      throw Error(ErrorKind::data, "images " + pair.first + " and " + pair.second +
                                       " have the same pixels but are in two domains: take one "
                                       "out of the manifest (all pairs are in " +
                                       (out_dir / "duplicates.csv").string() + ")");
    }
    ++(pair.identical ? report.identical_pairs : report.near_pairs);
    if (!pair.identical && pair.across_domains) ++report.near_pairs_across_domains;
  }
  return pairs;
}

}  // namespace

BuildReport build_icon_home(const fs::path& package_dir, const fs::path& recipe_dir,
                            const fs::path& out_dir, const BuildOptions& options,
                            const Progress& progress) {
  const IconHomeManifest manifest = read_icon_home_manifest(recipe_dir);
  const std::string key = render_key(manifest);
  BuildReport report;
  if (already_built(out_dir, manifest, key, options.threads, report)) return report;

  check_icon_package(package_dir);
  claim_folder(out_dir, key);
  fs::remove(out_dir / kIconHomeDescription);
  std::set<fs::path> listed;
  std::map<std::string, std::vector<const IconHomeRow*>> by_set;
  for (const auto& row : manifest.rows) {
    listed.insert(relative_path(row));
    by_set[row.set].push_back(&row);
  }
  report.removed = remove_unlisted(out_dir, listed);
  drop_damaged(out_dir, manifest.rows, options.threads);

  // Every set is read, also where nothing of it is missing: its licence goes into ATTRIBUTION.md.
  std::vector<std::string> sets;
  for (const auto& [set, rows] : by_set)
    sets.push_back(set);
  std::vector<SetCredit> credits(sets.size());
  std::mutex mutex;
  std::size_t done = 0;
  const auto count_up = [&](bool rendered) {
    const std::lock_guard lock(mutex);
    if (rendered) ++report.rendered;
    if (progress) progress(++done, manifest.rows.size());
  };
  parallel_for(sets.size(), options.threads, [&](std::size_t i) {
    const IconSet set = IconSet::read(package_dir, sets[i]);
    const auto& rows = by_set.at(sets[i]);
    credits[i] = {set.info(), rows.size()};
    std::vector<const IconHomeRow*> missing;
    for (const IconHomeRow* row : rows) {
      if (fs::exists(out_dir / relative_path(*row))) {
        count_up(false);
      } else {
        missing.push_back(row);
      }
    }
    render_set(set, missing, out_dir, manifest.picture_size, [&] { count_up(true); });
  });
  base::write_file(out_dir / "ATTRIBUTION.md", attribution_text(credits), {.make_folders = true});

  const Dataset dataset = load_folder(
      out_dir, {.name = "icon-home", .version = manifest.version, .threads = options.threads});
  report.pictures = sample_count(dataset);
  for (const auto& domain : dataset.domains)
    report.per_domain[domain.name] = domain.samples.size();
  report.fingerprint = dataset.fingerprint;
  check_duplicates(dataset, out_dir, options, report);
  write_description(out_dir, manifest, dataset, report);
  return report;
}

std::ostream& operator<<(std::ostream& out, const BuildReport& report) {
  out << "Icon-Home: " << report.pictures << " images";
  for (const auto& [domain, count] : report.per_domain) {
    out << (domain == report.per_domain.begin()->first ? " (" : ", ") << domain << " " << count;
  }
  out << "), ";
  if (report.up_to_date) {
    out << "already built";
  } else {
    out << report.rendered << " rendered now";
    if (report.removed > 0) out << ", " << report.removed << " old ones removed";
  }
  out << "; duplicates: " << report.identical_pairs << " identical pairs within a domain, "
      << report.near_pairs << " near pairs (" << report.near_pairs_across_domains
      << " across domains), listed in duplicates.csv\n";
  return out;
}

}  // namespace petlab::datasets::tools
