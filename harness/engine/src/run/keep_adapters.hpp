#pragma once

#include "petlab/engine/failure_context.hpp"
#include "petlab/engine/run.hpp"
#include "petlab/engine/sharing.hpp"
#include "petlab/results/record.hpp"

#include <string>

namespace petlab::engine {

/// Keeps the adapters of a run in a file, where its place has one.
class AdapterKeeper {
 public:
  /// Makes the folder, and sees that a file can be written there: a run must not find out at its
  /// end. Throws Error(store).
  explicit AdapterKeeper(const AdapterPlace& place);

  /// Writes the file, and its digest and size into the record. Throws Error(store) naming the file.
  void keep(const Adapters& adapters, const RunInputs& inputs, const std::string& text_template,
            results::RunRecord& record, FailureContext& where) const;

 private:
  AdapterPlace place_;
};

}  // namespace petlab::engine
