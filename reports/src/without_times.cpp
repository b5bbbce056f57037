#include "petlab/reports/render.hpp"

namespace petlab::reports {

void leave_out_times(Report& report) {
  report.times = false;
  for (Row& row : report.rows) {
    row.train_seconds.reset();
    row.evaluate_seconds.reset();
    row.peak_host_bytes.reset();
    row.peak_device_bytes.reset();
    for (SeedResult& seed : row.seeds) {
      seed.train_seconds.reset();
      seed.evaluate_seconds.reset();
      seed.peak_host_bytes.reset();
      seed.peak_device_bytes.reset();
      seed.started.clear();
      seed.finished.clear();
      seed.resumed = 0;
      seed.costs.clear();
      for (results::EpochRecord& epoch : seed.epochs)
        epoch.seconds = 0.0;
    }
  }
  for (Failure& failure : report.failures)
    failure.attempts = 0;
  for (FoundGrouping& found : report.groupings)
    found.grouping.seconds = 0.0;
}

}  // namespace petlab::reports
