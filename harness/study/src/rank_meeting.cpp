#include "petlab/study/rank_meeting.hpp"

#include "child_process.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/base/text.hpp"
#include "petlab/engine/rank_store.hpp"
#include "petlab/study/study_runner.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <utility>

namespace petlab::study {
namespace {

constexpr const char* kEnd = "end ";

/// What a rank needs at most to end after rank 0.
constexpr std::chrono::seconds kGrace{10};

std::string order_key(int index) {
  return "petlab/order/" + std::to_string(index);
}
std::string farewell_key(int rank) {
  return "petlab/farewell/" + std::to_string(rank);
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

int number_of(const char* name, int least, int most) {
  const std::string text = variable(name);
  const auto number = base::parse_number<int>(text);
  if (!number || *number < least || *number > most)
    base::throw_config_error((name == std::string("WORLD_SIZE")
                                  ? name
                                  : "WORLD_SIZE is '" + variable("WORLD_SIZE") + "', but " + name) +
                             (text.empty() ? " is not set" : " is '" + text + "'") +
                             ", expected an integer from " + std::to_string(least) + " to " +
                             std::to_string(most) +
                             " (torchrun sets both; env -u WORLD_SIZE runs without ranks)");
  return *number;
}

}  // namespace

std::optional<RankEnvironment> rank_environment() {
  const std::string size = variable("WORLD_SIZE");
  if (size.empty() || size == "1") return std::nullopt;
  RankEnvironment result;
  result.size = number_of("WORLD_SIZE", 1, 4096);
  result.rank = number_of("RANK", 0, result.size - 1);
  result.port = static_cast<std::uint16_t>(number_of("MASTER_PORT", 1, 65535));
  result.address = variable("MASTER_ADDR");
  if (result.address.empty())
    base::throw_config_error("WORLD_SIZE is '" + size +
                             "', but MASTER_ADDR is not set, expected the host of rank 0");
  result.has_store = variable("TORCHELASTIC_USE_AGENT_STORE") == "True";
  return result;
}

int ranks_on_this_host() {
  if (variable("RANK").empty() || base::parse_number<int>(variable("WORLD_SIZE")).value_or(1) < 2)
    return 0;
  return std::max(1, base::parse_number<int>(variable("LOCAL_WORLD_SIZE")).value_or(1));
}

RankMeeting::RankMeeting(std::unique_ptr<engine::RankStore> store, int size, bool starts_all)
    : store_(std::move(store)), size_(size), starts_all_(starts_all) {}

std::shared_ptr<RankMeeting> RankMeeting::here(int size) {
  return std::shared_ptr<RankMeeting>(
      new RankMeeting(engine::RankStore::serve_locally(), size, /*starts_all=*/true));
}

std::shared_ptr<RankMeeting> RankMeeting::lead(const RankEnvironment& environment) {
  return std::shared_ptr<RankMeeting>(
      new RankMeeting(engine::RankStore::open(environment.address, environment.port,
                                              /*is_server=*/!environment.has_store),
                      environment.size, /*starts_all=*/false));
}

RankMeeting::~RankMeeting() {
  end(1);
}

engine::RankPlace RankMeeting::next_run() {
  return {.rank = 0,
          .size = size_,
          .address = store_->address(),
          .port = store_->port(),
          .key = "petlab/run/" + std::to_string(runs_++)};
}

void RankMeeting::publish(const WorkerRequest& order) {
  if (!starts_all_) store_->set(order_key(published_++), to_json(order));
}

void RankMeeting::end(int exit_code) noexcept {
  if (std::exchange(ended_, true) || starts_all_) return;
  try {
    store_->set(order_key(published_), kEnd + std::to_string(exit_code));
    const auto last = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    for (int rank = 1; rank < size_; ++rank)
      (void)store_->get(farewell_key(rank),
                        std::max(std::chrono::milliseconds(0),
                                 std::chrono::duration_cast<std::chrono::milliseconds>(
                                     last - std::chrono::steady_clock::now())));
  } catch (...) {  // the store is gone, and with it whoever would hear it
  }
}

std::filesystem::path log_of_rank(const std::filesystem::path& logs, const Job& job, int rank) {
  return logs / job.spec.study /
         (job.spec.label + ".seed" + std::to_string(job.spec.seed) +
          (rank > 0 ? ".rank" + std::to_string(rank) : "") + ".log");
}

int follow_ranks(const RankEnvironment& environment, const std::filesystem::path& program) {
  std::cerr << "petlab: rank " << environment.rank << " of " << environment.size
            << " waits for rank 0 at " << base::escaped(environment.address) << ":"
            << environment.port << ", at most " << engine::kRankPatience.count() << " minutes"
            << std::endl;
  const auto store = engine::RankStore::open(environment.address, environment.port, false);
  for (int next = 0;; ++next) {
    std::optional<std::string> text;
    while (!text)
      text = store->get(order_key(next), std::chrono::seconds(60));
    if (text->starts_with(kEnd)) {
      store->set(farewell_key(environment.rank), "heard");
      return std::atoi(text->c_str() + std::string(kEnd).size());
    }
    WorkerRequest order = parse_worker_request(*text);
    order.ranks.rank = environment.rank;
    order.parent = static_cast<int>(::getpid());
    const std::string threads = std::to_string(order.job.spec.threads);
    ChildProcess child(
        {program.string(), kComputeCommand},
        {"OMP_NUM_THREADS=" + threads, "MKL_NUM_THREADS=" + threads}, to_json(order),
        log_of_rank(order.store.parent_path() / "logs", order.job, environment.rank));
    using Clock = std::chrono::steady_clock;
    Clock::time_point look = Clock::now() + kGrace, last = Clock::time_point::max();
    while (!child.ended() && Clock::now() < last) {
      // Rank 0 is done with the run: what still waits for it waits in vain.
      if (Clock::now() > look && last == Clock::time_point::max()) {
        look = Clock::now() + std::chrono::seconds(1);
        if (store->get(order_key(next + 1), std::chrono::milliseconds(0)))
          last = Clock::now() + kGrace;
      }
      pollfd descriptor{child.descriptor(), POLLIN, 0};
      if (child.silent())
        ::usleep(20'000);
      else
        ::poll(&descriptor, 1, 200);
      (void)child.lines();  // what it says is rank 0's to say
    }
  }  // a child that has not ended is killed
}

}  // namespace petlab::study
