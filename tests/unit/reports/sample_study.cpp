#include "sample_study.hpp"

namespace petlab::reports::sample {

results::RunStore demo_store(const std::filesystem::path& path) {
  namespace records = results::sample;
  using records::RunChoice;
  const auto choice = [](const char* method, const char* sharing, const char* grouping,
                         std::uint64_t seed, std::int64_t trainable,
                         std::vector<std::int64_t> correct, double seconds) {
    return RunChoice{method, sharing, grouping, seed, trainable, std::move(correct), seconds};
  };
  const std::vector<records::Row> rows = {
      {"zero-shot",
       {choice("zero-shot", "joint", "", 1, 0, {5, 3}, 0.0),
        choice("zero-shot", "joint", "", 2, 0, {5, 4}, 0.0),
        choice("zero-shot", "joint", "", 3, 0, {6, 3}, 0.0)}},
      {"coop-joint",
       {choice("coop", "joint", "", 1, 2048, {6, 4}, 10.25),
        choice("coop", "joint", "", 2, 2048, {6, 5}, 11.0),
        choice("coop", "joint", "", 3, 2048, {7, 4}, 250.5)}},
      {"mmap-grouped",
       {choice("mmap", "grouped", "gradient", 1, 1500, {9, 6}, 20.0),
        choice("mmap", "grouped", "gradient", 2, 3000, {8, 6}, 21.0),
        choice("mmap", "grouped", "gradient", 3, 3000, {9, 5}, 22.0)}},
      {"vpt-per-task",
       {choice("vpt", "per-task", "", 1, 1234567, {10, 10}, 30.0),
        choice("vpt", "per-task", "", 2, 1234567, {10, 9}, 30.0),
        choice("vpt", "per-task", "", 3, 1234567, {10, 9}, 30.0)}}};
  results::RunStore store(path);
  for (const std::uint64_t seed : {1U, 2U, 3U})
    store.register_split(records::split(seed));
  store.set_study(records::study("demo", rows));
  for (std::size_t i = 0; i < 3; ++i) {
    for (const RunChoice& run : rows[i].runs) {
      store.record(records::done_run(run, records::split(run.seed)));
    }
  }
  const auto& vpt = rows[3].runs;
  store.record(records::done_run(vpt[0], records::split(1)));
  const auto failure = records::failed_run(vpt[1], records::split(2),
                                           "loss of task 'line' is not finite at step 12");
  store.record(failure);
  store.record(failure);
  return store;
}

}  // namespace petlab::reports::sample
