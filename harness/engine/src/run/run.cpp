#include "petlab/engine/run.hpp"

#include "petlab/base/error.hpp"
#include "petlab/engine/adapted_backbone.hpp"
#include "petlab/engine/adapter_checks.hpp"
#include "petlab/engine/class_tokens.hpp"
#include "petlab/engine/costs.hpp"
#include "petlab/engine/environment.hpp"
#include "petlab/engine/evaluator.hpp"
#include "petlab/engine/grouping_host.hpp"
#include "petlab/engine/parameter_count.hpp"
#include "petlab/engine/precision.hpp"
#include "petlab/engine/run_checkpoint.hpp"
#include "petlab/engine/tasks.hpp"
#include "petlab/engine/train_images.hpp"
#include "petlab/engine/trainer.hpp"
#include "petlab/kernels/cpu_level.hpp"
#include "petlab/results/identity.hpp"
#include "run/keep_adapters.hpp"
#include "run/run_execution.hpp"
#include "run/run_setup.hpp"
#include "run/torch_state.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace petlab::engine {
namespace {

void check_inputs(const RunSpec& spec, const RunInputs& inputs) {
  const auto refuse = [](const std::string& what) {
    throw base::Error(base::ErrorKind::internal, what);
  };
  if (inputs.method == nullptr || inputs.backbone == nullptr)
    refuse("a run without its method or backbone");
  if (inputs.tasks.empty() || !inputs.load_test) refuse("a run without tasks or test set");
  if (has_groups(spec.sharing) != spec.grouping.has_value() ||
      has_groups(spec.sharing) != (inputs.grouping != nullptr)) {
    refuse("a grouping where the sharing has none, or none where it has");
  }
  if (inputs.backbone->device() != parse_device(to_string(spec.device))) {
    refuse("the backbone is on " + inputs.backbone->device().str() + ", the run on " +
           to_string(spec.device));
  }
  for (const Task& task : inputs.tasks) {
    if (task.train.size() == 0) {
      throw base::Error(base::ErrorKind::data, "task '" + task.name + "' has no training images");
    }
  }
}

results::GroupingRecord to_record(const sdk::GroupingResult& result, const std::string& strategy,
                                  const std::vector<std::string>& tasks) {
  results::GroupingRecord record;
  record.strategy = strategy;
  record.tasks = tasks;
  if (result.affinity.defined()) {
    const at::Tensor values = result.affinity.to(at::kCPU, at::kDouble).contiguous();
    record.affinity.assign(values.const_data_ptr<double>(),
                           values.const_data_ptr<double>() + values.numel());
  }
  record.partition = named_partition(result.partitions.front().partition, tasks);
  record.score = result.partitions.front().score;
  for (std::size_t i = 1; i < result.partitions.size(); ++i) {
    record.runners_up.push_back(
        {named_partition(result.partitions[i].partition, tasks), result.partitions[i].score});
  }
  return record;
}

/// A run at work: what its phases share. They are called one after the other.
class Run {
 public:
  Run(const RunSpec& spec, const RunInputs& inputs, Progress& progress, RunExecution& execution)
      : spec_(spec),
        inputs_(inputs),
        backbone_(*inputs.backbone),
        names_(names_of(inputs.tasks)),
        progress_(progress),
        record_(execution.record),
        where_(execution.where),
        costs_(backbone_.device(), record_.costs),
        checks_(spec.method, backbone_) {
    setup_.emplace(*this, "setup");
    progress_.begin("setup", 0);
    checkpoint_.emplace(execution.checkpoint, record_, progress_);
    check_inputs(spec_, inputs_);
    keeper_.emplace(execution.adapters);
    prepare();
  }

  /// The groups of the tasks, where the sharing has such.
  void group();
  /// Makes the adapters.
  void adapt();
  void train();
  void evaluate();
  /// Writes the adapters down, where they are kept.
  void keep();
  /// Refuses what the method's plugin has done to LibTorch and to its own parameters.
  void check_plugin();

