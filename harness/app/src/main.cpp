#include "command.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/suggestion.hpp"
#include "petlab/base/text.hpp"
#include "petlab/kernels/cpu_level.hpp"
#include "petlab/results/store_address.hpp"
#include "petlab/sdk/abi.hpp"
#include "petlab/study/identity.hpp"
#include "petlab/study/slurm.hpp"
#include "petlab/study/study_runner.hpp"

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <iostream>
#include <new>

namespace petlab::app {

const std::vector<Command>& commands() {
  static const std::vector<Command> all = {
      {"demo", "run the demo's study and write its report", run_demo},
      {"init", "write a study for images and a CLIP of yours", run_init},
      {"run", "run what a study is missing", run_study},
      {"plan", "check a study and list its runs", run_plan},
      {"watch", "show how far a study is, until it is done", run_watch},
      {"reproduce", "the paper's tables: run what is missing, print, write a page", run_reproduce},
      {"submit", "submit what a study is missing to a cluster", run_submit},
      {"collect", "bring what workers published into a store", run_collect},
      {"cancel", "cancel what was submitted", run_cancel},
      {"worker", "compute one run that was submitted, for any scheduler", run_worker},
      {"report", "print and write the table of a study", run_report},
      {"evaluate", "test the adapters of a run on other images", run_evaluate},
      {"query", "read a store with SQL", run_query},
      {"merge", "join the stores of several machines", run_merge},
      {"export", "write views as CSV files, or a run's adapters", run_export},
      {"verify", "compute a run once more and compare", run_verify},
      {"check", "look for contradictions in a store", run_check},
      {"clean", "remove checkpoints that no run needs any more", run_clean},
      {"compare", "are two rows really different, and where", run_compare},
      {"plugins", "list plugins, with those that are refused and why", run_plugins},
      {"describe", "a method, a grouping, or the adapters of a run", run_describe},
      {"new-method", "write the files of a new method, in C++ or Python", run_new_method},
      {"datasets", "list, build, check, split, fingerprint", run_datasets},
      {"clip", "look at a backbone, embed, classify", run_clip},
      {"pretrain", "train the embedded backbone anew", run_pretrain_command},
      {"completion", "completion of commands and options for bash and zsh", run_completion},
      {"man", "the manual page", run_man},
      {study::kComputeCommand, nullptr, run_compute},
  };
  return all;
}

namespace {

void print_help() {
  std::cout << "petlab: which way of adapting CLIP is best here, by how much, at what cost?\n\n"
               "petlab COMMAND [options]\n\n";
  for (const Command& command : commands())
    if (command.summary != nullptr)
      std::cout << "  " << command.name << std::string(12 - std::string(command.name).size(), ' ')
                << command.summary << "\n";
  std::cout
      << "\npetlab COMMAND --help says more, with examples. petlab --version prints versions.\n"
         "\nPETLAB_CPU=baseline, avx2, avx512 or amx in the environment limits the instruction "
         "sets\n"
         "that are used; without it, all that the machine offers are.\n"
         "\nExit codes: 0 done; 1 a run failed; 2 command line or protocol; 3 data set or\n"
         "backbone; 4 plugin; 5 results store; 6 device; 7 not a finite number; 8 scheduler; 70\n"
         "internal error (please report); 74 standard output could not be written; 75 stopped,\n"
         "call it again; 130 interrupted.\n";
}

void print_version() {
  std::cout << "petlab " << study::program_version() << "\n"
            << "SDK ABI  " << sdk::kSdkAbi << "\n"
            << "LibTorch " << sdk::kTorchVersion << "\n"
            << "build    " << sdk::kBuildTag << "\n"
            << "CPU      " << kernels::to_string(kernels::cpu_level()) << " of "
            << kernels::to_string(kernels::machine_cpu_level()) << "\n"
            << "sources  " << study::host_source_hash() << " (" << study::host_source_state()
            << ")\n";
}

int dispatch(const Arguments& arguments) {
  const std::string name = arguments.empty() ? "help" : arguments.front();
  if (name == "help" && arguments.size() > 1) {
    Arguments asked(arguments.begin() + 1, arguments.end());
    asked.emplace_back("--help");
    return dispatch(asked);
  }
  if (name == "help" || name == "--help" || name == "-h") {
    print_help();
    return arguments.empty() ? kUsage : kOk;
  }
  if (name == "--version" || name == "version") {
    print_version();
    return kOk;
  }
  std::vector<std::string> known;
  for (const Command& command : commands()) {
    if (name == command.name) return command.run({arguments.begin() + 1, arguments.end()});
    if (command.summary != nullptr) known.emplace_back(command.name);
  }
  throw base::Error(base::ErrorKind::config,
                    "unknown command '" + name + "'" + base::did_you_mean(name, known));
}

constexpr std::size_t kMostShown = 8000;  // bytes of a message

/// An error of petlab's as people read it: a line, whatever the names in it hold.
void say(const std::string& what) {
  std::cerr << "petlab: " << base::message_line(results::without_passwords(what), kMostShown)
            << "\n";
}

/// One of a library, or of petlab itself: it may be pages.
void say_lines(const std::string& what) {
  const std::string shown =
      what.size() <= kMostShown ? what : what.substr(0, kMostShown) + "\n(the rest is left out)";
  std::cerr << "petlab: " << printable_lines(results::without_passwords(shown));
}

/// What was printed has to be where it was sent: a full disk or a reader that has gone is no
/// success. Returns the program's exit code.
int finish_output(int code) {
  errno = 0;
  std::cout.flush();
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout) return code;
  int reason = errno;
  if (reason == 0 && ::write(STDOUT_FILENO, "\n", 1) < 0) reason = errno;  // it was some time ago
  say("standard output could not be written, what was printed is not all there" +
      (reason == 0 ? std::string() : std::string(": ") + std::strerror(reason)));
  return code == kOk ? static_cast<int>(kOutput) : code;
}

int exit_code(base::ErrorKind kind) {
  switch (kind) {
    case base::ErrorKind::config:
      return kUsage;
    case base::ErrorKind::data:
      return kData;
    case base::ErrorKind::plugin:
      return kPlugin;
    case base::ErrorKind::numeric:
      return kNumeric;
    case base::ErrorKind::device:
      return kDevice;
    case base::ErrorKind::store:
      return kStore;
    case base::ErrorKind::internal:
      return kInternal;
  }
  return kInternal;
}

/// A standard descriptor that is closed would be the next file's that is opened, a store's perhaps,
/// and what is printed would go into it. It is taken by something that cannot be used instead.
void occupy_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(descriptor, F_GETFD) < 0 && errno == EBADF)
      (void)::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int run(const Arguments& arguments) {
  try {
    // A wrong PETLAB_CPU is refused by every command, before any work.
    (void)kernels::cpu_level();
    return dispatch(arguments);
  } catch (const study::SchedulerError& error) {
    say(error.what());
    return kScheduler;
  } catch (const base::Error& error) {
    (error.kind() == base::ErrorKind::internal ? say_lines : say)(error.what());
    return exit_code(error.kind());
  } catch (const std::filesystem::filesystem_error& error) {
    // A name that is too long, a loop of links, a folder that may not be looked into.
    say("'" + base::printable(error.path1()) + "': " + error.code().message());
    return kUsage;
  } catch (const std::bad_alloc&) {
    say("out of memory");
    return kDevice;
  } catch (const c10::Error& error) {
    say_lines(std::string("LibTorch: ") + error.what_without_backtrace());
    return kInternal;
  } catch (const std::exception& error) {
    say_lines(error.what());
    return kInternal;
  }
}

}  // namespace
}  // namespace petlab::app

int main(int argc, char** argv) {
  petlab::app::occupy_standard_descriptors();
  // A reader that goes away is an error to report, not a silent end.
  std::signal(SIGPIPE, SIG_IGN);
  // Before any tensor: LibTorch fixes both pools at their first use.
  at::set_num_interop_threads(1);
  return petlab::app::finish_output(petlab::app::run({argv + 1, argv + argc}));
}
