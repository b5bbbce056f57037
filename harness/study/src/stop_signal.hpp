#pragma once

namespace petlab::study {

/// SIGTERM in a child whose run can be called again. While training is under way it is only noted
/// (engine::stop_request), for the training to write its checkpoint; at any other time the process
/// ends at once with kStoppedExit. One object at a time.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  /// Says whether training is under way. Ends the process where it was asked to stop before.
  void set_training(bool is_training);

  /// From now on the signal does nothing any more.
  void hold();
};

}  // namespace petlab::study
