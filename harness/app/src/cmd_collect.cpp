#include "cluster_command.hpp"
#include "command.hpp"
#include "merge_text.hpp"
#include "petlab/base/error.hpp"
#include "petlab/results/store_address.hpp"
#include "petlab/study/collect.hpp"

#include <iostream>

namespace petlab::app {

bool print_collected(const study::Collected& collected, const std::filesystem::path& store) {
  if (collected.shards > 0) print_merge(collected.merged, store);
  for (const std::string& sentence : collected.unusable)
    std::cerr << "petlab: " << sentence << "\n";
  return collected.merged.differences.empty() && collected.unusable.empty();
}

int run_collect(const Arguments& arguments) {
  Usage usage{
      "collect",
      "--store FILE",
      "Brings the results that workers published (FILE.jobs/N/spool) into the store. Runs are\n"
      "joined by identity as `petlab merge` does it: a run that several hosts computed is there\n"
      "once. May be called at any time, from the host where the store lies. Exit code: 5 when a\n"
      "result cannot be used or differs from what the store has; it is kept in the spool, and a\n"
      "line says why.",
      po::options_description("Options"),
      {},
      "  petlab collect --store results/my.sqlite\n"};
  usage.options.add_options()("store", text_value(), "results database");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  if (!options->has("store")) base::throw_config_error("petlab collect needs --store FILE");
  const std::filesystem::path store = options->text("store");
  if (!results::has_store(store))
    throw base::Error(base::ErrorKind::store, "results store '" + store.string() +
                                                  "': there is no such file; petlab submit makes "
                                                  "one");
  const study::Collected collected = study::collect(store);
  if (collected.shards == 0) std::cout << "nothing to collect for " << store.string() << "\n";
  return print_collected(collected, store) ? kOk : kStore;
}

}  // namespace petlab::app