 private:
  /// A phase of the run, from here to the end of the scope: its costs, and where a failure is said
  /// to be. One that an exception leaves stands in no costs.
  class Phase {
   public:
    Phase(Run& run, const std::string& name)
        : run_(run), images_before_(run.images_encoded()), exceptions_(std::uncaught_exceptions()) {
      run_.where_.enter_phase(name);
      run_.costs_.begin(name);
    }
    /// Resumes a phase of which `earlier` was spent before, by another process.
    Phase(Run& run, const results::PhaseCost& earlier) : Phase(run, earlier.phase) {
      run_.costs_.resume(earlier);
    }
    ~Phase() {
      if (std::uncaught_exceptions() == exceptions_) run_.costs_.end(images());
    }
    Phase(const Phase&) = delete;
    Phase& operator=(const Phase&) = delete;

    /// That went through the image tower in it so far.
    [[nodiscard]] std::int64_t images() const { return run_.images_encoded() - images_before_; }

   private:
    Run& run_;
    std::int64_t images_before_;
    int exceptions_;
  };

  void prepare();
  /// Refuses slices that the training cannot be computed in.
  void check_slices() const;
  [[nodiscard]] sdk::GroupingResult find_groups();
  void start_groups(const std::vector<sdk::NamedTensor>& shared);
  /// That have gone through the image tower.
  [[nodiscard]] std::int64_t images_encoded() const {
    return images_of_grouping_ + (images_ ? images_->images_encoded() : 0) +
           (adapted_ ? adapted_->images_encoded() : 0);
  }

  const RunSpec& spec_;
  const RunInputs& inputs_;
  const clip::Backbone& backbone_;
  std::vector<std::string> names_;
  Progress& progress_;
  results::RunRecord& record_;
  FailureContext& where_;
  CostLog costs_;
  AdapterChecks checks_;
  std::optional<RunCheckpoint> checkpoint_;
  std::optional<AdapterKeeper> keeper_;

