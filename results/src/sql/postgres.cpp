#include "postgres.hpp"

#include "petlab/base/text.hpp"
#include "postgres_login.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <vector>

namespace petlab::results::sql {
namespace {

// The lock that one who writes holds until its transaction ends ("petl"): what BEGIN IMMEDIATE is
// in SQLite.
constexpr const char* kWriteLock = "1885697132";

// Statements that are sent without waiting for their outcome. Their answers, some 50 bytes each,
// must have room in the socket until they are read.
constexpr int kMostAhead = 256;

constexpr auto kConnectTimeout = std::chrono::seconds(30);

// Types of columns, from the server's catalogue.
constexpr Oid kBool = 16, kBytes = 17, kInt8 = 20, kInt2 = 21, kInt4 = 23, kFloat4 = 700,
              kFloat8 = 701, kNumeric = 1700;

struct Value {
  std::string text;
  int format = 0;  // 0 text, 1 binary: bytes, and texts too, so that none ends at a byte 0
  bool is_null = true;
};

// "?" and "?2" as "$1" and "$2".
std::string with_numbered_values(const std::string& sql) {
  std::string result;
  int next = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < sql.size(); ++i) {
    if (sql[i] == '\'') quoted = !quoted;
    if (sql[i] != '?' || quoted) {
      result += sql[i];
      continue;
    }
    result += '$';
    const bool numbered = i + 1 < sql.size() && sql[i + 1] >= '1' && sql[i + 1] <= '9';
    if (!numbered) result += std::to_string(++next);
  }
  return result;
}

class PostgresConnection final : public Connection {
 public:
  PostgresConnection(std::string uri, Access access, std::chrono::milliseconds busy_timeout)
      : uri_(std::move(uri)), access_(access), busy_timeout_(busy_timeout) {
    reconnect();
  }

  [[nodiscard]] Engine engine() const override { return Engine::postgresql; }
  [[nodiscard]] bool is_lost() const override {
    return broken_ || !connection_ || PQstatus(connection_.get()) != CONNECTION_OK;
  }

  void reconnect() override {
    prepared_.clear();
    ahead_ = 0;
    connection_ = log_in(uri_, kConnectTimeout);
    broken_ = false;
    run_script("SET lock_timeout = " + std::to_string(busy_timeout_.count()) +
               "; SET extra_float_digits = 1; SET bytea_output = hex"
               // A host that died must not hold the lock of those who write for hours.
               "; SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10"
               "; SET tcp_keepalives_count = 3; SET default_transaction_read_only = " +
               (access_ == Access::read ? "on" : "off"));
  }

  void run_script(const std::string& sql) override {
    flush();
    check(PgResult(PQexec(connection_.get(), sql.c_str())));
  }

  std::unique_ptr<Cursor> prepare(const std::string& sql) override;

  // Never relaxed: a server that crashed and forgot a lease would have its run computed twice.
  void begin(Access access, Durability /*durability*/) override {
    if (access == Access::read)
      return run_script("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    try {
      run_script(std::string("BEGIN READ WRITE; "
                             "SET LOCAL idle_in_transaction_session_timeout = '5min'; "
                             "SELECT pg_advisory_xact_lock(") +
                 kWriteLock + ")");
    } catch (const Exception&) {
      roll_back();
      throw;
    }
  }

  void commit() override {
    flush();
    const PgResult result(PQexec(connection_.get(), "COMMIT"));
    check(result);
    // What a server says that had to undo it is no error.
    if (std::string(PQcmdStatus(result.get())) != "COMMIT")
      throw Exception("the server undid the transaction");
  }

  void roll_back() noexcept override {
    try {
      if (is_lost()) return;
      if (ahead_ > 0) leave_pipeline();
      PgResult(PQexec(connection_.get(), "ROLLBACK"));
    } catch (const std::exception&) {
      // The server undoes what a lost connection left.
    }
  }

  std::int64_t now() override {
    flush();
    const PgResult time(PQexec(
        connection_.get(), "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint"));
    check(time);
    return std::stoll(PQgetvalue(time.get(), 0, 0));
  }

