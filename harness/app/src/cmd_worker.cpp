#include "command.hpp"
#include "petlab/kernels/threads.hpp"
#include "petlab/study/worker.hpp"

#include <ATen/Parallel.h>

#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <iterator>

namespace petlab::app {

/// Hidden: what `petlab run` starts for each run. The worker request comes on standard input,
/// progress goes to descriptor 3.
int run_worker(const Arguments&) {
  const std::string text{std::istreambuf_iterator<char>(std::cin),
                         std::istreambuf_iterator<char>()};
  const study::WorkerRequest order = study::parse_worker_request(text);
  // A worker without the program that waits for it would go on unseen.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != order.parent) return kInterrupted;
  kernels::set_threads(order.job.spec.threads);
  study::ProgressLines progress(3);
  return study::work(order, progress) ? kOk : kRunFailed;
}

}  // namespace petlab::app
