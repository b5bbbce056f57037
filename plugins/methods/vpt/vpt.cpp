#include "vpt.hpp"

#include "petlab/sdk/method_support.hpp"

#include <ATen/ops/empty.h>

#include <cmath>
#include <utility>
#include <vector>

namespace petlab::plugins::vpt {
namespace {

class ImagePrompts final : public sdk::Adapter {
 public:
  explicit ImagePrompts(at::Tensor prompts) : prompts_(std::move(prompts)) {}

  [[nodiscard]] std::vector<sdk::NamedTensor> parameters() const override {
    return {{"prompts", prompts_}};
  }

  [[nodiscard]] sdk::BackboneChanges changes(const sdk::ChangeRequest& /*request*/) const override {
    sdk::BackboneChanges changes;
    changes.vision.prompts = sdk::prompts_of_layers(prompts_);
    return changes;
  }

 private:
  at::Tensor prompts_;  // [depth, n_prompt, width]
};

/// U(-v, v) with v = sqrt(6 / (3 * patch^2 + width)): VPT repository @4410440,
/// src/models/vit_prompt.
at::Tensor draw_xavier(at::IntArrayRef sizes, const sdk::BackboneShape& shape,
                       at::Generator& generator) {
  const double fan =
      static_cast<double>(3 * shape.patch_size * shape.patch_size + shape.vision.width);
  const double bound = std::sqrt(6.0 / fan);
  return at::empty(sizes, at::TensorOptions().dtype(at::kFloat)).uniform_(-bound, bound, generator);
}

}  // namespace

Vpt::Vpt(Placement placement, const sdk::Options& options)
    : n_prompt_(options.integer("n-prompt")),
      depth_(placement == Placement::shallow ? 1 : options.integer("depth")),
      init_(options.text("init")),
      template_(options.text("template")) {
  sdk::check_template(
      template_, placement == Placement::shallow ? "method 'vpt-shallow'" : "method 'vpt-deep'");
}

std::string Vpt::text_template() const {
  return template_;
}

std::unique_ptr<sdk::Adapter> Vpt::make_adapter(const sdk::AdapterContext& context) const {
  const sdk::BackboneView& backbone = context.backbone();
  at::Generator& generator = context.generator();
  const sdk::BackboneShape& shape = backbone.shape();
  // Only vpt-deep has the option: shallow's depth of 1 fits every tower.
  const std::int64_t depth =
      sdk::resolve_depth(depth_, shape.vision.layers, "image", "method 'vpt-deep'");
  const std::vector<std::int64_t> sizes = {depth, n_prompt_, shape.vision.width};
  // 0.02: the prompts of MaPLe's repository (@69bce21), which has VPT for CLIP.
  const at::Tensor prompts = init_ == "xavier" ? draw_xavier(sizes, shape, generator)
                                               : sdk::draw_normal(sizes, 0.02, generator);
  return std::make_unique<ImagePrompts>(sdk::make_trainable(prompts, sdk::device_of(backbone)));
}

}  // namespace petlab::plugins::vpt
