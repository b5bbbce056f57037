#pragma once

#include "petlab/pretrain/captions.hpp"
#include "petlab/pretrain/losses.hpp"
#include "petlab/pretrain/model.hpp"
#include "petlab/pretrain/optimizer.hpp"
#include "petlab/pretrain/sampler.hpp"
#include "queue.hpp"
#include "teacher.hpp"

#include <ATen/core/Tensor.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace petlab::pretrain {

/// What one step says of itself; of the teacher, if it was one of the teacher's.
struct StepReport {
  bool is_teacher = false;
  double learning_rate = 0;
  double loss = 0;
  double table_accuracy = 0;  ///< share of the pictures with a row whose row was first
};

/// What is known of the pool; borrowed by the trainer.
struct TrainingData {
  const std::vector<PoolIcon>& pool;
  const Curriculum& curriculum;
  const std::map<std::string, SubjectWords>& words;  ///< by subject; may be empty
  at::Tensor pictures;                               ///< uint8 [N, S, S, 3]
  std::vector<PictureFacts> facts;                   ///< [N]
};

/// What captions of a picture may say: the set's own headings, or else the kinds of things that the
/// tables of emoji know. Borrows from `data`.
[[nodiscard]] CaptionSource caption_source(const TrainingData& data, std::size_t picture);

/// How often captions are of which kind.
[[nodiscard]] CaptionShares caption_shares(const PretrainOptions& options);

/// One training run: pictures, model, optimizer, and a teacher where distillation is asked for,
/// which is trained first. Does not look at the clock.
class Trainer {
 public:
  /// Everything given outlives the trainer.
  Trainer(const PretrainOptions& options, const Model& model, const TrainingData& data,
          c10::Device device);

  /// One batch at the place `progress` in [0, 1] of the schedule.
  StepReport step(double progress);

  /// Whether a step at this place of the schedule trains the teacher.
  [[nodiscard]] bool trains_teacher(double progress) const;

  /// Steps taken, the teacher's included.
  [[nodiscard]] std::int64_t steps() const;

  /// Zero-shot accuracies of the averaged weights on the held-out designers' pictures.
  [[nodiscard]] std::vector<HeldOutScore> held_out_scores() const;

  [[nodiscard]] Optimizer& optimizer() { return optimizer_; }

  /// Everything but the optimizer's state that a resumed run needs.
  [[nodiscard]] std::vector<sdk::NamedTensor> state() const;
  void load_state(const std::vector<sdk::NamedTensor>& state);

 private:
  /// Captions of a batch, and what is true of its pictures after augmentation.
  struct Batch {
    std::vector<std::string> texts;
    PairFacts facts;
    at::Tensor rows;  ///< of the table, int64 [B]
    at::Tensor planes;
  };
  /// The teacher, and what trains it.
  struct TeacherState {
    Teacher teacher;
    Optimizer optimizer;
  };
  [[nodiscard]] Batch draw_batch(double progress, base::SplitMix64& chance,
                                 at::Generator& generator) const;
  /// A step of the model or of the teacher, at the place `progress` of their own schedules.
  StepReport step_model(const Batch& batch, double progress, at::Generator& generator);
  StepReport step_teacher(const Batch& batch, double progress);
  /// What the pictures' classification among the subjects costs.
  [[nodiscard]] at::Tensor classification(const at::Tensor& logits, const Batch& batch) const;
  [[nodiscard]] at::Tensor contrast(const at::Tensor& images, const at::Tensor& texts,
                                    const PairFacts& facts) const;
  [[nodiscard]] at::Tensor telling_facts(const at::Tensor& images, const at::Tensor& texts,
                                         const PairFacts& facts) const;

  const PretrainOptions& options_;
  const Model& model_;
  const TrainingData& data_;
  c10::Device device_;
  c10::ScalarType type_;
  Optimizer optimizer_;
  Queue queue_;
  std::optional<TeacherState> schooling_;
};

}  // namespace petlab::pretrain
