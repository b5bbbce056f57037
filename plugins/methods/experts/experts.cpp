#include "experts.hpp"

#include "petlab/sdk/device_copy.hpp"
#include "petlab/sdk/module_support.hpp"

#include <ATen/ops/normal.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/topk.h>

namespace petlab::plugins::experts {
namespace {

constexpr const char* kWhere = "method 'moe-adapter'";

/// The experts of one place.
struct Place {
  sdk::TowerChanges sdk::BackboneChanges::* tower;
  std::vector<sdk::Bottleneck> experts;
};

struct Gating {
  at::Tensor logits;  ///< [n_places, n_tasks, n_experts]
  std::int64_t top_k;
  double noise_std;
  double balance;

  /// Squared coefficient of variation of the experts' shares over the tasks, mean over the places.
  [[nodiscard]] at::Tensor imbalance() const {
    const at::Tensor share = at::softmax(logits, -1).mean(1);  // [n_places, n_experts]
    return (share.var(-1, /*unbiased=*/false) / share.mean(-1).square()).mean();
  }
};

sdk::Bottleneck make_expert(const sdk::TowerSite& tower, std::int64_t layer,
                            sdk::BottleneckSite site, std::int64_t hidden, std::int64_t index,
                            const sdk::Options& options, const sdk::AdapterContext& context,
                            sdk::ParameterList& parameters) {
  const std::int64_t width = tower.shape->width;
  const std::string name = layer_name(
      tower, layer,
      (site == sdk::BottleneckSite::after_mlp ? "mlp." : "attention.") + std::to_string(index));
  sdk::Bottleneck expert;
  expert.layer = layer;
  expert.site = site;
  expert.nonlinearity = sdk::parse_nonlinearity(options.text("activation"));
  expert.down =
      parameters.add(name + ".down", sdk::draw_linear({hidden, width}, context.generator()));
  expert.down_bias = parameters.add(name + ".down_bias", sdk::fp32_zeros({hidden}));
  expert.up = parameters.add(name + ".up", sdk::fp32_zeros({width, hidden}));
  expert.up_bias = parameters.add(name + ".up_bias", sdk::fp32_zeros({width}));
  return expert;
}

sdk::BackboneChanges route(const std::vector<Place>& places, const Gating& gating,
                           const sdk::ChangeRequest& request) {
  at::Tensor logits = gating.logits.select(1, request.task);  // [n_places, n_experts]
  if (request.training && gating.noise_std > 0)
    logits = logits + gating.noise_std *
                          sdk::to_device(sdk::draw_normal(logits.sizes(), 1.0, *request.noise),
                                         logits.device());
  const auto [best, index] = at::topk(logits, gating.top_k, -1);
  const at::Tensor gates = at::softmax(best, -1);  // over the chosen experts alone
  const at::Tensor chosen = index.to(at::kCPU);
  const auto chosen_at = chosen.accessor<std::int64_t, 2>();
  sdk::BackboneChanges changes;
  for (std::size_t place = 0; place < places.size(); ++place)
    for (std::int64_t k = 0; k < gating.top_k; ++k) {
      const auto row = static_cast<std::int64_t>(place);
      sdk::Bottleneck expert =
          places[place].experts.at(static_cast<std::size_t>(chosen_at[row][k]));
      expert.scale = gates.select(0, row).select(0, k);
      (changes.*places[place].tower).bottlenecks.push_back(expert);
    }
  if (request.training && gating.balance > 0) changes.penalty = gating.balance * gating.imbalance();
  return changes;
}

}  // namespace

std::unique_ptr<sdk::Adapter> make_moe_adapter(const sdk::Options& options,
                                               const sdk::AdapterContext& context) {
  const sdk::BackboneView& backbone = context.backbone();
  const std::int64_t n_experts = options.integer("n-experts");
  const std::int64_t top_k = options.integer("top-k") == 0 ? n_experts : options.integer("top-k");
  if (top_k > n_experts)
    throw sdk::Error(sdk::ErrorKind::config,
                     std::string(kWhere) + ": option 'top-k' is " + std::to_string(top_k) +
                         ", expected at most n-experts, " + std::to_string(n_experts));
  std::vector<Place> places;
  sdk::ParameterList parameters(sdk::device_of(backbone));
  for (const sdk::TowerSite& tower : chosen_towers(options.text("towers"), backbone.shape())) {
    const std::int64_t hidden = tower.shape->width / options.integer("reduction");
    if (hidden == 0)
      throw sdk::Error(sdk::ErrorKind::config, std::string(kWhere) + ": option 'reduction' is " +
                                                   std::to_string(options.integer("reduction")) +
                                                   ", expected at most the width of the tower, " +
                                                   std::to_string(tower.shape->width));
    std::vector<sdk::BottleneckSite> sites;
    if (options.text("sites") == "both") sites.push_back(sdk::BottleneckSite::after_attention);
    sites.push_back(sdk::BottleneckSite::after_mlp);
    for (const std::int64_t layer :
         sdk::parse_layers(options.text("layers"), tower.shape->layers, kWhere))
      for (const sdk::BottleneckSite site : sites) {
        Place place{.tower = tower.changes, .experts = {}};
        for (std::int64_t i = 0; i < n_experts; ++i)
          place.experts.push_back(
              make_expert(tower, layer, site, hidden, i, options, context, parameters));
        places.push_back(std::move(place));
      }
  }
  const Gating gating{
      .logits = parameters.add(
          "gates", sdk::draw_normal({static_cast<std::int64_t>(places.size()),
                                     static_cast<std::int64_t>(context.tasks().size()), n_experts},
                                    options.real("gate-std"), context.generator())),
      .top_k = top_k,
      .noise_std = options.real("noise-std"),
      .balance = options.real("balance")};
  return sdk::make_function_adapter(parameters.take(),
                                    [places, gating](const sdk::ChangeRequest& request) {
                                      return route(places, gating, request);
                                    });
}

}  // namespace petlab::plugins::experts
