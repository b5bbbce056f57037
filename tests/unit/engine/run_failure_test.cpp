#include "petlab/base/error.hpp"
#include "tiny_world.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>

namespace petlab::engine {
namespace {

using ::testing::HasSubstr;

enum class Fault {
  throws_in_make,
  throws_in_make_adapter,
  throws_in_changes,
  throws_an_int,
  torch_error_in_changes,
  makes_no_adapter,
  no_gap_in_template,
  prompts_too_wide,
  layers_descend,
  no_such_layer,
  double_prompts,
  nan_prompts,
  nan_later,
  writes_frozen_weight,
  trains_frozen_weight,
  no_leaf,
  no_such_weight,
  wrong_weight_shape,
  changes_footprint,
  takes_more_threads,
  switches_determinism_off,
  replaces_its_parameter,
};

/// One learnable prompt token for the image tower, with a fault.
template <Fault fault>
class Faulty final : public sdk::Method {
 public:
  [[nodiscard]] std::string text_template() const override {
    return fault == Fault::no_gap_in_template ? "a photo." : "a photo of a {}.";
  }
  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& context) const override {
    const sdk::BackboneView& backbone = context.backbone();
    if (fault == Fault::throws_in_make_adapter) throw std::runtime_error("no luck");
    if (fault == Fault::makes_no_adapter) return nullptr;
    if (fault == Fault::writes_frozen_weight) backbone.weights()[3].value.view({-1})[0].add_(1.0);
    return std::make_unique<OneToken>(backbone);
  }
  static std::unique_ptr<sdk::Method> make(const sdk::Options&) {
    if (fault == Fault::throws_in_make) throw std::runtime_error("no luck");
    return std::make_unique<Faulty>();
  }

 private:
  class OneToken final : public sdk::Adapter {
   public:
    explicit OneToken(const sdk::BackboneView& backbone)
        : frozen_(backbone.weights()[3]),
          token_(at::ones({1, backbone.shape().vision.width}).requires_grad_()) {
      if (fault == Fault::trains_frozen_weight) token_ = frozen_.value.detach().requires_grad_();
      if (fault == Fault::no_leaf) token_ = token_ * 2.0;
    }
    [[nodiscard]] std::vector<sdk::NamedTensor> parameters() const override {
      return {{"token", token_}};
    }
    [[nodiscard]] sdk::BackboneChanges changes(
        const sdk::ChangeRequest& /*request*/) const override {
      sdk::BackboneChanges changes;
      auto& prompts = changes.vision.prompts;
      prompts = {{0, token_}};
      ++calls_;
      switch (fault) {
        case Fault::throws_in_changes:
          throw std::runtime_error("no luck");
        case Fault::throws_an_int:
          throw 7;
        case Fault::torch_error_in_changes:
          (void)token_.view({-1, 5});
          break;
        case Fault::prompts_too_wide:
          prompts[0].tokens = at::cat({token_, token_}, 1);
          break;
        case Fault::layers_descend:
          prompts = {{1, token_}, {0, token_}};
          break;
        case Fault::no_such_layer:
          prompts[0].layer = 2;
          break;
        case Fault::double_prompts:
          prompts[0].tokens = token_.to(at::kDouble);
          break;
        case Fault::nan_prompts:
          prompts[0].tokens = (token_ - 2.0).log();
          break;
        case Fault::nan_later:
          if (calls_ > 4) prompts[0].tokens = token_ * std::numeric_limits<float>::quiet_NaN();
          break;
        case Fault::no_such_weight:
          changes.weights = {{"head.weight", token_}};
          break;
        case Fault::wrong_weight_shape:
          changes.weights = {{frozen_.name, token_}};
          break;
        case Fault::changes_footprint:
          if (calls_ > 1) prompts.push_back({1, token_});
          break;
        case Fault::takes_more_threads:
          at::set_num_threads(at::get_num_threads() + 1);
          break;
        case Fault::switches_determinism_off:
          at::globalContext().setDeterministicAlgorithms(false, /*warn_only=*/false);
          break;
        case Fault::replaces_its_parameter:
          token_ = at::ones_like(token_).requires_grad_();
          prompts = {{0, token_}};
          break;
        default:
          break;
      }
      return changes;
    }

