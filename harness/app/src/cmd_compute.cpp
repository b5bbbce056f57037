#include "command.hpp"
#include "petlab/engine/stop_request.hpp"
#include "petlab/kernels/threads.hpp"
#include "petlab/study/worker.hpp"

#include <ATen/Parallel.h>

#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <iterator>

namespace petlab::app {

/// Hidden: what `petlab run` and `petlab worker` start for each run. The worker request comes on
/// standard input, progress goes to descriptor 3.
int run_compute(const Arguments&) {
  const std::string text{std::istreambuf_iterator<char>(std::cin),
                         std::istreambuf_iterator<char>()};
  const study::WorkerRequest order = study::parse_worker_request(text);
  // A worker without the program that waits for it would go on unseen.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != order.parent) return kInterrupted;
  kernels::set_threads(order.job.spec.threads);
  study::ProgressLines progress(3);
  try {
    return study::work(order, progress) ? kOk : kRunFailed;
  } catch (const engine::RunStopped&) {
    return kStopped;
  }
}

}  // namespace petlab::app
