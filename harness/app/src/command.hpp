#pragma once

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace petlab::app {

namespace po = boost::program_options;

/// What the program says to the shell. Listed in `petlab help`.
enum ExitCode : int {
  kOk = 0,
  kRunFailed = 1,
  kUsage = 2,  ///< command line, protocol file or environment
  kData = 3,
  kPlugin = 4,
  kStore = 5,
  kDevice = 6,
  kNumeric = 7,
  kScheduler = 8,
  kInternal = 70,
  kOutput = 74,   ///< standard output
  kStopped = 75,  ///< to be called again: study::kStoppedExit
  kInterrupted = 130,
};

using Arguments = std::vector<std::string>;

/// One command of the program.
struct Command {
  const char* name;
  const char* summary;  ///< one line; nullptr hides the command from help
  int (*run)(const Arguments& arguments);
};

[[nodiscard]] const std::vector<Command>& commands();

int run_clip(const Arguments& arguments);
int run_clip_classify(const Arguments& arguments);
int run_clip_embed(const Arguments& arguments);
int run_pretrain_command(const Arguments& arguments);
int run_datasets(const Arguments& arguments);
int check_datasets(const Arguments& arguments);
int split_datasets(const Arguments& arguments);
int fingerprint_datasets(const Arguments& arguments);
int run_cancel(const Arguments& arguments);
int run_check(const Arguments& arguments);
int run_clean(const Arguments& arguments);
int run_collect(const Arguments& arguments);
int run_compare(const Arguments& arguments);
int run_completion(const Arguments& arguments);
int run_compute(const Arguments& arguments);
int run_demo(const Arguments& arguments);
int run_describe(const Arguments& arguments);
int run_evaluate(const Arguments& arguments);
int run_export(const Arguments& arguments);
int run_init(const Arguments& arguments);
int run_man(const Arguments& arguments);
int run_merge(const Arguments& arguments);
int run_new_method(const Arguments& arguments);
int run_plan(const Arguments& arguments);
int run_plugins(const Arguments& arguments);
int run_query(const Arguments& arguments);
int run_report(const Arguments& arguments);
int run_reproduce(const Arguments& arguments);
int run_study(const Arguments& arguments);
int run_submit(const Arguments& arguments);
int run_verify(const Arguments& arguments);
int run_watch(const Arguments& arguments);
int run_worker(const Arguments& arguments);

/// `petlab GROUP ACTION ...`: runs the action that the first argument names. Prints the actions,
/// with `examples` behind them, where there is none. Throws Error(config) with a suggestion for an
/// unknown one.
[[nodiscard]] int run_action(const std::string& group, const std::vector<Command>& actions,
                             const Arguments& arguments, const std::string& examples = "");

/// How a command is called: what `--help` prints and what is parsed.
struct Usage {
  std::string command;              ///< "run"
  std::string synopsis;             ///< "STUDY [options]"
  std::string text;                 ///< what it does
  po::options_description options;  ///< without --help
  /// Names of arguments that must be there, in order. The last may be "NAME...": one or more texts.
  std::vector<std::string> positional;
  std::string examples;
  bool positional_optional = false;  ///< the command does something without them too
};

struct Parsed {
  po::variables_map values;
  std::set<std::string> from_environment;  ///< options that a PETLAB_ variable set

  [[nodiscard]] bool has(const std::string& name) const { return values.count(name) > 0; }
  template <class T>
  [[nodiscard]] const T& get(const std::string& name) const {
    return values[name].as<T>();
  }
  [[nodiscard]] const std::string& text(const std::string& name) const {
    return get<std::string>(name);
  }
};

/// The only argument with which every command prints its Usage as JSON, instead of doing anything:
/// {"command", "synopsis", "text", "options": [{"name", "value", "help"}], "examples"}, or
/// {"actions": [{"name", "summary"}]} of a command that has actions. Manual page and completion are
/// made from it.
inline constexpr const char* kUsageAsJson = "--usage-as-json";

/// Parses a command's arguments; an option that is not given is taken from the environment variable
/// PETLAB_<OPTION>. Prints the help and returns nothing when --help is among them. Throws
/// Error(config) with a suggestion for an unknown option.
[[nodiscard]] std::optional<Parsed> parse(const Usage& usage, const Arguments& arguments);

/// An option that takes a text.
po::typed_value<std::string>* text_value();
po::typed_value<std::vector<std::string>>* texts_value();

/// "a,b" as {"a", "b"}; what is empty is left out.
[[nodiscard]] std::vector<std::string> split_list(const std::string& text);

/// The value of an option that counts something; throws Error(config) unless it is from `least` to
/// `most`.
[[nodiscard]] int count_of(const Parsed& options, const std::string& name, int least, int most);
/// More threads, or runs at once, are a slip of the finger.
inline constexpr int kMostThreads = 1024;

/// Text of several lines, of a message or out of a store, as a terminal may show it: each line
/// base::escaped(), with an end.
[[nodiscard]] std::string printable_lines(const std::string& text);

/// "1,234,567".
[[nodiscard]] std::string grouped_digits(std::int64_t number);

}  // namespace petlab::app
