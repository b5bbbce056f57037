#include "petlab/study/pending_runs.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/suggestion.hpp"

#include <algorithm>
#include <array>
#include <sstream>

namespace petlab::study {
namespace {

using base::ErrorKind;

constexpr const char* kAll = "failed";
constexpr std::array kKinds = {ErrorKind::config,  ErrorKind::data,   ErrorKind::plugin,
                               ErrorKind::numeric, ErrorKind::device, ErrorKind::store,
                               ErrorKind::internal};

}  // namespace

bool RetryChoice::includes(const std::string& error_kind) const {
  return all || std::find(kinds.begin(), kinds.end(), error_kind) != kinds.end();
}

RetryChoice parse_retry(const std::string& text) {
  std::vector<std::string> known = {kAll};
  for (const ErrorKind kind : kKinds)
    known.emplace_back(base::to_string(kind));
  RetryChoice choice;
  std::istringstream words(text + ",");
  for (std::string word; std::getline(words, word, ',');) {
    if (std::find(known.begin(), known.end(), word) == known.end())
      throw base::Error(ErrorKind::config, "--retry: '" + word + "' is no kind of failure" +
                                               base::did_you_mean(word, known));
    if (word == kAll)
      choice.all = true;
    else
      choice.kinds.push_back(word);
  }
  return choice;
}

PendingRuns choose_jobs(const std::vector<Job>& wanted, const results::RunStore& store,
                        const RetryChoice& retry) {
  PendingRuns pending;
  for (const Job& job : wanted) {
    const std::string& identity = job.identity.hash;
    if (store.has_done(identity)) {
      ++pending.done;
      continue;
    }
    const auto record = store.load(identity, results::LoadDetail::without_predictions);
    if (record && !retry.includes(record->error_kind)) {
      ++pending.failed;
    } else {
      if (record) pending.retried[identity] = record->finished;
      pending.jobs.push_back(job);
    }
  }
  return pending;
}

}  // namespace petlab::study