   private:
    sdk::NamedTensor frozen_;
    mutable at::Tensor token_;
    mutable int calls_ = 0;
  };
};

template <Fault fault>
results::RunRecord run_faulty() {
  static constexpr sdk::MethodEntry kEntry{
      .name = "faulty", .summary = "", .composable = true, .make = Faulty<fault>::make};
  return testing::run(testing::tiny_spec("faulty", Sharing::joint, 2),
                      testing::tiny_inputs(kEntry));
}

void expect_failure(const results::RunRecord& record, const std::string& kind,
                    const std::string& message) {
  EXPECT_EQ(record.status, results::RunStatus::failed);
  EXPECT_EQ(record.error_kind, kind);
  EXPECT_EQ(record.error, message);
  EXPECT_TRUE(record.tasks.empty());
  EXPECT_FALSE(record.finished.empty());
}

TEST(RunFailure, NamesTheFunctionThatThrew) {
  expect_failure(run_faulty<Fault::throws_in_make>(), "plugin",
                 "method 'faulty' failed in make(): no luck (in setup)");
  expect_failure(run_faulty<Fault::throws_in_make_adapter>(), "plugin",
                 "method 'faulty' failed in make_adapter(): no luck (in setup)");
  expect_failure(run_faulty<Fault::throws_in_changes>(), "plugin",
                 "method 'faulty' failed in changes(): no luck (in setup)");
  expect_failure(run_faulty<Fault::throws_an_int>(), "plugin",
                 "method 'faulty' failed in changes(): something was thrown that is no exception "
                 "(in setup)");
  const auto torch = run_faulty<Fault::torch_error_in_changes>();
  EXPECT_EQ(torch.error_kind, "plugin");
  EXPECT_THAT(torch.error,
              HasSubstr("method 'faulty' failed in changes(): shape '[-1, 5]' is invalid"));
  EXPECT_THAT(torch.error, ::testing::Not(HasSubstr("\n")));
}

TEST(RunFailure, ChecksWhatAMethodGives) {
  expect_failure(run_faulty<Fault::makes_no_adapter>(), "plugin",
                 "method 'faulty' made no adapter (in setup)");
  expect_failure(run_faulty<Fault::no_gap_in_template>(), "plugin",
                 "method 'faulty' has the text template 'a photo.', expected exactly one {} "
                 "(in setup)");
  expect_failure(run_faulty<Fault::prompts_too_wide>(), "plugin",
                 "method 'faulty' gives image prompts at layer 0 as Float [1, 32] on cpu, expected "
                 "Float [n, 16] on cpu (in setup)");
  expect_failure(
      run_faulty<Fault::double_prompts>(), "plugin",
      "method 'faulty' gives image prompts at layer 0 as Double [1, 16] on cpu, expected "
      "Float [n, 16] on cpu (in setup)");
  expect_failure(run_faulty<Fault::layers_descend>(), "plugin",
                 "method 'faulty' gives image prompts at layer 0 after layer 1, expected layers to "
                 "ascend (in setup)");
  expect_failure(run_faulty<Fault::no_such_layer>(), "plugin",
                 "method 'faulty' gives image prompts at layer 2, but the tower has layers 0 to 1 "
                 "(in setup)");
  expect_failure(run_faulty<Fault::nan_prompts>(), "plugin",
                 "method 'faulty' gives image prompts at layer 0 that are not finite (in setup)");
  expect_failure(run_faulty<Fault::no_leaf>(), "plugin",
                 "method 'faulty' gives parameter 'token' that is no leaf tensor with "
                 "requires_grad (in setup)");
  expect_failure(run_faulty<Fault::no_such_weight>(), "plugin",
                 "method 'faulty' replaces weight 'head.weight', which the backbone does not have "
                 "(in setup)");
  EXPECT_THAT(run_faulty<Fault::wrong_weight_shape>().error,
              HasSubstr("by Float [1, 16] on cpu, expected"));
  expect_failure(run_faulty<Fault::changes_footprint>(), "plugin",
                 "method 'faulty': changes() gives other layers or weights than before, expected "
                 "the same at every step (in train)");
}

TEST(RunFailure, ANonFiniteLossEndsTheRun) {
  const auto record = run_faulty<Fault::nan_later>();
  expect_failure(record, "numeric",
                 "method 'faulty': the loss of task 'line' is not finite in epoch 0, step 3 "
                 "(in train)");
  EXPECT_FALSE(record.parameters.empty());  // what was known stays
}

TEST(RunFailure, AWrittenFrozenWeightEndsTheRun) {
  expect_failure(run_faulty<Fault::writes_frozen_weight>(), "plugin",
                 "method 'faulty' wrote to the frozen backbone (in evaluate)");
  const auto record = run_faulty<Fault::trains_frozen_weight>();
  EXPECT_THAT(record.error, HasSubstr("in the memory of a frozen weight, expected a copy"));
}

TEST(RunFailure, SwitchesOfLibTorchAreTheHosts) {
  EXPECT_THAT(run_faulty<Fault::takes_more_threads>().error,
              HasSubstr("method 'faulty' changed the number of threads from "));
  EXPECT_THAT(run_faulty<Fault::switches_determinism_off>().error,
              HasSubstr("method 'faulty' switched LibTorch's deterministic algorithms"));
}

TEST(RunFailure, ParametersStayTheTensorsThatAreTrained) {
  expect_failure(run_faulty<Fault::replaces_its_parameter>(), "plugin",
                 "method 'faulty' has other parameters than when its adapters were made, which are "
                 "the ones that are trained (in setup)");
}

TEST(RunFailure, CoversPreparation) {
  NoProgress progress;
  const RunSpec spec = testing::tiny_spec("both", Sharing::joint);
  const auto record = run_guarded(
      spec, {}, []() -> RunInputs { throw base::Error(base::ErrorKind::data, "no such file"); },
      progress);
  expect_failure(record, "data", "method 'both': no such file (in setup)");
}

TEST(RunFailure, RefusesWhatTheMethodCannotDo) {
  const auto composed = testing::run(testing::tiny_spec("copy", Sharing::joint_specific),
                                     testing::tiny_inputs(testing::whole_copy()));
  expect_failure(composed, "config",
                 "method 'copy' cannot be used with sharing 'joint+specific': two of its adapters "
                 "cannot be composed (in setup)");
  RunSpec spec = testing::tiny_spec("both", Sharing::joint);
  spec.device = DeviceKind::cuda;
  if (!at::hasCUDA()) {
    EXPECT_EQ(testing::run(spec, testing::tiny_inputs(testing::both_prompts())).error_kind,
              "device");
  }
}

}  // namespace
}  // namespace petlab::engine