  // Runs a statement to its end.
  PgResult execute(const std::string& sql, const std::vector<Value>& values) {
    flush();
    auto found = prepared_.find(sql);
    if (found == prepared_.end()) {
      const std::string name = "p" + std::to_string(names_++);
      check(PgResult(PQprepare(connection_.get(), name.c_str(), with_numbered_values(sql).c_str(),
                               0, nullptr)));
      found = prepared_.emplace(sql, name).first;
    }
    const Arguments arguments(values);
    PgResult result(PQexecPrepared(connection_.get(), found->second.c_str(), arguments.count(),
                                   arguments.texts.data(), arguments.lengths.data(),
                                   arguments.formats.data(), /*resultFormat=*/0));
    check(result);
    return result;
  }

  // Sends a statement whose outcome is looked at by flush().
  void send(const std::string& sql, const std::vector<Value>& values) {
    if (ahead_ == 0 && PQenterPipelineMode(connection_.get()) == 0) fail(nullptr);
    ++ahead_;
    auto found = prepared_.find(sql);
    if (found == prepared_.end()) {
      const std::string name = "p" + std::to_string(names_++);
      if (PQsendPrepare(connection_.get(), name.c_str(), with_numbered_values(sql).c_str(), 0,
                        nullptr) == 0)
        fail(nullptr);
      found = prepared_.emplace(sql, name).first;
    }
    const Arguments arguments(values);
    if (PQsendQueryPrepared(connection_.get(), found->second.c_str(), arguments.count(),
                            arguments.texts.data(), arguments.lengths.data(),
                            arguments.formats.data(), /*resultFormat=*/0) == 0)
      fail(nullptr);
    if (ahead_ >= kMostAhead) flush();
  }

  // Waits for what was sent; throws what the server refused first.
  void flush() {
    if (is_lost()) throw Exception("the connection to the server is lost", Exception::Reason::lost);
    if (ahead_ == 0) return;
    const std::optional<Exception> refused = leave_pipeline();
    if (refused) throw *refused;
  }

 private:
  // Values in the form that libpq wants.
  struct Arguments {
    std::vector<const char*> texts;
    std::vector<int> lengths, formats;

    explicit Arguments(const std::vector<Value>& values) {
      for (const Value& value : values) {
        texts.push_back(value.is_null ? nullptr : value.text.data());
        lengths.push_back(static_cast<int>(value.text.size()));
        formats.push_back(value.format);
      }
    }
    [[nodiscard]] int count() const { return static_cast<int>(texts.size()); }
  };

  [[nodiscard]] Exception refusal(const PGresult* result) {
    const char* code = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char* main =
        result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const std::string state = code == nullptr ? "" : code;
    const std::string line =
        main == nullptr ? in_one_line(PQerrorMessage(connection_.get())) : in_one_line(main);
    // Without a state it is libpq's: a write failed, which PQstatus may not say yet.
    if (result != nullptr && code == nullptr && PQresultStatus(result) == PGRES_FATAL_ERROR)
      broken_ = true;
    if (is_lost() || is_away(state))
      return Exception("the connection to the server is lost: " + line, Exception::Reason::lost);
    if (state == "55P03")
      return Exception("another process has been writing for " +
                       std::to_string(busy_timeout_.count() / 1000) + " seconds");
    return Exception(line);
  }

  [[noreturn]] void fail(const PGresult* result) { throw refusal(result); }

  void check(const PgResult& result) {
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY)
      fail(result.get());
  }

  // Reads all answers; returns the first refusal.
  std::optional<Exception> leave_pipeline() {
    ahead_ = 0;
    std::optional<Exception> refused;
    if (PQpipelineSync(connection_.get()) == 0) return refusal(nullptr);
    while (true) {
      const PgResult result(PQgetResult(connection_.get()));
      if (!result) {  // between the answers of two statements
        if (is_lost()) return refused ? refused : refusal(nullptr);
        continue;
      }
      const ExecStatusType status = PQresultStatus(result.get());
      if (status == PGRES_PIPELINE_SYNC) break;
      if (status == PGRES_FATAL_ERROR && !refused) refused = refusal(result.get());
    }
    if (refused) prepared_.clear();  // what was to be prepared in the pipeline may not be there
    if (PQexitPipelineMode(connection_.get()) == 0 && !refused) refused = refusal(nullptr);
    return refused;
  }

