#include "fixture.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>

// A plugin that means harm. What it does at an early call of changes() is the value of
// PETLAB_TEST_HOSTILE in the environment.
namespace {

using namespace petlab;

constexpr int kProgress = 3;  // the worker's pipe to the program

void say(int descriptor, const std::string& text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const ssize_t n = ::write(descriptor, text.data() + at, text.size() - at);
    if (n <= 0) return;
    at += static_cast<std::size_t>(n);
  }
}

/// Leaves a process behind that nobody waits for, in a session of its own; it writes its number to
/// the file of PETLAB_TEST_FILE.
void leave_daemon() {
  if (::fork() != 0) return;
  ::setsid();
  if (::fork() != 0) ::_exit(0);
  const int file = ::open(std::getenv("PETLAB_TEST_FILE"), O_WRONLY | O_CREAT, 0600);
  say(file, std::to_string(::getpid()) + "\n");
  ::close(file);
  ::sleep(600);
  ::_exit(0);
}

/// Takes memory in a process of its own, 64 MiB at a time.
void hoard_in_child() {
  if (::fork() == 0) {
    ::setsid();
    for (int i = 0; i < 64; ++i) {
      constexpr std::size_t kBlock = std::size_t{64} << 20U;
      if (void* block = std::malloc(kBlock); block != nullptr) std::memset(block, 1, kBlock);
      ::usleep(50'000);
    }
    ::sleep(600);
    ::_exit(0);
  }
  for (;;)
    ::pause();
}

void act(const std::string& what) {
  const std::string file =
      std::getenv("PETLAB_TEST_FILE") != nullptr ? std::getenv("PETLAB_TEST_FILE") : "";
  if (what == "says-done-and-ends") {
    say(kProgress, "done 0.999999\n");
    ::_exit(0);
  } else if (what == "says-failed-and-ends") {
    say(kProgress, "failed plugin \x1b[2J a lie\n");
    ::_exit(0);
  } else if (what == "says-done-and-goes-on") {
    say(kProgress, "done 0.999999\n");
  } else if (what == "says-anything") {
    say(kProgress,
        "garbage \xff\n\nphase\nupdate x y\nnote\nphase \xff 99999999999999999999\n"
        "update 9223372036854775807 \x1b[31mred\nnote \r\x1b[2K\x1b]0;title\x07 spoof\n");
  } else if (what == "floods-a-line") {
    const std::string block(1U << 20U, 'x');
    for (int i = 0; i < 300; ++i)
      say(kProgress, block);
  } else if (what == "floods-notes") {
    for (int i = 0; i < 100'000; ++i)
      say(kProgress, "note hello\n");
  } else if (what == "throws-anything") {
    throw std::runtime_error("bad \xff\xfe\x1b[31m <script>alert(1)</script>\nsecond line " +
                             std::string(5'000'000, 'A'));
  } else if (what == "leaves-a-daemon") {
    leave_daemon();
  } else if (what == "hoards-in-a-child") {
    hoard_in_child();
  } else if (what == "removes-the-file") {
    for (const char* suffix : {"", "-wal", "-shm"})
      ::unlink((file + suffix).c_str());
  } else if (what == "replaces-the-file") {
    for (const char* suffix : {"-wal", "-shm"})
      ::unlink((file + suffix).c_str());
    std::filesystem::copy_file(file, file + ".other");
    std::filesystem::rename(file + ".other", file);
  }
}

class Hostile final : public tests::FixtureAdapter {
 public:
  using FixtureAdapter::FixtureAdapter;
  [[nodiscard]] sdk::BackboneChanges changes(const sdk::ChangeRequest& /*request*/) const override {
    static int calls = 0;
    const char* text = std::getenv("PETLAB_TEST_HOSTILE");
    const std::string what = text == nullptr ? "" : text;
    // Some steps of training are done when the store goes.
    if (++calls == (what.ends_with("-the-file") ? 6 : 1)) act(what);
    return with(prompts_);
  }
};

constexpr sdk::MethodEntry kMethod =
    tests::fixture_entry("fixture-hostile", tests::make_method<tests::FixtureMethod<Hostile>>);

}  // namespace

PETLAB_PLUGIN(PETLAB_FIXTURE_PARTS(kMethod));
