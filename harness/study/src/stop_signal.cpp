#include "stop_signal.hpp"

#include "petlab/study/worker.hpp"

#include <signal.h>
#include <unistd.h>

namespace petlab::study {
namespace {

std::atomic<bool> stop_asked{false};
std::atomic<bool> training{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set by a signal handler");

extern "C" void take_stop(int) {
  stop_asked = true;
  if (!training) ::_exit(kStoppedExit);
}

}  // namespace

StopSignal::StopSignal() {
  struct sigaction action{};
  action.sa_handler = take_stop;
  ::sigaction(SIGTERM, &action, nullptr);
}

StopSignal::~StopSignal() {
  ::signal(SIGTERM, SIG_DFL);
}

const std::atomic<bool>& StopSignal::asked() const {
  return stop_asked;
}

void StopSignal::set_training(bool is_training) {
  training = is_training;
  if (stop_asked && !is_training) ::_exit(kStoppedExit);
}

void StopSignal::hold() {
  ::signal(SIGTERM, SIG_IGN);
}

}  // namespace petlab::study
