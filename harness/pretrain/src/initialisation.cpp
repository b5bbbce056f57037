#include "initialisation.hpp"

#include "petlab/base/error.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string>

namespace petlab::pretrain {

namespace {

/// Gain of queries and keys: a patch then attends to its neighbour with most of its weight.
constexpr double kSharpness = 3.0;
constexpr double kNoiseDeviation = 0.02;
constexpr double kPatchGain = 0.5;
/// What residual branches first write into the position channels.
constexpr double kPositionLeak = 0.1;
/// Colour directions: light, red against blue, green against both.
constexpr std::array<std::array<double, 3>, 3> kColourDirections = {
    {{0.57735, 0.57735, 0.57735}, {0.70711, 0.0, -0.70711}, {-0.40825, 0.81650, -0.40825}}};

struct Offset {
  double row;
  double column;
};
/// Four neighbours each, by layer: beside, diagonal, two away, two away diagonally, and again.
constexpr std::array<std::array<Offset, 4>, 6> kOffsets = {{
    {{{0, 1}, {0, -1}, {1, 0}, {-1, 0}}},
    {{{1, 1}, {1, -1}, {-1, 1}, {-1, -1}}},
    {{{0, 2}, {0, -2}, {2, 0}, {-2, 0}}},
    {{{2, 2}, {2, -2}, {-2, 2}, {-2, -2}}},
    {{{0, 1}, {0, -1}, {1, 0}, {-1, 0}}},
    {{{1, 1}, {1, -1}, {-1, 1}, {-1, -1}}},
}};

at::Tensor find(const std::vector<sdk::NamedTensor>& weights, const std::string& name) {
  for (const sdk::NamedTensor& weight : weights)
    if (weight.name == name) return weight.value;
  throw base::Error(base::ErrorKind::internal, "the backbone has no weight '" + name + "'");
}

/// Angular frequencies per patch, from half a turn over the whole grid upwards.
std::vector<double> frequencies(std::int64_t count, std::int64_t grid) {
  std::vector<double> result;
  for (std::int64_t k = 0; k < count; ++k) {
    const double share =
        static_cast<double>(k) / static_cast<double>(std::max<std::int64_t>(1, count - 1));
    result.push_back(std::numbers::pi / static_cast<double>(grid) *
                     (0.5 + 0.5 * static_cast<double>(grid - 1) * share));
  }
  return result;
}

/// [grid * grid, 4 * frequencies]: sine and cosine of the row, then of the column.
at::Tensor position_code(const std::vector<double>& frequency, std::int64_t grid) {
  const at::Tensor place = at::arange(grid, at::kFloat);
  std::vector<at::Tensor> channels;
  for (const bool of_row : {true, false}) {
    const at::Tensor at_patch = of_row ? place.view({grid, 1}).expand({grid, grid})
                                       : place.view({1, grid}).expand({grid, grid});
    for (const double f : frequency) {
      channels.push_back((at_patch * f).sin());
      channels.push_back((at_patch * f).cos());
    }
  }
  return at::stack(channels, -1).reshape({grid * grid, -1});
}

/// [channels, 3, p, p]: the lowest frequencies of the cosine transform, light first.
at::Tensor cosine_patches(std::int64_t channels, std::int64_t patch) {
  const auto p = static_cast<double>(patch);
  const at::Tensor k = at::arange(patch, at::kFloat);
  at::Tensor basis = ((k.view({1, -1}) + 0.5) * k.view({-1, 1}) * (std::numbers::pi / p)).cos() *
                     std::sqrt(2.0 / p);
  basis[0].mul_(1.0 / std::numbers::sqrt2);
  std::vector<std::pair<std::int64_t, std::int64_t>> order;
  for (std::int64_t a = 0; a < patch; ++a)
    for (std::int64_t b = 0; b < patch; ++b)
      order.emplace_back(a, b);
  std::stable_sort(order.begin(), order.end(), [](const auto& x, const auto& y) {
    return x.first + x.second < y.first + y.second;
  });
  // A fifth to colour; shapes matter more.
  const auto n_light =
      std::min<std::size_t>(order.size(), static_cast<std::size_t>(channels * 4 / 5));
  std::vector<at::Tensor> rows;
  const auto add = [&](std::size_t frequency, std::size_t colour) {
    const auto [a, b] = order[frequency];
    const at::Tensor wave = at::outer(basis[a], basis[b]);
    std::vector<at::Tensor> planes;
    for (const double share : kColourDirections[colour])
      planes.push_back(wave * share);
    rows.push_back(at::stack(planes));
  };
  for (std::size_t i = 0; i < n_light; ++i)
    add(i, 0);
  for (std::size_t i = 0; rows.size() < static_cast<std::size_t>(channels) && i < order.size(); ++i)
    for (std::size_t colour = 1; colour < kColourDirections.size(); ++colour)
      if (rows.size() < static_cast<std::size_t>(channels)) add(i, colour);
  return at::stack(rows);
}

struct PositionChannels {
  std::int64_t first;  ///< of the residual stream
  std::vector<double> frequency;
};

/// Query and key [head width, width] of a head that looks `offset` patches away.
std::pair<at::Tensor, at::Tensor> looking_at(const Offset& offset, const PositionChannels& position,
                                             std::int64_t head_width, std::int64_t width) {
  at::Tensor query = at::zeros({head_width, width});
  at::Tensor key = at::zeros({head_width, width});
  const double gain = std::sqrt(kSharpness);
  const auto n = static_cast<std::int64_t>(position.frequency.size());
  for (std::int64_t axis = 0; axis < 2; ++axis) {
    const double distance = axis == 0 ? offset.row : offset.column;
    for (std::int64_t i = 0; i < n; ++i) {
      const double angle = position.frequency[static_cast<std::size_t>(i)] * distance;
      const std::int64_t row = (axis * n + i) * 2;
      const std::int64_t sine = position.first + row;
      key[row][sine].fill_(gain);
      key[row + 1][sine + 1].fill_(gain);
      // sin(f (i + d)) and cos(f (i + d)) from sin(f i) and cos(f i).
      query[row][sine].fill_(gain * std::cos(angle));
      query[row][sine + 1].fill_(gain * std::sin(angle));
      query[row + 1][sine].fill_(-gain * std::sin(angle));
      query[row + 1][sine + 1].fill_(gain * std::cos(angle));
    }
  }
  return {query, key};
}

}  // namespace

void initialise_like_convolution(const std::vector<sdk::NamedTensor>& weights,
                                 const clip::Config& config, at::Generator& generator) {
  const c10::NoGradGuard no_grad;
  const sdk::TowerShape& tower = config.shape.vision;
  const std::int64_t width = tower.width;
  const std::int64_t head_width = width / tower.heads;
  const std::int64_t grid = config.shape.image_size / config.shape.patch_size;
  const std::int64_t n_frequencies = head_width / 4;
  const std::int64_t n_position = 4 * n_frequencies;
  const PositionChannels position{width - n_position, frequencies(n_frequencies, grid)};
  const auto normal = [&](at::IntArrayRef shape, double deviation) {
    return at::randn(shape, generator, at::kFloat) * deviation;
  };

  const std::string embeddings = "vision_model.embeddings.";
  const at::Tensor places = find(weights, embeddings + "position_embedding.weight");
  places.zero_();
  places[0].copy_(normal({width}, kNoiseDeviation));
  places.slice(0, 1).slice(1, position.first).copy_(position_code(position.frequency, grid));
  const at::Tensor patches = find(weights, embeddings + "patch_embedding.weight");
  patches.zero_();
  patches.slice(0, 0, position.first)
      .copy_(cosine_patches(position.first, config.shape.patch_size) * kPatchGain);

  for (std::int64_t layer = 0; layer < tower.layers; ++layer) {
    const std::string block = "vision_model.encoder.layers." + std::to_string(layer) + ".";
    const double branch = 1.0 / std::sqrt(2.0 * static_cast<double>(tower.layers));
    const at::Tensor query = find(weights, block + "self_attn.q_proj.weight");
    const at::Tensor key = find(weights, block + "self_attn.k_proj.weight");
    const auto& offsets = kOffsets[static_cast<std::size_t>(layer) % kOffsets.size()];
    for (std::int64_t head = 0; head < std::min<std::int64_t>(tower.heads, 5); ++head) {
      // The fifth head looks at its own patch; any others are left as they were drawn.
      const Offset offset = head < 4 ? offsets[static_cast<std::size_t>(head)] : Offset{0, 0};
      const auto [q, k] = looking_at(offset, position, head_width, width);
      query.narrow(0, head * head_width, head_width).copy_(q + normal(q.sizes(), kNoiseDeviation));
      key.narrow(0, head * head_width, head_width).copy_(k + normal(k.sizes(), kNoiseDeviation));
    }
    const double unit = 1.0 / std::sqrt(static_cast<double>(width));
    find(weights, block + "mlp.fc1.weight").copy_(normal({tower.mlp_width, width}, unit));
    const at::Tensor out = find(weights, block + "self_attn.out_proj.weight");
    out.copy_(normal({width, width}, unit * branch));
    const at::Tensor down = find(weights, block + "mlp.fc2.weight");
    down.copy_(
        normal({width, tower.mlp_width}, branch / std::sqrt(static_cast<double>(tower.mlp_width))));
    out.slice(0, position.first).mul_(kPositionLeak);
    down.slice(0, position.first).mul_(kPositionLeak);
  }
}

}  // namespace petlab::pretrain
