#pragma once

#include "petlab/sdk/module_support.hpp"

#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>

#include <string>

namespace petlab::plugins::hypernetworks {

/// A linear map with a bias, from N(0, std^2) and 0.
struct Linear {
  Linear(sdk::ParameterList& parameters, const std::string& name, std::int64_t in, std::int64_t out,
         double std, at::Generator& generator)
      : weight(parameters.add(name + ".weight", sdk::draw_normal({out, in}, std, generator))),
        bias(parameters.add(name + ".bias", sdk::fp32_zeros({out}))) {}

  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const {
    return at::linear(x, weight, bias);
  }

  at::Tensor weight;
  at::Tensor bias;
};

/// I = layer_norm(W2 relu(W1 z + b1) + b2): what the generators of the adapters' weights see.
class EmbeddingNet {
 public:
  EmbeddingNet(sdk::ParameterList& parameters, const std::string& name, std::int64_t in,
               const sdk::Options& options, at::Generator& generator)
      : hidden_(parameters, name + ".1", in, options.integer("net-hidden"),
                options.real("init-std"), generator),
        out_(parameters, name + ".2", options.integer("net-hidden"), options.integer("net-out"),
             options.real("init-std"), generator),
        norm_weight_(
            parameters.add(name + ".norm.weight", sdk::fp32_ones({options.integer("net-out")}))),
        norm_bias_(
            parameters.add(name + ".norm.bias", sdk::fp32_zeros({options.integer("net-out")}))) {}

  [[nodiscard]] at::Tensor operator()(const at::Tensor& z) const {
    const at::Tensor out = out_(at::relu(hidden_(z)));
    // LibTorch's own gradients of weight and bias depend on the number of threads.
    return at::layer_norm(out, {out.size(-1)}, {}, {}, /*eps=*/1e-6) * norm_weight_ + norm_bias_;
  }

 private:
  Linear hidden_;
  Linear out_;
  at::Tensor norm_weight_;
  at::Tensor norm_bias_;
};

/// The width of the bottlenecks in a tower. Throws Error(config) when `reduction` leaves none.
inline std::int64_t hidden_width(const char* method, const sdk::Options& options,
                                 std::int64_t width) {
  const std::int64_t reduction = options.integer("reduction");
  if (reduction > width)
    throw sdk::Error(sdk::ErrorKind::config,
                     std::string("method '") + method + "': option 'reduction' is " +
                         std::to_string(reduction) + ", expected at most the width of the tower, " +
                         std::to_string(width));
  return width / reduction;
}

/// The places of a block that option `sites` names.
inline std::vector<sdk::BottleneckSite> chosen_sites(const sdk::Options& options) {
  std::vector<sdk::BottleneckSite> sites;
  if (options.text("sites") == "both") sites.push_back(sdk::BottleneckSite::after_attention);
  sites.push_back(sdk::BottleneckSite::after_mlp);
  return sites;
}

}  // namespace petlab::plugins::hypernetworks
