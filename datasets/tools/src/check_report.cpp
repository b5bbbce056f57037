#include "petlab/base/atomic_file.hpp"
#include "petlab/base/text.hpp"
#include "petlab/datasets/csv.hpp"
#include "petlab/datasets/tools/check.hpp"

#include <algorithm>
#include <iomanip>
#include <map>
#include <ostream>

namespace petlab::datasets::tools {
namespace {

constexpr std::size_t kShown = 10;

void list(std::ostream& out, const std::string& title, const std::vector<std::string>& items) {
  if (items.empty()) return;
  out << title << ": " << items.size() << "\n";
  for (std::size_t i = 0; i < std::min(items.size(), kShown); ++i)
    out << "  " << items[i] << "\n";
  if (items.size() > kShown) out << "  ... and " << items.size() - kShown << " more\n";
}

std::string across(const Likeness& one) {
  std::string text;
  const auto add = [&](bool is, const char* name) {
    if (is) text += (text.empty() ? "" : " ") + std::string(name);
  };
  add(one.across_domains, "domains");
  add(one.across_classes, "classes");
  add(one.across_parts, "parts");
  return text;
}

/// Those that cross a border first: they matter most.
void list_likenesses(std::ostream& out, const std::string& title, std::vector<Likeness> all) {
  if (all.empty()) {
    out << title << ": none\n";
    return;
  }
  const auto count = [&](bool Likeness::* border) {
    return std::count_if(all.begin(), all.end(), [&](const Likeness& one) { return one.*border; });
  };
  out << title << ": " << all.size() << " (" << count(&Likeness::across_parts)
      << " between train, validation and test, " << count(&Likeness::across_domains)
      << " between domains, " << count(&Likeness::across_classes) << " between classes)\n";
  const auto weight = [](const Likeness& one) {
    return 4 * one.across_classes + 2 * one.across_domains + one.across_parts;
  };
  std::stable_sort(all.begin(), all.end(),
                   [&](const Likeness& a, const Likeness& b) { return weight(a) > weight(b); });
  for (std::size_t i = 0; i < std::min(all.size(), kShown); ++i) {
    const std::string borders = across(all[i]);
    out << "  " << base::joined(all[i].ids, " = ");
    if (!all[i].identical) out << "  " << all[i].distance << " bits";
    out << (borders.empty() ? "" : "  [other " + borders + "]") << "\n";
  }
  if (all.size() > kShown) out << "  ... and " << all.size() - kShown << " more\n";
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const CheckReport& report) {
  out << "checked " << report.pictures << " images, sides of " << report.smallest_side << " to "
      << report.largest_side << " pixels\n";
  list(out, "unreadable images", report.unreadable);
  list(out, "damaged images that can be read", report.damaged);
  list(out, "notes", report.notes);
  list(out, "classes with one image (trained on, never tested)", report.single_picture_classes);
  list(out, "classes that a domain lacks (allowed)", report.missing_classes);
  if (report.plain > 0) out << "images of one colour: " << report.plain << "\n";
  list_likenesses(out, "identical files", report.identical);
  list_likenesses(out,
                  "near-duplicates (pHash of 64 bits, at most " +
                      std::to_string(report.near_distance) + " apart)",
                  report.near);
  out << "parts are those of split " << report.split << "\n";
  if (!report.fingerprint.empty()) out << "fingerprint " << report.fingerprint << "\n";
  const std::vector<std::string> reasons = report.reasons();
  if (reasons.empty())
    out << "sound: nothing that would spoil a result\n";
  else
    out << "NOT SOUND, SEE ABOVE: " << base::joined(reasons, "; ") << "\n";
  return out;
}

void print_counts(std::ostream& out, const Dataset& dataset) {
  std::vector<std::map<std::int64_t, std::size_t>> counts;
  std::size_t width = 5;
  std::vector<std::size_t> widths;
  for (const Domain& domain : dataset.domains) {
    auto& of_domain = counts.emplace_back();
    for (const Sample& sample : domain.samples)
      ++of_domain[sample.label];
    widths.push_back(std::max<std::size_t>(domain.name.size(), 6));
  }
  for (const std::string& name : dataset.classes)
    width = std::max(width, name.size());
  const auto line = [&](const std::string& head, const auto& value) {
    out << "  " << std::left << std::setw(static_cast<int>(width)) << head << std::right;
    for (std::size_t d = 0; d < counts.size(); ++d)
      out << "  " << std::setw(static_cast<int>(widths[d])) << value(d);
    out << "\n";
  };
  line("class", [&](std::size_t d) { return dataset.domains[d].name; });
  for (std::size_t c = 0; c < dataset.classes.size(); ++c)
    line(dataset.classes[c], [&](std::size_t d) {
      const auto found = counts[d].find(static_cast<std::int64_t>(c));
      return found == counts[d].end() ? std::string("-") : std::to_string(found->second);
    });
  line("all", [&](std::size_t d) { return std::to_string(dataset.domains[d].samples.size()); });
  if (std::any_of(dataset.published.begin(), dataset.published.end(),
                  [](std::size_t n) { return n > 0; }))
    line("published", [&](std::size_t d) { return std::to_string(dataset.published[d]); });
}

void write_likenesses(const std::filesystem::path& file, const CheckReport& report) {
  std::string text = "kind,distance,pictures,across\n";
  for (const auto* all : {&report.identical, &report.near})
    for (const Likeness& one : *all)
      text += std::string(one.identical ? "identical" : "near") + "," +
              std::to_string(one.distance) + "," + csv_field(base::joined(one.ids, " = ")) + "," +
              across(one) + "\n";
  base::write_file(file, text, {.make_folders = true});
}

}  // namespace petlab::datasets::tools
