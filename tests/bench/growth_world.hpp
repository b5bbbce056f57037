#pragma once

#include "petlab/clip/backbone.hpp"
#include "petlab/engine/run_spec.hpp"
#include "petlab/sdk/method.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

/// Training steps of any shape on a CLIP of moderate size with seeded random weights: 64 px images
/// in patches of 8 (65 positions), both towers 12 layers of width 192 with 3 heads, context 77.
namespace petlab::bench {

struct StepShape {
  std::int64_t tasks = 1;
  std::int64_t classes = 65;  // of each task
  std::int64_t batch = 4;     // images of each task
  engine::Sharing sharing = engine::Sharing::joint;
  std::map<std::string, std::string> options;  // of the method
};

struct StepCost {
  double seconds = 0.0;         // of a step, the quickest of several
  std::int64_t peak_bytes = 0;  // most that the step's tensors took at one time
  double processor = 0.0;       // seconds of one, of work that one thread does; 0: not measured
};

/// Measures steps of one method as engine::train() does them: prompts, both towers, losses,
/// gradients, optimizer.
class StepWorld {
 public:
  StepWorld(const sdk::MethodEntry& method, c10::Device device);
  [[nodiscard]] StepCost measure(const StepShape& shape) const;

 private:
  const sdk::MethodEntry& method_;
  std::shared_ptr<const clip::Backbone> backbone_;
};

}  // namespace petlab::bench
