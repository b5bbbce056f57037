#include "petlab/engine/evaluation.hpp"

#include "petlab/base/error.hpp"
#include "petlab/engine/class_tokens.hpp"
#include "petlab/engine/costs.hpp"
#include "petlab/engine/environment.hpp"
#include "petlab/engine/evaluator.hpp"
#include "petlab/engine/stored_model.hpp"
#include "petlab/results/identity.hpp"
#include "run/run_execution.hpp"
#include "run/run_setup.hpp"

#include <utility>

namespace petlab::engine {
namespace {

/// What the record has from the run that trained.
void inherit(const results::RunRecord& parent, results::RunRecord& record) {
  record.kind = results::run_kind::kEvaluation;
  record.parent = parent.identity.hash;
  record.method_trait = parent.method_trait;
  record.options = parent.options;
  record.grouping_strategy = parent.grouping_strategy;
  record.parameters = parent.parameters;
  record.trained_hash = parent.trained_hash;
}

}  // namespace

results::RunRecord execute_evaluation(const RunSpec& spec, const RunInfo& info,
                                      const RunInputs& inputs, const StoredAdapters& stored,
                                      const results::RunRecord& parent, const StandIn& stand_in,
                                      Progress& progress) {
  results::RunRecord record = begin_record(spec, info);
  inherit(parent, record);
  const clip::Backbone& backbone = *inputs.backbone;
  set_up_torch(spec);
  CostLog costs(backbone.device(), record.costs);
  costs.begin("setup");
  progress.begin("setup", 0);
  record.environment = describe_environment(backbone.device(), std::move(record.environment));
  record.environment.emplace_back("text_template", stored.facts.text_template);
  if (stand_in.for_all)
    record.environment.emplace_back(results::environment::kTestedAs, stand_in.task);
  record.split_hash = inputs.split_hash;
  record.dataset_hash = inputs.dataset_hash;
  record.total_backbone_parameters = backbone.parameter_count();
  note_cut_texts(inputs, stored.facts.text_template, record, progress);
  check_class_tokens(backbone.tokenizer(), backbone.shape().context_length, inputs.tasks,
                     stored.facts.text_template);
  StoredModel model(inputs.backbone, stored, inputs.tasks, stand_in);
  record.frozen_hash_before = stored.facts.backbone_weights;  // which the model has compared
  const std::unique_ptr<ImageFeatures> features = shared_features(spec, inputs);
  costs.end(0);

  costs.begin("evaluate");
  const std::vector<LabelledImages> test = inputs.load_test();
  if (test.size() != inputs.tasks.size())
    throw base::Error(base::ErrorKind::internal, "an evaluation with other test sets than tasks");
  record.tasks = evaluate(model.adapted(), backbone, inputs.tasks, test, spec.training.precision,
                          progress, &record.image_flops, features.get());
  note_features(features.get(), record, progress);
  record.test_evaluations = spec.dataset.tests_on_validation() ? 0 : 1;
  record.frozen_hash_after = backbone.weight_hash();
  costs.end(model.adapted().images_encoded());
  record.finished = results::utc_now();
  return record;
}

}  // namespace petlab::engine
