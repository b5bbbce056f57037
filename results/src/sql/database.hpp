#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

/// What the store needs of a database, and nothing more: prepared statements with values, rows,
/// transactions, a clock. One implementation an engine (sqlite.hpp, postgres.hpp). SQL that goes
/// through it is what both understand: `?` and `?2` for values, ON CONFLICT, RETURNING; no
/// function or type that only one has.
namespace petlab::results::sql {

enum class Engine { sqlite, postgresql };

/// What an engine said when it refused something.
class Exception : public std::runtime_error {
 public:
  enum class Reason {
    refused,  ///< a statement, for what it is
    lost,     ///< the server cannot be reached, or went away: the same may work later
  };
  explicit Exception(const std::string& what, Reason reason = Reason::refused)
      : std::runtime_error(what), reason_(reason) {}
  [[nodiscard]] bool is_lost() const { return reason_ == Reason::lost; }

 private:
  Reason reason_;
};

enum class Type { null, integer, real, text, bytes };

/// A statement of an engine, prepared, with the row that it is at. Indices of values begin with 1,
/// those of columns with 0.
class Cursor {
 public:
  virtual ~Cursor() = default;
  virtual void bind(int index, std::int64_t value) = 0;
  virtual void bind(int index, double value) = 0;  ///< a NaN becomes NULL
  virtual void bind(int index, const std::string& text) = 0;
  virtual void bind_bytes(int index, const std::string& bytes) = 0;
  virtual void bind_null(int index) = 0;
  virtual bool step() = 0;
  virtual std::int64_t run() = 0;
  virtual void send() = 0;
  virtual void reset() noexcept = 0;
  [[nodiscard]] virtual Type type(int column) const = 0;
  [[nodiscard]] virtual std::int64_t integer(int column) const = 0;
  [[nodiscard]] virtual double real(int column) const = 0;
  [[nodiscard]] virtual std::string text(int column) const = 0;  ///< of `bytes` too
  [[nodiscard]] virtual int columns() = 0;
  [[nodiscard]] virtual std::string name(int column) = 0;
};

enum class Access { read, write };

/// What a power cut may undo of a committed transaction: nothing, or the latest ones. A killed
/// process undoes neither.
enum class Durability { synced, relaxed };

/// An open database of an engine.
class Connection {
 public:
  virtual ~Connection() = default;
  [[nodiscard]] virtual Engine engine() const = 0;
  virtual void run_script(const std::string& sql) = 0;
  virtual std::unique_ptr<Cursor> prepare(const std::string& sql) = 0;
  virtual void begin(Access access, Durability durability) = 0;
  virtual void commit() = 0;
  virtual void roll_back() noexcept = 0;
  virtual std::int64_t now() = 0;
  /// Whether the server went away; then all but reconnect() throws.
  [[nodiscard]] virtual bool is_lost() const { return false; }
  virtual void reconnect() {}
};

/// An open database. Empty when it was moved from. Statements and transactions must not outlive it.
class Database {
 public:
  explicit Database(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}

  [[nodiscard]] Engine engine() const { return connection_->engine(); }
  /// Statements without values, one after the other.
  void run_script(const std::string& sql) const { connection_->run_script(sql); }
  /// Milliseconds since 1970-01-01 UTC by the clock that all who use the database share: the
  /// server's, or for a file the host's.
  [[nodiscard]] std::int64_t now() const { return connection_->now(); }

  [[nodiscard]] Connection& connection() const { return *connection_; }

 private:
  std::unique_ptr<Connection> connection_;
};

/// A value of the row that a statement is at; good until its next step.
class Column {
 public:
  Column(const Cursor& cursor, int column) : cursor_(cursor), column_(column) {}
  [[nodiscard]] bool is_null() const { return type() == Type::null; }
  [[nodiscard]] Type type() const { return cursor_.type(column_); }
  [[nodiscard]] std::int64_t integer() const { return cursor_.integer(column_); }
  [[nodiscard]] double real() const { return cursor_.real(column_); }
  [[nodiscard]] std::string text() const { return cursor_.text(column_); }

 private:
  const Cursor& cursor_;
  int column_;
};

/// A prepared statement. Can be run again, with other values or the same.
class Statement {
 public:
  Statement(const Database& db, const std::string& sql) : cursor_(db.connection().prepare(sql)) {}

  void bind(int index, std::int64_t value) { cursor_->bind(index, value); }
  void bind(int index, double value) { cursor_->bind(index, value); }
  void bind(int index, const std::string& text) { cursor_->bind(index, text); }
  void bind_bytes(int index, const std::string& bytes) { cursor_->bind_bytes(index, bytes); }
  void bind_null(int index) { cursor_->bind_null(index); }

  /// Goes to the next row, the first one at first; false behind the last.
  bool step() { return cursor_->step(); }
  /// Runs a statement that gives no rows; returns how many it inserted, changed or deleted.
  std::int64_t run() { return cursor_->run(); }
  /// The same, in a write transaction, for whoever does not ask what came of it: an engine may do
  /// it together with others later, at the latest before the next row is read or the transaction
  /// ends, and what it refuses is thrown then.
  void send() { cursor_->send(); }
  /// Ready to be run again; the values stay.
  void reset() noexcept { cursor_->reset(); }

  [[nodiscard]] Column column(int index) const { return {*cursor_, index}; }
  [[nodiscard]] int columns() { return cursor_->columns(); }
  [[nodiscard]] std::string name(int column) { return cursor_->name(column); }

 private:
  std::unique_ptr<Cursor> cursor_;
};

/// All or nothing: undone when it goes away without commit(). One that writes excludes others that
/// write, from its beginning; one that reads sees one state of the database. A commit that throws
/// happened or did not happen as a whole: where the connection was lost in it, nobody says which.
class Transaction {
 public:
  explicit Transaction(const Database& db, Access access = Access::read,
                       Durability durability = Durability::synced)
      : connection_(db.connection()) {
    connection_.begin(access, durability);
  }
  ~Transaction() {
    if (!is_over_) connection_.roll_back();
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void commit() {
    connection_.commit();
    is_over_ = true;
  }

 private:
  Connection& connection_;
  bool is_over_ = false;
};

}  // namespace petlab::results::sql
