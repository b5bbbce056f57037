#include "petlab/study/abandoned.hpp"

#include "lease_owner.hpp"
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
  const std::string now = results::utc_in(std::chrono::milliseconds(0));
  for (const results::Lease& lease : store.leases()) {
    const OwnerState owner = state_of(lease.owner);
    const bool lives = owner == OwnerState::at_work || owner == OwnerState::stopped;
    if (lives || (owner == OwnerState::unknown && lease.expires > now)) held.insert(lease.identity);
  }
  return held;
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
  const std::set<std::string> held = held_runs(store);
  std::vector<KeptCheckpoint> found;
  std::error_code none;
  const fs::path folder = checkpoint_file(store.path(), {"x", {}}).parent_path();
  for (fs::directory_iterator entry(folder, none), end; !none && entry != end;
       entry.increment(none)) {
    std::error_code ignored;
    const std::string name = entry->path().filename().string();
    const std::string identity = identity_of(name);
    if (identity.empty() || held.count(identity) > 0 || !entry->is_regular_file(ignored)) continue;
    const bool is_draft = !name.ends_with(".safetensors");
    if (!is_draft && planned.count(identity) > 0 && !store.has_done(identity)) continue;
    found.push_back({entry->path(), identity, fs::file_size(entry->path(), ignored)});
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.file < b.file; });
  return found;
}

}  // namespace petlab::study
