#include "embedding_net.hpp"
#include "hypernetworks.hpp"

#include <ATen/ops/cat.h>

#include <optional>

namespace petlab::plugins::hypernetworks {
namespace {

/// The hypernetwork of one tower.
class TowerNet {
 public:
  TowerNet(const sdk::TowerSite& tower, const sdk::Options& options,
           const sdk::AdapterContext& context, sdk::ParameterList& parameters)
      : tower_(tower.changes),
        width_(tower.shape->width),
        hidden_(hidden_width("hyperformer", options, width_)),
        sites_(chosen_sites(options)),
        nonlinearity_(sdk::parse_nonlinearity(options.text("activation"))),
        layer_embeddings_(
            parameters.add(prefix(tower) + "layer_embeddings",
                           sdk::draw_normal({tower.shape->layers, options.integer("embedding")},
                                            1.0, context.generator()))),
        site_embeddings_(parameters.add(prefix(tower) + "site_embeddings",
                                        sdk::draw_normal({static_cast<std::int64_t>(sites_.size()),
                                                          options.integer("embedding")},
                                                         1.0, context.generator()))),
        net_(parameters, prefix(tower) + "net", 3 * options.integer("embedding"), options,
             context.generator()),
        down_(generator(tower, "down", hidden_ * width_, options, context, parameters)),
        down_bias_(generator(tower, "down_bias", hidden_, options, context, parameters)),
        up_(generator(tower, "up", width_ * hidden_, options, context, parameters)),
        up_bias_(generator(tower, "up_bias", width_, options, context, parameters)) {
    if (options.text("norm") == "none") return;
    norm_is_before_ = options.text("norm") == "before";
    norm_weight_ = generator(tower, "norm_weight", width_, options, context, parameters);
    norm_bias_ = generator(tower, "norm_bias", width_, options, context, parameters);
  }

  /// Adds the modules for a task of the given embedding [embedding].
  void add(const at::Tensor& task, sdk::BackboneChanges& changes) const {
    for (std::int64_t layer = 0; layer < layer_embeddings_.size(0); ++layer)
      for (std::size_t i = 0; i < sites_.size(); ++i) {
        const at::Tensor code = net_(at::cat({task, layer_embeddings_.select(0, layer),
                                              site_embeddings_.select(0, std::int64_t(i))}));
        sdk::Bottleneck module;
        module.layer = layer;
        module.site = sites_[i];
        module.nonlinearity = nonlinearity_;
        module.down = down_(code).view({hidden_, width_});
        module.down_bias = down_bias_(code);
        module.up = up_(code).view({width_, hidden_});
        module.up_bias = up_bias_(code);
        if (norm_weight_) {
          (norm_is_before_ ? module.norm_weight : module.out_norm_weight) = (*norm_weight_)(code);
          (norm_is_before_ ? module.norm_bias : module.out_norm_bias) = (*norm_bias_)(code);
        }
        (changes.*tower_).bottlenecks.push_back(module);
      }
  }

 private:
  static std::string prefix(const sdk::TowerSite& tower) { return std::string(tower.name) + "."; }

  static Linear generator(const sdk::TowerSite& tower, const char* name, std::int64_t out,
                          const sdk::Options& options, const sdk::AdapterContext& context,
                          sdk::ParameterList& parameters) {
    return {parameters, prefix(tower) + name,     options.integer("net-out"),
            out,        options.real("init-std"), context.generator()};
  }

  sdk::TowerChanges sdk::BackboneChanges::* tower_;
  std::int64_t width_;
  std::int64_t hidden_;
  std::vector<sdk::BottleneckSite> sites_;
  sdk::Nonlinearity nonlinearity_;
  at::Tensor layer_embeddings_;
  at::Tensor site_embeddings_;
  EmbeddingNet net_;
  Linear down_;
  Linear down_bias_;
  Linear up_;
  Linear up_bias_;
  bool norm_is_before_ = false;
  std::optional<Linear> norm_weight_;
  std::optional<Linear> norm_bias_;
};

}  // namespace

std::unique_ptr<sdk::Adapter> make_hyperformer(const sdk::Options& options,
                                               const sdk::AdapterContext& context) {
  const sdk::BackboneView& backbone = context.backbone();
  sdk::ParameterList parameters(sdk::device_of(backbone));
  const at::Tensor tasks = parameters.add(
      "task_embeddings", sdk::draw_normal({static_cast<std::int64_t>(context.tasks().size()),
                                           options.integer("embedding")},
                                          1.0, context.generator()));
  std::vector<TowerNet> towers;
  for (const sdk::TowerSite& tower : chosen_towers(options.text("towers"), backbone.shape()))
    towers.emplace_back(tower, options, context, parameters);
  return sdk::make_function_adapter(parameters.take(),
                                    [tasks, towers](const sdk::ChangeRequest& request) {
                                      sdk::BackboneChanges changes;
                                      for (const TowerNet& tower : towers)
                                        tower.add(tasks.select(0, request.task), changes);
                                      return changes;
                                    });
}

}  // namespace petlab::plugins::hypernetworks
