#include "petlab/pretrain/augmentation.hpp"

#include <ATen/ATen.h>

namespace petlab::pretrain {

namespace {

constexpr double kRotation = 0.12;  // radians, standard deviation
constexpr double kScale = 0.12;     // of the logarithm
constexpr double kShrink = 0.05;    // on average, so that shifts do not cut the picture
constexpr double kAspect = 0.05;    // of the logarithm
constexpr double kShift = 0.06;     // of half the side
constexpr double kFlipShare = 0.35;
constexpr double kThickenShare = 0.15;
constexpr double kThinnedShare = 0.13;
constexpr double kInkShare = 0.4;
constexpr double kLightestInk = 0.8;
constexpr double kGreyedShare = 0.25;
constexpr double kExchangeShare = 0.25;
constexpr double kInvertShare = 0.08;

class BatchChance {
 public:
  BatchChance(std::int64_t batch, at::Generator& generator)
      : batch_(batch), generator_(generator) {}

  at::Tensor normal(double deviation) {
    return at::randn({batch_}, generator_, at::kFloat) * deviation;
  }
  at::Tensor uniform() { return at::rand({batch_}, generator_, at::kFloat); }
  at::Tensor order_of_channels() { return at::randperm(3, generator_, at::kLong); }
  at::Tensor inks() { return at::rand({batch_, 3, 1, 1}, generator_, at::kFloat) * kLightestInk; }

 private:
  std::int64_t batch_;
  at::Generator& generator_;
};

at::Tensor per_picture(const at::Tensor& chosen) {
  return chosen.view({-1, 1, 1, 1});
}

/// [B, 2, 3]: where each pixel of the new picture is taken from.
at::Tensor draw_transforms(BatchChance& chance) {
  const at::Tensor angle = chance.normal(kRotation);
  const at::Tensor scale = (chance.normal(kScale) + kShrink).exp();
  const at::Tensor aspect = chance.normal(kAspect).exp();
  const at::Tensor flip = at::where(chance.uniform() < kFlipShare, -1.0, 1.0).to(at::kFloat);
  const at::Tensor c = angle.cos() * scale;
  const at::Tensor s = angle.sin() * scale;
  const at::Tensor row1 = at::stack({c * flip * aspect, -s, chance.normal(kShift)}, 1);
  const at::Tensor row2 = at::stack({s * flip, c / aspect, chance.normal(kShift)}, 1);
  return at::stack({row1, row2}, 1);
}

/// Half-way between the picture and its darkest (thicken) or lightest neighbour.
void change_strokes(at::Tensor& planes, const at::Tensor& chosen, bool thicken) {
  const at::Tensor which = chosen.nonzero().squeeze(1);
  if (which.size(0) == 0) return;
  const at::Tensor part = planes.index_select(0, which);
  const double sign = thicken ? -1.0 : 1.0;
  const at::Tensor extreme = at::max_pool2d(part * sign, {3, 3}, {1, 1}, {1, 1}) * sign;
  planes.index_copy_(0, which, (part + extreme) * 0.5);
}

}  // namespace

at::Tensor to_planes(const at::Tensor& pictures) {
  return pictures.permute({0, 3, 1, 2}).to(at::kFloat).contiguous() * (1.0 / 255.0);
}

namespace {

/// What the masks and inks mean for each picture. All masks are bool [B].
std::vector<ColourChange> changes_of(const at::Tensor& inked, const at::Tensor& inks,
                                     const at::Tensor& greyed, const at::Tensor& exchanged,
                                     const at::Tensor& inverted) {
  const at::Tensor colours = (inks.view({-1, 3}) * 255.0).to(at::kInt).contiguous();
  const auto* const colour = colours.const_data_ptr<int>();
  std::vector<ColourChange> changes(static_cast<std::size_t>(inked.size(0)));
  for (std::size_t i = 0; i < changes.size(); ++i)
    changes[i] = {.is_inked = inked.const_data_ptr<bool>()[i],
                  .ink = colour_of(colour[3 * i], colour[3 * i + 1], colour[3 * i + 2]),
                  .is_greyed = greyed.const_data_ptr<bool>()[i],
                  .is_exchanged = exchanged.const_data_ptr<bool>()[i],
                  .is_inverted = inverted.const_data_ptr<bool>()[i]};
  return changes;
}

}  // namespace

Augmented augment(const at::Tensor& pictures, const at::Tensor& has_colour,
                  at::Generator& generator) {
  BatchChance chance(pictures.size(0), generator);
  at::Tensor planes = to_planes(pictures);
  const at::Tensor grid =
      at::affine_grid_generator(draw_transforms(chance), planes.sizes(), /*align_corners=*/false);
  // Outside the picture is white: the ink is moved, not the paper.
  planes = 1.0 - at::grid_sampler(1.0 - planes, grid, /*interpolation_mode=*/0, /*padding_mode=*/0,
                                  /*align_corners=*/false);

  const at::Tensor stroke = chance.uniform();
  change_strokes(planes, stroke < kThickenShare, /*thicken=*/true);
  change_strokes(planes, stroke > 1.0 - kThinnedShare, /*thicken=*/false);

  const at::Tensor colour = chance.uniform();
  const at::Tensor inked = at::logical_and(at::logical_not(has_colour), colour < kInkShare);
  const at::Tensor inks = chance.inks();
  planes = at::where(per_picture(inked), planes + (1.0 - planes) * inks, planes);
  const at::Tensor greyed = at::logical_and(has_colour, colour < kGreyedShare);
  planes = at::where(per_picture(greyed), planes.mean(1, /*keepdim=*/true), planes);
  const at::Tensor exchanged = at::logical_and(has_colour, colour > 1.0 - kExchangeShare);
  planes =
      at::where(per_picture(exchanged), planes.index_select(1, chance.order_of_channels()), planes);
  const at::Tensor inverted = chance.uniform() < kInvertShare;
  planes = at::where(per_picture(inverted), 1.0 - planes, planes);
  return {.planes = planes, .changes = changes_of(inked, inks, greyed, exchanged, inverted)};
}

}  // namespace petlab::pretrain
