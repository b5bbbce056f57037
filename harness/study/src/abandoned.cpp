#include "petlab/study/abandoned.hpp"

#include "lease_owner.hpp"
#include "petlab/results/adapter_files.hpp"
#include "petlab/results/identity.hpp"
#include "petlab/study/worker.hpp"

#include <algorithm>
#include <system_error>

namespace petlab::study {
namespace {

namespace fs = std::filesystem;

/// The identity that the name of a checkpoint, or of its draft, begins with; "" for another file.
std::string identity_of(const std::string& name) {
  constexpr std::size_t kDigits = 64;
  const std::string identity = name.substr(0, kDigits);
  const std::string rest = name.size() > kDigits ? name.substr(kDigits) : "";
  const bool is_ours = identity.size() == kDigits &&
                       identity.find_first_not_of("0123456789abcdef") == std::string::npos &&
                       (rest == ".safetensors" || rest.starts_with(".safetensors.part"));
  return is_ours ? identity : "";
}

/// Runs that somebody works on, as far as is known here.
std::set<std::string> held_runs(const results::RunStore& store) {
  std::set<std::string> held;
  const std::string now = store.utc_in(std::chrono::milliseconds(0));
  for (const results::Lease& lease : store.leases()) {
    const OwnerState owner = state_of(lease.owner);
    const bool lives = owner == OwnerState::at_work || owner == OwnerState::stopped;
    if (lives || (owner == OwnerState::unknown && lease.expires > now)) held.insert(lease.identity);
  }
  return held;
}

/// The files of a folder that are named by runs which nobody holds, but for those that are needed.
template <class Needed>
std::vector<KeptCheckpoint> files_of_runs(const fs::path& folder, const std::set<std::string>& held,
                                          const Needed& is_needed) {
  std::vector<KeptCheckpoint> found;
  std::error_code none;
  for (fs::directory_iterator entry(folder, none), end; !none && entry != end;
       entry.increment(none)) {
    std::error_code ignored;
    const std::string name = entry->path().filename().string();
    const std::string identity = identity_of(name);
    if (identity.empty() || held.count(identity) > 0 || !entry->is_regular_file(ignored)) continue;
    const bool is_draft = !name.ends_with(".safetensors");
    if (!is_draft && is_needed(identity)) continue;
    found.push_back({entry->path(), identity, fs::file_size(entry->path(), ignored)});
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.file < b.file; });
  return found;
}

}  // namespace

std::set<std::string> planned_runs(const results::RunStore& store,
                                   const std::set<std::string>& replaced) {
  std::set<std::string> planned;
  for (const std::string& name : store.studies()) {
    if (replaced.count(name) > 0) continue;
    const auto study = store.study(name);
    for (const results::PlannedRun& run : study->plan)
      planned.insert(run.hash);
  }
  return planned;
}

std::vector<KeptCheckpoint> abandoned_checkpoints(const results::RunStore& store,
                                                  const std::set<std::string>& planned) {
  return files_of_runs(checkpoint_file(store.path(), {"x", {}}).parent_path(), held_runs(store),
                       [&](const std::string& identity) {
                         return planned.count(identity) > 0 && !store.has_done(identity);
                       });
}

std::vector<KeptCheckpoint> abandoned_adapters(const results::RunStore& store) {
  return files_of_runs(results::adapter_file(store.path(), "x").parent_path(), held_runs(store),
                       [&](const std::string& identity) { return store.has_done(identity); });
}

}  // namespace petlab::study
