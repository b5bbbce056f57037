#include "embedding_net.hpp"
#include "hypernetworks.hpp"

#include <ATen/ops/kron.h>
#include <ATen/ops/matmul.h>

namespace petlab::plugins::hypernetworks {
namespace {

/// A template of the weights at one place of a tower: left(I) right(I), of the given rank.
class Template {
 public:
  Template(const std::string& name, std::int64_t rows, std::int64_t columns,
           const sdk::Options& options, const sdk::AdapterContext& context,
           sdk::ParameterList& parameters)
      : rows_(rows),
        columns_(columns),
        left_(parameters, name + ".left", options.integer("net-out"),
              rows * options.integer("rank"), options.real("init-std"), context.generator()),
        right_(parameters, name + ".right", options.integer("net-out"),
               columns * options.integer("rank"), options.real("init-std"), context.generator()) {}

  /// [rows, columns] for a task with code [net-out].
  [[nodiscard]] at::Tensor operator()(const at::Tensor& code) const {
    return at::matmul(left_(code).view({rows_, -1}), right_(code).view({-1, columns_}));
  }

 private:
  std::int64_t rows_;
  std::int64_t columns_;
  Linear left_;
  Linear right_;
};

/// What the layers have of their own at one place: kernels and biases, one row a layer.
struct Kernels {
  at::Tensor down;       ///< [layers, s, s]
  at::Tensor down_bias;  ///< [layers, n_hidden]
  at::Tensor up;         ///< [layers, s, s]
  at::Tensor up_bias;    ///< [layers, width]
};

struct Place {
  sdk::TowerChanges sdk::BackboneChanges::* tower;
  sdk::BottleneckSite site;
  Template down;
  Template up;
  Kernels kernels;
};

Place make_place(const sdk::TowerSite& tower, sdk::BottleneckSite site, const sdk::Options& options,
                 const sdk::AdapterContext& context, sdk::ParameterList& parameters) {
  const std::int64_t width = tower.shape->width;
  const std::int64_t layers = tower.shape->layers;
  const std::int64_t hidden = hidden_width("polyhistor", options, width);
  const std::int64_t size = options.integer("kernel");
  if (width % size != 0 || hidden % size != 0)
    throw sdk::Error(sdk::ErrorKind::config,
                     "method 'polyhistor': option 'kernel' is " + std::to_string(size) +
                         ", expected a divisor of the tower's width " + std::to_string(width) +
                         " and of the bottleneck's " + std::to_string(hidden));
  const std::string name =
      std::string(tower.name) + (site == sdk::BottleneckSite::after_mlp ? ".mlp." : ".attention.");
  // The up kernels start at 0, the others at the size of an orthogonal matrix's entries: the
  // adapters start as nothing, and the first step reaches the up kernels.
  const double std = 1.0 / std::sqrt(static_cast<double>(size));
  return {tower.changes,
          site,
          Template(name + "down", hidden / size, width / size, options, context, parameters),
          Template(name + "up", width / size, hidden / size, options, context, parameters),
          {parameters.add(name + "down_kernels",
                          sdk::draw_normal({layers, size, size}, std, context.generator())),
           parameters.add(name + "down_biases", sdk::fp32_zeros({layers, hidden})),
           parameters.add(name + "up_kernels", sdk::fp32_zeros({layers, size, size})),
           parameters.add(name + "up_biases", sdk::fp32_zeros({layers, width}))}};
}

}  // namespace

std::unique_ptr<sdk::Adapter> make_polyhistor(const sdk::Options& options,
                                              const sdk::AdapterContext& context) {
  const sdk::BackboneView& backbone = context.backbone();
  const std::int64_t embedding = options.integer("embedding");
  sdk::ParameterList parameters(sdk::device_of(backbone));
  const at::Tensor tasks = parameters.add(
      "task_embeddings",
      sdk::draw_normal({static_cast<std::int64_t>(context.tasks().size()), embedding}, 1.0,
                       context.generator()));
  const EmbeddingNet net(parameters, "net", embedding, options, context.generator());
  std::vector<Place> places;
  for (const sdk::TowerSite& tower : chosen_towers(options.text("towers"), backbone.shape()))
    for (const sdk::BottleneckSite site : chosen_sites(options))
      places.push_back(make_place(tower, site, options, context, parameters));
  const sdk::Nonlinearity nonlinearity = sdk::parse_nonlinearity(options.text("activation"));
  return sdk::make_function_adapter(
      parameters.take(), [tasks, net, places, nonlinearity](const sdk::ChangeRequest& request) {
        const at::Tensor code = net(tasks.select(0, request.task));
        sdk::BackboneChanges changes;
        for (const Place& place : places) {
          const at::Tensor down = place.down(code);
          const at::Tensor up = place.up(code);
          for (std::int64_t layer = 0; layer < place.kernels.down.size(0); ++layer) {
            sdk::Bottleneck module;
            module.layer = layer;
            module.site = place.site;
            module.nonlinearity = nonlinearity;
            module.down = at::kron(place.kernels.down.select(0, layer), down);
            module.down_bias = place.kernels.down_bias.select(0, layer);
            module.up = at::kron(place.kernels.up.select(0, layer), up);
            module.up_bias = place.kernels.up_bias.select(0, layer);
            (changes.*place.tower).bottlenecks.push_back(module);
          }
        }
        return changes;
      });
}

}  // namespace petlab::plugins::hypernetworks
