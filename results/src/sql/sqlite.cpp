#include "sqlite.hpp"

#include "petlab/base/text.hpp"

#include <chrono>
#include <optional>

namespace petlab::results::sql {
namespace {

// SQLite's refusals as those of every engine.
template <class Work>
auto said_as_exception(Work&& work) {
  try {
    return work();
  } catch (const SQLite::Exception& error) {
    throw Exception(message_of(error));
  }
}

class SqliteCursor final : public Cursor {
 public:
  SqliteCursor(const SQLite::Database& db, const std::string& sql) : statement_(db, sql) {}

  void bind(int index, std::int64_t value) override { bind_any(index, value); }
  void bind(int index, double value) override { bind_any(index, value); }
  void bind(int index, const std::string& text) override { bind_any(index, text); }
  void bind_bytes(int index, const std::string& bytes) override {
    said_as_exception(
        [&] { statement_.bind(index, bytes.data(), static_cast<int>(bytes.size())); });
  }
  void bind_null(int index) override {
    said_as_exception([&] { statement_.bind(index); });
  }
  bool step() override {
    return said_as_exception([&] { return statement_.executeStep(); });
  }
  std::int64_t run() override {
    return said_as_exception([&] { return statement_.exec(); });
  }
  void send() override {
    run();
    reset();
  }
  void reset() noexcept override { statement_.tryReset(); }

  [[nodiscard]] Type type(int column) const override {
    const SQLite::Column value = statement_.getColumn(column);
    return value.isNull()      ? Type::null
           : value.isInteger() ? Type::integer
           : value.isFloat()   ? Type::real
           : value.isBlob()    ? Type::bytes
                               : Type::text;
  }
  [[nodiscard]] std::int64_t integer(int column) const override {
    return statement_.getColumn(column).getInt64();
  }
  [[nodiscard]] double real(int column) const override {
    return statement_.getColumn(column).getDouble();
  }
  [[nodiscard]] std::string text(int column) const override {
    return statement_.getColumn(column).getString();
  }
  [[nodiscard]] int columns() override { return statement_.getColumnCount(); }
  [[nodiscard]] std::string name(int column) override { return statement_.getColumnName(column); }

 private:
  template <class Value>
  void bind_any(int index, const Value& value) {
    said_as_exception([&] { statement_.bind(index, value); });
  }

  mutable SQLite::Statement statement_;  // its columns are read by what is no const function
};

class SqliteConnection final : public Connection {
 public:
  explicit SqliteConnection(SQLite::Database db) : db_(std::move(db)) {}

  [[nodiscard]] Engine engine() const override { return Engine::sqlite; }
  void run_script(const std::string& sql) override {
    said_as_exception([&] { db_.exec(sql); });
  }
  std::unique_ptr<Cursor> prepare(const std::string& sql) override {
    return said_as_exception([&] { return std::make_unique<SqliteCursor>(db_, sql); });
  }
  void begin(Access access, Durability durability) override {
    said_as_exception([&] {
      if (access == Access::write) set_durability(db_, durability);
      db_.exec(access == Access::write ? "BEGIN IMMEDIATE" : "BEGIN DEFERRED");
    });
  }
  void commit() override {
    said_as_exception([&] { db_.exec("COMMIT"); });
  }
  void roll_back() noexcept override {
    try {
      db_.exec("ROLLBACK");
    } catch (const SQLite::Exception&) {
      // It is undone already: SQLite does that itself after some errors.
    }
  }
  std::int64_t now() override {
    const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count();
  }

 private:
  SQLite::Database db_;
};

}  // namespace

// Under write-ahead logging, FULL syncs the log with every commit, NORMAL only when the log is
// copied into the file; a later commit with FULL syncs the earlier ones too. With a rollback
// journal only FULL is safe.
void set_durability(SQLite::Database& db, Durability durability) {
  const bool relaxed = durability == Durability::relaxed &&
                       db.execAndGet("PRAGMA journal_mode").getString() == "wal";
  db.exec(relaxed ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL");
}

std::string message_of(const SQLite::Exception& error) {
  return base::message_line(error.what(), 500);
}

Database sqlite_database(SQLite::Database file) {
  return Database(std::make_unique<SqliteConnection>(std::move(file)));
}

}  // namespace petlab::results::sql
