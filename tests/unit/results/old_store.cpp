#include "old_store.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <fstream>

namespace petlab::results::sample {
namespace {

std::filesystem::path migration_file(int version) {
  const std::string number = "000" + std::to_string(version) + "_";
  for (const auto& entry :
       std::filesystem::directory_iterator(PETLAB_SOURCE_DIR "/results/schema")) {
    if (entry.path().filename().string().starts_with(number)) return entry.path();
  }
  return {};
}

}  // namespace

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void make_old_store(const std::filesystem::path& path, int version) {
  SQLite::Database db(path.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  db.exec("PRAGMA journal_mode = WAL");
  for (int i = 1; i <= version; ++i) {
    db.exec(text_of(migration_file(i)));
    const std::filesystem::path content =
        PETLAB_SOURCE_DIR "/tests/unit/results/version_" + std::to_string(i) + ".sql";
    if (std::filesystem::exists(content)) db.exec(text_of(content));
  }
  db.exec("PRAGMA application_id = 0x7065746c");
  db.exec("PRAGMA user_version = " + std::to_string(version));
}

}  // namespace petlab::results::sample
