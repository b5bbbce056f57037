#pragma once

#include "petlab/base/error.hpp"
#include "petlab/results/run_store.hpp"
#include "sql/database.hpp"

#include <chrono>
#include <filesystem>
#include <span>
#include <string>
#include <thread>

namespace petlab::results {

/// SQL scripts in order; script i brings a store from schema version i to i + 1.
std::span<const char* const> migrations();

/// An Error(store) whose sentence begins with the address.
base::Error store_error(const std::filesystem::path& store, const std::string& sentence);

/// The first digits of a hash in quotes, for sentences.
std::string quoted_hash(const std::string& hash);

/// Opens a store as RunStore's constructor promises.
sql::Database open_store(const std::filesystem::path& store, OpenMode mode,
                         std::chrono::milliseconds busy_timeout = std::chrono::seconds(30));

/// The same, but throws an sql::Exception that is_lost() where a server is away.
sql::Database open_unless_away(const std::filesystem::path& store, OpenMode mode,
                               std::chrono::milliseconds busy_timeout);

/// Refuses what a newer petlab wrote, and a version below 0, which none wrote.
void check_schema_version(const std::filesystem::path& store, int version);

/// Calls `work` and turns what an engine throws into an Error(store) that says what was being done.
template <class Work>
auto with_store_errors(const std::filesystem::path& store, const std::string& doing, Work&& work) {
  try {
    return work();
  } catch (const sql::Exception& error) {
    throw store_error(store, "cannot " + doing + ": " + error.what());
  }
}

/// Calls `work` again when it threw that the server is away, until patience ends; then throws that.
template <class Work>
auto retried(const std::filesystem::path& store, const Patience& patience, Work&& work) {
  using namespace std::chrono;
  const auto begin = steady_clock::now();
  for (milliseconds pause(50);; pause = std::min(2 * pause, milliseconds(2000))) {
    try {
      if constexpr (std::is_void_v<decltype(work())>) {
        work();
        if (pause > milliseconds(50)) patience.say(store_error(store, "the server is back").what());
        return;
      } else {
        auto result = work();
        if (pause > milliseconds(50)) patience.say(store_error(store, "the server is back").what());
        return result;
      }
    } catch (const sql::Exception& error) {
      if (!error.is_lost()) throw;
      const std::string limit = std::to_string(duration_cast<seconds>(patience.limit).count());
      if (steady_clock::now() - begin + pause > patience.limit)
        throw sql::Exception(std::string(error.what()) + "; tried for " + limit + " seconds",
                             sql::Exception::Reason::lost);
      if (pause == milliseconds(50))
        patience.say(store_error(store, std::string(error.what()) + "; tries again for " + limit +
                                            " seconds")
                         .what());
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace petlab::results
