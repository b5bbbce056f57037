#include "petlab/datasets/tools/check.hpp"

#include "parallel.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/sha256.hpp"
#include "petlab/datasets/image.hpp"
#include "petlab/datasets/split_notes.hpp"
#include "petlab/datasets/stored_picture.hpp"
#include "petlab/datasets/tools/perceptual_hash.hpp"
#include "tree.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>

namespace petlab::datasets::tools {
namespace {

/// A picture, where it stands, and what was found in its file.
struct Item {
  std::size_t domain = 0;
  const Sample* sample = nullptr;
  Part part = Part::none;
  Digest digest{};
  std::optional<std::uint64_t> look = {};
  bool opened = false;
  bool plain = false;
  int low = 0;  ///< shorter side
  int high = 0;
  std::string error = {};
  std::string damage = {};
};

std::vector<Item> items_of(const Dataset& dataset, const Split& split) {
  std::vector<Item> items;
  for (std::size_t d = 0; d < dataset.domains.size(); ++d) {
    const std::size_t first = items.size();
    for (const Sample& sample : dataset.domains[d].samples)
      items.push_back({.domain = d, .sample = &sample});
    const auto mark = [&](const std::vector<std::vector<std::int64_t>>& part, Part name) {
      if (d >= part.size()) return;
      for (const std::int64_t i : part[d])
        items[first + static_cast<std::size_t>(i)].part = name;
    };
    mark(split.train, Part::train);
    mark(split.validation, Part::validation);
    mark(split.test, Part::test);
  }
  return items;
}

void inspect(Item& item) {
  try {
    const auto bytes = read_picture(*item.sample);
    base::Sha256 hash;
    hash.update(bytes);
    item.digest = hash.finish();
    item.opened = true;
    const Image image = decode_image(bytes, picture_name(*item.sample));
    item.low = std::min(image.width, image.height);
    item.high = std::max(image.width, image.height);
    if (!image.damage.empty()) item.damage = picture_name(*item.sample) + ": " + image.damage;
    item.look = perceptual_hash(image);
    item.plain = !item.look;
  } catch (const base::Error& error) {
    item.error = error.what();
  }
}

Likeness likeness(const std::vector<const Item*>& members) {
  Likeness result;
  const Item& first = *members.front();
  Part part = first.part;
  for (const Item* item : members) {
    result.ids.push_back(item->sample->id);
    result.across_domains |= item->domain != first.domain;
    result.across_classes |= item->sample->label != first.sample->label;
    if (part == Part::none) part = item->part;
    result.across_parts |= item->part != Part::none && item->part != part;
  }
  return result;
}

std::vector<Likeness> find_identical(const std::vector<Item>& items) {
  std::map<Digest, std::vector<const Item*>> by_bytes;
  for (const Item& item : items)
    if (item.opened) by_bytes[item.digest].push_back(&item);
  std::vector<Likeness> groups;
  for (const auto& [digest, members] : by_bytes) {
    if (members.size() < 2) continue;
    groups.push_back(likeness(members));
    groups.back().identical = true;
  }
  std::sort(groups.begin(), groups.end(),
            [](const Likeness& a, const Likeness& b) { return a.ids < b.ids; });
  return groups;
}

std::vector<Likeness> find_near(const std::vector<Item>& items, int distance) {
  std::vector<std::optional<std::uint64_t>> looks;
  for (const Item& item : items)
    looks.push_back(item.look);
  std::vector<Likeness> pairs;
  for (const NearPair& pair : near_pairs(looks, distance)) {
    const Item& a = items[pair.first];
    const Item& b = items[pair.second];
    if (a.digest == b.digest) continue;  // told as identical
    pairs.push_back(likeness({&a, &b}));
    pairs.back().distance = pair.distance;
  }
  return pairs;
}

void count_classes(const Dataset& dataset, CheckReport& report) {
  for (const Domain& domain : dataset.domains) {
    std::map<std::int64_t, std::size_t> counts;
    for (const Sample& sample : domain.samples)
      ++counts[sample.label];
    for (std::size_t c = 0; c < dataset.classes.size(); ++c) {
      const auto count = counts.find(static_cast<std::int64_t>(c));
      const std::string name = domain.name + "/" + dataset.classes[c];
      if (count == counts.end())
        report.missing_classes.push_back(name);
      else if (count->second == 1)
        report.single_picture_classes.push_back(name);
    }
  }
}

}  // namespace

std::vector<std::string> CheckReport::reasons() const {
  std::vector<std::string> reasons;
  if (!obstacle.empty()) reasons.push_back(obstacle);
  if (!unreadable.empty())
    reasons.push_back(std::to_string(unreadable.size()) + " unreadable " +
                      (unreadable.size() == 1 ? "image" : "images"));
  const auto crossing = std::count_if(identical.begin(), identical.end(), [](const Likeness& one) {
    return one.across_domains || one.across_classes || one.across_parts;
  });
  if (crossing > 0)
    reasons.push_back(std::to_string(crossing) + (crossing == 1 ? " file" : " files") +
                      " in more than one split, domain or class");
  reasons.insert(reasons.end(), notes.begin(), notes.end());
  return reasons;
}

CheckReport check_dataset(const Dataset& dataset, const Split& split, const CheckOptions& options) {
  std::vector<Item> items = items_of(dataset, split);
  std::mutex mutex;
  std::size_t done = 0;
  const std::vector<std::size_t> order = storage_order(samples_of(dataset));
  parallel_for(items.size(), options.threads, [&](std::size_t i) {
    inspect(items[order[i]]);
    if (!options.progress) return;
    const std::lock_guard guard(mutex);
    options.progress(++done, items.size());
  });
  CheckReport report;
  report.pictures = items.size();
  report.split = split.name;
  report.notes = split_notes(dataset, split, options.shots);
  report.obstacle = split_obstacle(dataset, split);
  report.near_distance = options.near_distance;
  std::vector<Digest> digests;
  for (const Item& item : items) {
    if (!item.error.empty()) report.unreadable.push_back(item.error);
    if (!item.damage.empty()) report.damaged.push_back(item.damage);
    if (item.opened) digests.push_back(item.digest);
    report.plain += item.plain ? 1 : 0;
    if (item.low == 0) continue;
    report.smallest_side =
        report.smallest_side == 0 ? item.low : std::min(report.smallest_side, item.low);
    report.largest_side = std::max(report.largest_side, item.high);
  }
  if (digests.size() == items.size()) report.fingerprint = fingerprint(dataset, digests);
  count_classes(dataset, report);
  report.identical = find_identical(items);
  report.near = find_near(items, options.near_distance);
  return report;
}

}  // namespace petlab::datasets::tools
