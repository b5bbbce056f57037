#include "command.hpp"
#include "merge_text.hpp"
#include "petlab/engine/setting_table.hpp"
#include "petlab/results/merge.hpp"

#include <set>

namespace petlab::app {
namespace {

/// Settings that are measured wherever they matter, and stored nowhere.
std::set<std::string> places() {
  std::set<std::string> keys;
  for (const engine::SettingEntry& entry : engine::setting_table())
    if (!entry.in_identity && !entry.in_record) keys.insert(entry.key());
  return keys;
}

}  // namespace

int run_merge(const Arguments& arguments) {
  Usage usage{
      "merge",
      "INTO FROM... [--rename]",
      "Joins the stores of several machines: everything in the files FROM comes into INTO, which\n"
      "is made where there is none, with the adapters of its runs. FROM is only read. A finished\n"
      "run wins over a failed one of the same identity. Two stores may hold parts of one study:\n"
      "other seeds, other rows, with the same settings. Merging again changes nothing, and a\n"
      "merge that is refused changes nothing. Exit code: 5 when two\n"
      "finished runs of one identity have different weights or\n"
      "predictions; the one in INTO stays, and a line says how the other differs.",
      po::options_description("Options"),
      {"INTO", "FROM..."},
      "  petlab merge results/all.sqlite results/gpu1.sqlite results/gpu2.sqlite\n"
      "  petlab merge results/all.sqlite results/old.sqlite --rename\n"};
  usage.options.add_options()("rename", po::bool_switch(),
                              "keep a study whose name is taken by another plan as NAME-FILE");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  const std::filesystem::path into = options->text("INTO");
  const auto& texts = options->get<std::vector<std::string>>("FROM");
  const results::MergeReport report =
      results::merge_stores(into, {texts.begin(), texts.end()},
                            {.rename = options->get<bool>("rename"), .places = places()});
  print_merge(report, into);
  return report.differences.empty() ? kOk : kStore;
}

}  // namespace petlab::app