  std::string uri_;
  Access access_;
  std::chrono::milliseconds busy_timeout_;
  Pg connection_;
  std::map<std::string, std::string> prepared_;  // SQL -> its name on the server
  bool broken_ = false;                          // libpq has failed to reach the server
  int ahead_ = 0;                                // statements that were sent and not looked at
  int names_ = 0;                                // of prepared statements that were given
};

class PostgresCursor final : public Cursor {
 public:
  PostgresCursor(PostgresConnection& connection, std::string sql)
      : connection_(connection), sql_(std::move(sql)) {}

  void bind(int index, std::int64_t value) override { set(index, std::to_string(value), 0); }
  void bind(int index, double value) override {
    if (std::isnan(value)) return bind_null(index);
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    set(index, {text.data(), end}, 0);
  }
  void bind(int index, const std::string& text) override { set(index, text, 1); }
  void bind_bytes(int index, const std::string& bytes) override { set(index, bytes, 1); }
  void bind_null(int index) override { at(index) = Value{}; }

  bool step() override {
    if (!result_) result_ = connection_.execute(sql_, values_);
    return ++row_ < PQntuples(result_.get());
  }
  std::int64_t run() override {
    const PgResult result = connection_.execute(sql_, values_);
    return std::atoll(PQcmdTuples(result.get()));
  }
  void send() override { connection_.send(sql_, values_); }
  void reset() noexcept override {
    result_.reset();
    row_ = -1;
  }

  [[nodiscard]] Type type(int column) const override {
    if (PQgetisnull(result_.get(), row_, column) != 0) return Type::null;
    switch (PQftype(result_.get(), column)) {
      case kInt8:
      case kInt4:
      case kInt2:
        return Type::integer;
      case kFloat8:
      case kFloat4:
        return Type::real;
      case kNumeric:  // sums of integers; anything else has a fraction
        return text(column).find_first_not_of("-0123456789") == std::string::npos ? Type::integer
                                                                                  : Type::real;
      case kBool:
        return Type::text;
      case kBytes:
        return Type::bytes;
      default:
        return Type::text;
    }
  }
  [[nodiscard]] std::int64_t integer(int column) const override {
    return number<std::int64_t>(column);
  }
  [[nodiscard]] double real(int column) const override { return number<double>(column); }
  [[nodiscard]] std::string text(int column) const override {
    const char* value = PQgetvalue(result_.get(), row_, column);
    if (PQftype(result_.get(), column) != kBytes)
      return {value, static_cast<std::size_t>(PQgetlength(result_.get(), row_, column))};
    std::size_t size = 0;
    const std::unique_ptr<unsigned char, decltype(&PQfreemem)> bytes(
        PQunescapeBytea(reinterpret_cast<const unsigned char*>(value), &size), PQfreemem);
    return {reinterpret_cast<const char*>(bytes.get()), size};
  }
  [[nodiscard]] int columns() override {
    run_ahead();
    return PQnfields(result_.get());
  }
  [[nodiscard]] std::string name(int column) override {
    run_ahead();
    return PQfname(result_.get(), column);
  }

 private:
  // The columns are known when the statement was run; its rows come after that.
  void run_ahead() {
    if (!result_) result_ = connection_.execute(sql_, values_);
  }

  template <class Number>
  [[nodiscard]] Number number(int column) const {
    const char* text = PQgetvalue(result_.get(), row_, column);
    const char* end = text + PQgetlength(result_.get(), row_, column);
    Number value = 0;
    (void)std::from_chars(text, end, value);
    return value;
  }

  Value& at(int index) {
    const auto place = static_cast<std::size_t>(index) - 1;
    if (values_.size() <= place) values_.resize(place + 1);
    return values_[place];
  }
  void set(int index, std::string text, int format) {
    at(index) = {std::move(text), format, false};
  }

  PostgresConnection& connection_;
  std::string sql_;
  std::vector<Value> values_;
  PgResult result_;
  int row_ = -1;
};

std::unique_ptr<Cursor> PostgresConnection::prepare(const std::string& sql) {
  return std::make_unique<PostgresCursor>(*this, sql);
}

}  // namespace

Database postgres_database(const std::string& uri, Access access,
                           std::chrono::milliseconds busy_timeout) {
  return Database(std::make_unique<PostgresConnection>(uri, access, busy_timeout));
}

}  // namespace petlab::results::sql
