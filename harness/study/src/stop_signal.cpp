#include "stop_signal.hpp"

#include "petlab/engine/stop_request.hpp"
#include "petlab/study/worker.hpp"

#include <signal.h>
#include <unistd.h>

namespace petlab::study {
namespace {

std::atomic<bool> training{false};

extern "C" void take_stop(int) {
  engine::stop_request = true;
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

void StopSignal::set_training(bool is_training) {
  training = is_training;
  if (engine::stop_request && !is_training) ::_exit(kStoppedExit);
}

void StopSignal::hold() {
  ::signal(SIGTERM, SIG_IGN);
}

}  // namespace petlab::study