  std::optional<TorchState> torch_;
  std::unique_ptr<sdk::Method> method_;
  std::string text_template_;
  std::unique_ptr<ImageFeatures> features_;
  std::optional<TrainImages> images_;
  Training training_;  ///< the spec's, with the epochs that its steps are
  std::int64_t images_of_grouping_ = 0;
  sdk::Partition partition_;
  std::vector<sdk::NamedTensor> warmed_up_;  ///< what group adapters start from; empty: afresh
  Adapters adapters_;
  std::optional<AdaptedBackbone> adapted_;
  std::optional<Phase> setup_;  ///< open from the constructor to adapt()'s end, but for group()
};

void Run::prepare() {
  record_.method_trait = inputs_.method->trait;
  check_sharing(*inputs_.method, spec_.sharing);
  set_up_torch(spec_);
  torch_.emplace();
  record_.environment = describe_environment(backbone_.device(), std::move(record_.environment));
  record_.split_hash = inputs_.split_hash;
  record_.dataset_hash = inputs_.dataset_hash;
  record_.total_backbone_parameters = backbone_.parameter_count();
  // No plugin has worked yet: what was hashed after loading is what is there.
  record_.frozen_hash_before =
      inputs_.backbone_hash.empty() ? backbone_.weight_hash() : inputs_.backbone_hash;

  const sdk::Options options({inputs_.method->options, inputs_.method->option_count},
                             spec_.method_options, "method '" + spec_.method + "'");
  method_ = where_.in_plugin("make()", [&] { return inputs_.method->make(options); });
  if (method_ == nullptr)
    throw base::Error(base::ErrorKind::plugin, "method '" + spec_.method + "' was not made");
  text_template_ = where_.in_plugin("text_template()", [&] { return method_->text_template(); });
  checks_.check_template(text_template_);
  record_.environment.emplace_back("text_template", text_template_);
  note_cut_texts(inputs_, text_template_, record_, progress_);
  check_class_tokens(backbone_.tokenizer(), backbone_.shape().context_length, inputs_.tasks,
                     text_template_);
  features_ = shared_features(spec_, inputs_);
  images_.emplace(backbone_, inputs_.tasks, spec_.training.augmentation, spec_.seed,
                  spec_.training.precision, features_.get());
  // A grouping asks for the run's epochs before it is known which tasks share adapters.
  training_ = with_epochs(
      spec_.training,
      steps_per_epoch(images_->sampled_tasks(), {spec_.training.batch, spec_.training.drop_last}));
}

void Run::group() {
  if (!has_groups(spec_.sharing)) return;
  if (checkpoint_->partition()) {
    partition_ = *checkpoint_->partition();
    return;
  }
  sdk::GroupingResult result;
  setup_.reset();
  {
    const Phase phase(*this, "warm-up");
    result = find_groups();
    partition_ = result.partitions.front().partition;
    record_.grouping = to_record(result, spec_.grouping->strategy, names_);
  }
  record_.grouping->seconds = record_.costs.back().seconds;
  // The weights that group adapters start from are not kept: such a run finds its groups again.
  if (warmed_up_.empty()) checkpoint_->save_grouping(partition_);
  setup_.emplace(*this, "setup");
}

sdk::GroupingResult Run::find_groups() {
  const std::string& strategy = spec_.grouping->strategy;
  const sdk::Options options({inputs_.grouping->options, inputs_.grouping->option_count},
                             spec_.grouping->options, "grouping '" + strategy + "'");
  const auto grouping = where_.in_plugin("make() of grouping '" + strategy + "'",
                                         [&] { return inputs_.grouping->make(options); });
  if (grouping == nullptr)
    throw base::Error(base::ErrorKind::plugin, "grouping '" + strategy + "' was not made");
  const WarmUpContext context{
      backbone_, *method_,      spec_.method,  text_template_, inputs_.method->task_dependent,
      checks_,   inputs_.tasks, training_,     spec_.seed,     *images_,
      where_,    progress_,     record_.epochs};
  WarmUpHost host(context);
  sdk::GroupingResult result = find_grouping(*grouping, strategy, host, where_);
  host.finish();
  images_of_grouping_ = host.images_encoded();
  if (spec_.training.group_start == GroupStart::warm_up) {
    warmed_up_ = host.shared_values();
    if (warmed_up_.empty())
      throw base::Error(base::ErrorKind::config,
                        "group-start is warm-up, but grouping '" + strategy +
                            "' trains no adapter that all tasks share; expected one that does, "
                            "such as gradient, or group-start = fresh");
  }
  return result;
}

void Run::start_groups(const std::vector<sdk::NamedTensor>& shared) {
  const at::NoGradGuard no_grad;
  for (std::size_t a = 0; a < adapters_.parameters.size(); ++a) {
    if (adapters_.arrangement.owners[a].scope != Scope::group) continue;
    const auto& own = adapters_.parameters[a];
    for (std::size_t i = 0; i < own.size(); ++i) {
      if (own.size() != shared.size() || own[i].value.sizes() != shared[i].value.sizes())
        throw base::Error(base::ErrorKind::config,
                          "group-start is warm-up, but the adapters of method '" + spec_.method +
                              "' differ in shape with the tasks that use them; expected fresh");
      own[i].value.copy_(shared[i].value);
    }
  }
}

void Run::adapt() {
  const AdapterSource source{backbone_, inputs_.tasks,
                             [this](std::size_t task) { return images_->plain_features(task); }};
  adapters_ = make_adapters(*method_, spec_.method, source,
                            arrange(spec_.sharing, names_, partition_), spec_.seed, where_);
  if (!warmed_up_.empty()) start_groups(warmed_up_);
  record_.parameters = count_parameters(adapters_, backbone_);
  adapted_.emplace(backbone_, adapters_, inputs_.tasks, text_template_,
                   inputs_.method->task_dependent, checks_, where_);
  check_slices();
  if (features_ != nullptr && !adapted_->modifies_vision()) {
    // Here, so that training and evaluation cost the same whichever run fills the store. Where
    // validation images are tested on, most images of the data set are not needed.
    if (!spec_.dataset.tests_on_validation()) features_->complete(progress_);
    images_->keep_features();
  }
  // What losses compare with is as much a part of the set-up.
  if (adapted_->needs_frozen_features()) images_->keep_features();
  training_ = with_epochs(spec_.training,
                          steps_per_epoch(images_->sampled_tasks(),
                                          batching_of(training_, *adapted_, inputs_.tasks.size())));
  const std::int64_t kept_layers =
      images_->kept_layers(adapted_->untouched_vision_layers(), training_.epochs);
  if (adapted_->modifies_vision() && kept_layers > 0 && !adapters_.trainable().empty())
    images_->cache_hidden_states(kept_layers);
  setup_.reset();
}

void Run::check_slices() const {
  const std::int64_t slices = spec_.training.slices;
  const auto refuse = [&](const std::string& what) {
    throw base::Error(base::ErrorKind::config,
                      "train.slices is " + std::to_string(slices) + ", but " + what);
  };
  if (slices > spec_.training.batch)
    refuse("batch is " + std::to_string(spec_.training.batch) +
           ", expected at most as many slices as images in a batch");
  if (slices > 1 && !adapted_->unsliceable().empty())
    refuse("method '" + spec_.method +
           "' cannot be computed in slices: " + adapted_->unsliceable() + "; expected 1");
  if (inputs_.ranks != nullptr && inputs_.ranks->size() > slices)
    refuse("there are " + std::to_string(inputs_.ranks->size()) +
           " ranks, expected at least as many slices");
}

void Run::train() {
  results::PhaseCost nothing;
  nothing.phase = "train";
  const Phase phase(*this, checkpoint_->position() ? checkpoint_->earlier_cost() : nothing);
  checkpoint_->set_running_cost([&] { return costs_.so_far(phase.images()); });
  if (inputs_.ranks != nullptr) {
    const auto& position = checkpoint_->position();
    require_same(
        *inputs_.ranks, "checkpoint or CPU level",
        kernels::to_string(kernels::cpu_level()) +
            (position ? " " + std::to_string(position->epoch) + " " + std::to_string(position->step)
                      : ""));
  }
  if (adapters_.trainable().empty()) return;
  engine::train({.backbone = *adapted_,
                 .adapters = adapters_,
                 .images = *images_,
                 .tasks = inputs_.tasks,
                 .training = training_,
                 .seed = spec_.seed,
                 .ranks = inputs_.ranks.get()},
                progress_, record_.epochs, {&record_.step_flops, &*checkpoint_});
}

void Run::evaluate() {
  const Phase phase(*this, "evaluate");
  record_.trained_hash = trained_hash(adapters_);
  if (inputs_.ranks != nullptr)
    require_same(*inputs_.ranks, "result of the training", record_.trained_hash);
  const std::vector<LabelledImages> test = inputs_.load_test();
  if (test.size() != inputs_.tasks.size())
    throw base::Error(base::ErrorKind::internal, "a run with other test sets than tasks");
  record_.tasks =
      engine::evaluate(*adapted_, backbone_, inputs_.tasks, test, spec_.training.precision,
                       progress_, &record_.image_flops, features_.get(), inputs_.ranks.get());
  note_features(features_.get(), record_, progress_);
  // Validation images are held out of training or set aside for it: no test label was looked at.
  record_.test_evaluations = spec_.dataset.tests_on_validation() ? 0 : 1;
  record_.frozen_hash_after = backbone_.weight_hash();
  if (record_.frozen_hash_after != record_.frozen_hash_before)
    throw base::Error(base::ErrorKind::plugin,
                      "method '" + spec_.method + "' wrote to the frozen backbone");
}

void Run::keep() {
  where_.enter_phase("keeping the adapters");
  keeper_->keep(adapters_, inputs_, text_template_, record_, where_);
}

void Run::check_plugin() {
  torch_->check(spec_.method);
  check_same_parameters(adapters_, spec_.method, where_);
}

}  // namespace

void execute(const RunSpec& spec, const RunInputs& inputs, Progress& progress,
             RunExecution& execution) {
  Run run(spec, inputs, progress, execution);
  run.group();
  run.adapt();
  run.check_plugin();
  run.train();
  run.check_plugin();  // before test images are looked at
  run.evaluate();
  run.check_plugin();
  run.keep();
}

}  // namespace petlab::engine
